import { describe, expect, test } from 'vitest';
import { recorded, wire } from './support/wire.ts';
import { corpusMissing, startReplay, type Cassette } from '@polyrun/wires/corpus';
import { playOne } from '@polyrun/wires/table';

if (corpusMissing !== undefined) console.warn(`the recordings are not checked: ${corpusMissing}`);

describe.skipIf(corpusMissing !== undefined)('recorded exchanges', () => {
  const cassettes = corpusMissing === undefined ? recorded() : [];
  const providers = [...new Set(cassettes.map(({ provider }) => provider))];

  describe.each([1, 37])('in chunks of %i bytes', (chunk) => {
    test.concurrent.each(providers)(
      '%s: every exchange is read as it was recorded',
      { timeout: 300_000 },
      async (provider) => {
        const server = await startReplay();
        const mine = cassettes.filter((cassette) => cassette.provider === provider);
        const problems = await Promise.all(mine.map((cassette) => playAll(cassette, { url: server.url, chunk })));
        await server.close();
        expect(problems.flat()).toEqual([]);
      },
    );
  });

  test('a wrong reading would be seen', async () => {
    const server = await startReplay();
    const problems = await Promise.all(
      cassettes.slice(0, 5).map((cassette) => playAll(cassette, { url: server.url, chunk: 37, alter: true })),
    );
    await server.close();
    expect(problems.map((found) => found.length > 0)).toEqual([true, true, true, true, true]);
  });
});

async function playAll(cassette: Cassette, at: { url: string; chunk: number; alter?: boolean }): Promise<string[]> {
  const problems: string[] = [];
  for (const exchange of cassette.exchanges) {
    const altered = at.alter
      ? { ...exchange, expected: { ...exchange.expected, text: 'other', error: undefined } }
      : exchange;
    const found = await playOne(wire, { cassette, exchange: altered as typeof exchange, url: at.url, chunk: at.chunk });
    problems.push(...found.map((problem) => `${cassette.id}/${exchange.index}: ${problem}`));
  }
  return problems;
}
