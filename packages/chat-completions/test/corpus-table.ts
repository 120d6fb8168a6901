import { chatCassettes, corpusMissing, play, startReplay } from './support/corpus.ts';

if (corpusMissing !== undefined) {
  console.error(corpusMissing);
  process.exit(2);
}

const server = await startReplay();
const chunks = [1, 37];
const rows = new Map<string, { passed: number[]; failed: number[] }>();
const left: string[] = [];
const jobs = chatCassettes().flatMap((cassette) =>
  cassette.exchanges.flatMap((exchange) => chunks.map((chunk, column) => ({ cassette, exchange, chunk, column }))),
);
const workers = Array.from({ length: 16 }, async () => {
  for (let job = jobs.pop(); job; job = jobs.pop()) {
    const { cassette, exchange, chunk, column } = job;
    const problems = await play(cassette, exchange, { url: server.url, chunk });
    const row = rows.get(cassette.provider) ?? { passed: [0, 0], failed: [0, 0] };
    rows.set(cassette.provider, row);
    const cell = problems.length === 0 ? row.passed : row.failed;
    cell[column] = (cell[column] ?? 0) + 1;
    for (const problem of problems) left.push(`${cassette.id}/${exchange.index} (chunks of ${chunk}): ${problem}`);
  }
});
await Promise.all(workers);
await server.close();

console.log(`provider                    chunks of 1: passed failed   chunks of 37: passed failed`);
for (const [provider, { passed, failed }] of [...rows].sort(([a], [b]) => a.localeCompare(b)))
  console.log(line(provider, passed, failed));
const total = (cells: 'passed' | 'failed') =>
  chunks.map((_, column) => [...rows.values()].reduce((sum, row) => sum + (row[cells][column] ?? 0), 0));
console.log(line('all', total('passed'), total('failed')));
for (const problem of left.sort()) console.log(problem);
process.exitCode = left.length > 0 ? 1 : 0;

function line(name: string, passed: number[], failed: number[]): string {
  const cells = chunks.map(
    (_, column) => `${String(passed[column]).padStart(19)} ${String(failed[column]).padStart(6)}`,
  );
  return `${name.padEnd(28)}${cells.join('    ')}`;
}
