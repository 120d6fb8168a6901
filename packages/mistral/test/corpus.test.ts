import { corpusMissing, startReplay, type Cassette, type Exchange } from '@polyrun/wires/corpus';
import { playOne } from '@polyrun/wires/table';
import { describe, expect, test } from 'vitest';
import { mistralCassettes, wire } from './support/wire.ts';

if (corpusMissing !== undefined) console.warn(`the recordings are not checked: ${corpusMissing}`);

describe.skipIf(corpusMissing !== undefined)('recorded exchanges', () => {
  const cassettes = corpusMissing === undefined ? mistralCassettes() : [];

  test('there are some, streamed and unstreamed', () => {
    const exchanges = cassettes.flatMap((cassette) => cassette.exchanges);
    expect(exchanges.filter(({ streaming }) => streaming).length).toBeGreaterThan(0);
    expect(exchanges.length).toBeGreaterThan(20);
  });

  test.each([1, 37])('in chunks of %i bytes, every exchange is read as it was recorded', async (chunk) => {
    const server = await startReplay();
    const problems = await Promise.all(cassettes.map((cassette) => playAll(cassette, { url: server.url, chunk })));
    await server.close();
    expect(problems.flat()).toEqual([]);
  });

  test('a wrong reading would be seen', async () => {
    const server = await startReplay();
    const alter = (exchange: Exchange) => ({
      ...exchange,
      expected: { ...exchange.expected, text: 'other' },
    });
    const found = await Promise.all(
      cassettes.slice(0, 5).map((cassette) => playAll(cassette, { url: server.url, chunk: 37, alter })),
    );
    await server.close();
    expect(found.map((problems) => problems.length > 0)).toEqual([true, true, true, true, true]);
  });
});

type Playing = { url: string; chunk: number; alter?: (exchange: Exchange) => Exchange };

async function playAll(cassette: Cassette, { url, chunk, alter = (each) => each }: Playing): Promise<string[]> {
  const problems: string[] = [];
  for (const exchange of cassette.exchanges) {
    const found = await playOne(wire, { cassette, exchange: alter(exchange), url, chunk });
    problems.push(...found.map((problem) => `${cassette.id}/${exchange.index}: ${problem}`));
  }
  return problems;
}
