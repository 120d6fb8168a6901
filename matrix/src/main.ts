import { corpusMissing } from '@polyrun/wires/corpus';
import { matrix, type Cell } from './matrix.ts';
import { tables, writeReadme } from './table.ts';

/** Runs the whole matrix, prints it, and puts it into the README. */
if (corpusMissing === undefined) await printMatrix();
else console.log(corpusMissing);

async function printMatrix(): Promise<void> {
  const cells: Cell[] = [];
  for await (const cell of matrix()) {
    cells.push(cell);
    const { from, to, logs, requests, violations, adaptations } = cell;
    console.log(`${`${from} → ${to}`.padEnd(42)}${logs} logs, ${requests} requests, ${violations.length} violations`);
    console.log(
      `  ${Object.entries(adaptations)
        .map(([type, count]) => `${type} ${count}`)
        .join(', ')}`,
    );
    for (const violation of violations.slice(0, 10)) console.log(`  ${violation}`);
  }
  const [requests, broken] = [sum(cells, (cell) => cell.requests), sum(cells, (cell) => cell.violations.length)];
  console.log(`${requests} requests, ${broken} violations`);
  writeReadme(tables(cells));
  process.exitCode = broken > 0 ? 1 : 0;
}

function sum(cells: readonly Cell[], count: (cell: Cell) => number): number {
  return cells.reduce((total, cell) => total + count(cell), 0);
}
