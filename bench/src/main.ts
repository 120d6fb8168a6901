import os from 'node:os';
import { parseArgs } from 'node:util';
import { adapters } from './adapters.ts';
import { concurrency } from './concurrency.ts';
import { deltas } from './deltas.ts';
import { history } from './history.ts';
import type { Group, Row } from './measure.ts';
import { sync } from './run-sync.ts';
import { size } from './size.ts';
import { sqlite } from './sqlite.ts';
import { startup } from './startup.ts';
import { turns } from './turns.ts';

const groups: { readonly [name: string]: Group } = {
  turns,
  deltas,
  concurrency,
  history,
  adapters,
  sqlite,
  sync,
  startup,
  size,
};
const columns = ['what', 'floor', 'polyrun', 'over', 'at best', 'ratio', 'target', ''];

await main();

/** Measures the groups that `--only=turns,size` names, all by default; `--quick` measures fewer and shorter rounds. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } });
  const chosen = values.only?.split(',') ?? Object.keys(groups);
  const unknown = chosen.filter((name) => !Object.hasOwn(groups, name));
  if (unknown.length > 0) {
    console.error(`--only: there is no ${unknown.join(', ')}; choose from ${Object.keys(groups).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  console.log(`Node ${process.versions.node}, ${os.cpus()[0]?.model ?? 'unknown processor'}, ${os.platform()}\n`);
  print(columns);
  for (const name of chosen) for (const row of (await groups[name]?.({ quick: values.quick })) ?? []) print(cells(row));
}

function cells({ what, unit, floor, polyrun, over, best, target }: Row): readonly string[] {
  const amount = (value: number | undefined) => (value === undefined ? '' : `${digits(value)} ${unit}`);
  const ratio = floor === undefined ? '' : `${digits(polyrun / floor)}×`;
  const verdict = target === undefined ? '' : over <= target ? 'ok' : 'over';
  const most = target === undefined ? '' : `≤ ${target} ${unit}`;
  return [what, amount(floor), amount(polyrun), amount(over), amount(best), ratio, most, verdict];
}

/** Three digits, or all before the point. */
function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

function print(cells: readonly string[]): void {
  const [what = '', ...rest] = cells;
  console.log(`${what.padEnd(46)}${rest.map((cell) => cell.padStart(11)).join('')}`);
}
