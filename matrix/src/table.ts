import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Cell } from './matrix.ts';

export const readme = fileURLToPath(new URL('../README.md', import.meta.url));
const begin = '<!-- matrix: written by `pnpm matrix` -->';
const end = '<!-- matrix: end -->';

/** Two tables, a row for where conversations come from, a column for where they go: what was tried, and what was adapted. */
export function tables(cells: readonly Cell[]): string {
  const tried = table(
    cells,
    ({ logs, requests, violations }) =>
      `${counted(logs)} logs, ${counted(requests)} requests, **${counted(violations.length)} violations**`,
  );
  const adapted = table(cells, ({ requests, adaptations }) =>
    Object.entries(adaptations)
      .sort(([, a], [, b]) => b - a)
      .map(([type, count]) => `${type} ${share(count, requests)}`)
      .join('<br>'),
  );
  return `${tried}\n\nAdaptations per 100 requests, by type:\n\n${adapted}`;
}

/** Puts the tables between the marks of the README. */
export function writeReadme(text: string): void {
  const old = readFileSync(readme, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${readme}: put '${begin}' and '${end}' around the place of the tables.`);
  writeFileSync(readme, `${old.slice(0, from)}${begin}\n\n${text}\n\n${old.slice(to)}`);
}

function table(cells: readonly Cell[], words: (cell: Cell) => string): string {
  const [rows, columns] = [[...new Set(cells.map(({ from }) => from))], [...new Set(cells.map(({ to }) => to))]];
  const lines = rows.map((row) => {
    const told = columns.map((column) => {
      const cell = cells.find(({ from, to }) => from === row && to === column);
      return cell ? words(cell) : '';
    });
    return `| ${[row, ...told].join(' | ')} |`;
  });
  return [`| from \\ to | ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length + 1)}`, ...lines].join('\n');
}

function counted(count: number): string {
  return count.toLocaleString('en');
}

function share(count: number, requests: number): string {
  const percent = (100 * count) / requests;
  return percent < 1 ? '< 1' : `${Math.round(percent)}`;
}
