import { readFileSync } from 'node:fs';
import type { ModelResponse } from '@polyrun/core';
import { corpusMissing } from '@polyrun/wires/corpus';
import { history, issuers } from '@polyrun/wires/logs';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../packages/core/test/requirements.ts';
import { journey, newTally, seatAt, type Seat } from '../src/journey.ts';
import { allRecordings, cell, generatedCell } from '../src/matrix.ts';
import type { Log, Recordings } from '../src/recorded.ts';
import { readme } from '../src/table.ts';
import { wireOf, wires, type Fields, type Wire } from '../src/wires.ts';

const pairs = wires.flatMap((from) => wires.map((to) => ({ name: `${from.api} to ${to.api} and back`, from, to })));

describe.skipIf(corpusMissing !== undefined)('recorded conversations, whole and damaged at every place', () => {
  let recordings: ReadonlyMap<Wire, Recordings>;
  beforeAll(async () => {
    recordings = await allRecordings();
  });

  test.each(pairs)(
    verifies('X1', verifies('X2', verifies('X3', verifies('X4', '$name')))),
    { timeout: 120_000 },
    async ({ from, to }) => {
      const { requests, violations } = await cell(from, to, recordings);
      expect(requests).toBeGreaterThan(100);
      expect(violations).toEqual([]);
    },
  );

  test('there are some of each wire, with calls, reasoning, and what only their issuer can read', () => {
    for (const [{ api }, { logs, replies }] of recordings) {
      const text = JSON.stringify(logs);
      const opaque = { 'openai-responses': 'encrypted_content', 'anthropic-messages': 'encrypted_content' }[api];
      expect([api, logs.length > 0, replies.length > 0], api).toEqual([api, true, true]);
      for (const part of ['"function_call"', '"function_call_output"', opaque ?? '"reasoning"'])
        expect(text).toContain(part);
    }
  });
});

test.each(wires)(verifies('X1', 'generated conversations to $api'), { timeout: 60_000 }, async (to) => {
  expect((await generatedCell(to)).violations).toEqual([]);
});

test('the table in the README tells of no violation', () => {
  const text = readFileSync(readme, 'utf8');
  const cells = [...text.matchAll(/([\d,]+) requests, \*\*([\d,]+) violations\*\*/g)];
  expect(cells).toHaveLength((wires.length + 1) * wires.length);
  expect(cells.filter(([, requests, violations]) => violations !== '0' || requests === '0')).toEqual([]);
});

describe('what a journey sees', () => {
  const home = wireOf('anthropic-messages');
  const issuer = issuers['anthropic-messages'];
  const log: Log & { settings: object } = {
    name: 'log',
    home: issuer,
    items: history(issuer),
    tools: [],
    settings: {},
  };
  const place = { provider: 'other', model: 'm' };
  const plain = { ...wireOf('openai-responses'), problems: () => [] };

  /** A model that sends whatever `body` says. */
  function flawed(wire: Wire, body: (text: string, turn: number) => Fields): Seat {
    let turn = 0;
    const response: ModelResponse = {
      model: 'm',
      output: [],
      usage: { ...noTokens },
      stop: { type: 'end', raw: null },
      adaptations: [],
    };
    return {
      wire,
      place: wire.api === home.api ? issuer : place,
      ask: async ({ input }) => ({ body: body(JSON.stringify(input), turn++), response }),
    };
  }

  async function seen(at: { home?: Seat; away?: Seat }): Promise<string> {
    const tally = newTally();
    const away = at.away ?? seatAt(plain, place);
    await journey(log, { home: at.home ?? seatAt(home, issuer), away, reply: undefined }, tally);
    return tally.violations.join('\n');
  }

  test('nothing, where nothing is wrong', async () => {
    expect(await seen({})).toBe('');
  });

  test('a request that breaks the grammar', async () => {
    const wire = { ...plain, problems: () => ['a wrong role'] };
    expect(await seen({ away: seatAt(wire, place) })).toContain('a wrong role');
  });

  test('a secret that is told to another', async () => {
    expect(await seen({ away: flawed(plain, (text) => ({ input: [text] })) })).toContain("told what is another's");
  });

  test('a request that is not the beginning of the next one', async () => {
    expect(await seen({ away: flawed(plain, (_, turn) => ({ input: [turn] })) })).toContain('differs at 0');
  });

  test('reasoning that does not come home', async () => {
    const wire = { ...home, conversation: () => [], problems: () => [] };
    expect(await seen({ home: flawed(wire, () => ({})) })).toContain('thoughts are missing');
    const forgetting = flawed(wire, (text, turn) => (turn === 0 ? { text } : {}));
    expect(await seen({ home: forgetting })).toContain('does not get back');
  });
});

const noTokens = {
  requests: 1,
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  inputTokensDetails: { cachedTokens: 0, cacheWriteTokens: 0 },
  outputTokensDetails: { reasoningTokens: 0 },
  source: 'estimated',
} as const;
