import { cassettesOf, corpusMissing, play, startReplay, type Cassette, type Play } from './corpus.ts';

/** How the exchanges of one wire are asked: the model at the address where one of them is replayed. */
export type Wire = {
  api: string;
  /** `fetch`: instead of the network. */
  model: (cassette: Cassette, baseURL: string, fetch?: typeof globalThis.fetch) => Play['model'];
} & Pick<Play, 'reading'>;

const chunks = [1, 37] as const;

/** Plays every exchange of a wire in pieces of 1 and of 37 bytes, and prints by provider how many were read as they were recorded. */
export async function printTable(wire: Wire): Promise<void> {
  if (corpusMissing !== undefined) {
    console.error(corpusMissing);
    process.exitCode = 2;
    return;
  }
  const server = await startReplay();
  const rows = new Map<string, { passed: number[]; failed: number[] }>();
  const left: string[] = [];
  const jobs = jobsOf(wire);
  const workers = Array.from({ length: 16 }, async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) {
      const { cassette, exchange, chunk, column } = job;
      const problems = await playOne(wire, { cassette, exchange, url: server.url, chunk });
      const row = rows.get(cassette.provider) ?? { passed: [0, 0], failed: [0, 0] };
      rows.set(cassette.provider, row);
      const cell = problems.length === 0 ? row.passed : row.failed;
      cell[column] = (cell[column] ?? 0) + 1;
      for (const problem of problems) left.push(`${cassette.id}/${exchange.index} (chunks of ${chunk}): ${problem}`);
    }
  });
  await Promise.all(workers);
  await server.close();
  print(wire.api, rows, left);
}

/** One exchange at the replay server, in pieces of `chunk` bytes; returns what was read wrongly. */
export function playOne(
  { model, reading = {} }: Wire,
  at: { cassette: Cassette; exchange: Play['exchange']; url: string; chunk: number },
): Promise<string[]> {
  const { cassette, exchange, url, chunk } = at;
  return play({
    exchange,
    model: model(cassette, `${url}/c/${cassette.id}/${exchange.index};chunk=${chunk}`),
    reading,
  });
}

function jobsOf({ api }: Wire) {
  return cassettesOf(api).flatMap((cassette) =>
    cassette.exchanges.flatMap((exchange) => chunks.map((chunk, column) => ({ cassette, exchange, chunk, column }))),
  );
}

function print(api: string, rows: ReadonlyMap<string, { passed: number[]; failed: number[] }>, left: string[]): void {
  console.log(`${api.padEnd(28)}chunks of 1: passed failed   chunks of 37: passed failed`);
  for (const [provider, { passed, failed }] of [...rows].sort(([a], [b]) => a.localeCompare(b)))
    console.log(line(provider, passed, failed));
  const total = (cells: 'passed' | 'failed') =>
    chunks.map((_, column) => [...rows.values()].reduce((sum, row) => sum + (row[cells][column] ?? 0), 0));
  console.log(line('all', total('passed'), total('failed')));
  for (const problem of left.sort()) console.log(problem);
  if (left.length > 0) process.exitCode = 1;
}

function line(name: string, passed: number[], failed: number[]): string {
  const cells = chunks.map(
    (_, column) => `${String(passed[column]).padStart(19)} ${String(failed[column]).padStart(6)}`,
  );
  return `${name.padEnd(28)}${cells.join('    ')}`;
}
