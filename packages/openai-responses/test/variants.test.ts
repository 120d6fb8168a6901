import { corpusMissing } from '@polyrun/wires/corpus';
import { framingProblems, framings, mutantProblems } from '@polyrun/wires/variants';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { wire } from './support/wire.ts';

describe.skipIf(corpusMissing !== undefined)('recorded replies', () => {
  test.each(Object.entries(framings))('are read the same with %s', async (_, frame) => {
    expect(await framingProblems(wire, frame)).toEqual([]);
  });

  test(
    verifies('E1', 'with one thing in them missing, of another kind, or out of order are read or refused by kind'),
    { timeout: 60_000 },
    async () => {
      expect(await mutantProblems(wire, 8)).toEqual([]);
    },
  );
});
