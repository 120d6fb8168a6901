import { describe, expect, test } from 'vitest';
import { verifies } from '../../packages/core/test/requirements.ts';
import { cassettesOf, corpusMissing, startReplay, type Cassette } from './corpus.ts';
import { playOne, type Wire } from './table.ts';
import { framingProblems, framings, mutantProblems } from './variants.ts';

/**
 * Registers the tests that every adapter passes on the recordings of its wire: each exchange is read as it was recorded, framed in whatever
 * way, and what was changed in one is read or refused by kind.
 */
export function describeRecordings(wire: Wire): void {
  if (corpusMissing !== undefined) console.warn(`the recordings are not checked: ${corpusMissing}`);

  describe.skipIf(corpusMissing !== undefined)('recorded exchanges', () => {
    const cassettes = corpusMissing === undefined ? cassettesOf(wire.api) : [];
    const providers = [...new Set(cassettes.map(({ provider }) => provider))];

    test('there are some, streamed and unstreamed', () => {
      const exchanges = cassettes.flatMap((cassette) => cassette.exchanges);
      expect(exchanges.filter(({ streaming }) => streaming).length).toBeGreaterThan(0);
      expect(exchanges.length).toBeGreaterThan(20);
    });

    describe.each([1, 37])('in chunks of %i bytes', (chunk) => {
      test.concurrent.each(providers)(
        '%s: every exchange is read as it was recorded',
        { timeout: 300_000 },
        async (provider) => {
          const mine = cassettes.filter((cassette) => cassette.provider === provider);
          expect((await played(wire, mine, { chunk })).flat()).toEqual([]);
        },
      );
    });

    test('a wrong reading would be seen', async () => {
      const problems = await played(wire, cassettes.slice(0, 5), { chunk: 37, alter: true });
      expect(problems.map((found) => found.length > 0)).toEqual([true, true, true, true, true]);
    });

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
}

type How = { chunk: number; alter?: boolean };

/** What was read wrongly, by cassette. */
async function played(wire: Wire, cassettes: readonly Cassette[], how: How): Promise<string[][]> {
  const server = await startReplay();
  try {
    return await Promise.all(cassettes.map((cassette) => problemsOf(wire, cassette, { ...how, url: server.url })));
  } finally {
    await server.close();
  }
}

async function problemsOf(wire: Wire, cassette: Cassette, at: How & { url: string }): Promise<string[]> {
  const problems: string[] = [];
  for (const recorded of cassette.exchanges) {
    const { error: _error, ...expected } = recorded.expected;
    const exchange = at.alter ? { ...recorded, expected: { ...expected, text: 'other' } } : recorded;
    const found = await playOne(wire, { cassette, exchange, url: at.url, chunk: at.chunk });
    problems.push(...found.map((problem) => `${cassette.id}/${recorded.index}: ${problem}`));
  }
  return problems;
}
