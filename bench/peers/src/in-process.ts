import { floor } from './contenders/index.ts';
import { measure, type Effort, type Sample } from './measure.ts';
import type { Figure, Row, Target } from './row.ts';

const perTurn: readonly Target[] = [
  { type: 'times', times: 8, than: 'the best peer' },
  { type: 'times', times: 40, than: '@openai/agents-core' },
];

/** A run divided by its turns. */
export async function turns(effort: Effort): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const turns of [10, 100, 1_000]) {
    const samples = await measure({ type: 'run', turns, history: 0, atOnce: 1 }, effort);
    const what = `turn, in a run of ${turns.toLocaleString('en')}`;
    rows.push(rowOf(samples, { what, unit: 'µs', per: turns / 1_000, targets: perTurn }));
  }
  return rows;
}

/** All that a long run takes, the work of the loop by hand in it. */
export async function longRun(effort: Effort): Promise<readonly Row[]> {
  const samples = await measure({ type: 'run', turns: 800, history: 0, atOnce: 1 }, effort);
  const figures = [...samples].map(([name, { typical, best }]): [string, Figure] => [name, { typical, best }]);
  const targets: Target[] = [{ type: 'times', times: 25, than: 'the best peer' }];
  return [{ what: 'run of 800 turns, in all', unit: 'ms', figures: new Map(figures), targets }];
}

/** One delta on its way from the model to the reader. */
export async function deltas(effort: Effort): Promise<readonly Row[]> {
  const length = 5_000;
  const samples = await measure({ type: 'story', deltas: length }, effort);
  const targets: Target[] = [{ type: 'times', times: 2, than: 'the best peer' }];
  return [rowOf(samples, { what: 'delta, of a stream of 5,000', unit: 'µs', per: length / 1_000, targets })];
}

/** Many runs, begun at once. */
export async function concurrency(effort: Effort): Promise<readonly Row[]> {
  const atOnce = 2_000;
  const samples = await measure({ type: 'run', turns: 3, history: 0, atOnce }, effort);
  const targets: Target[] = [{ type: 'times', times: 10, than: 'the best peer' }];
  return [rowOf(samples, { what: 'run of 3 turns, 2,000 at once', unit: 'µs', per: atOnce / 1_000, targets })];
}

/** A turn after a long conversation: a run of ten, divided by them. */
export async function history(effort: Effort): Promise<readonly Row[]> {
  const samples = await measure({ type: 'run', turns: 10, history: 2_000, atOnce: 1 }, effort);
  return [rowOf(samples, { what: 'turn, on 2,000 items', unit: 'µs', per: 10 / 1_000, targets: [] })];
}

/** A line out of samples in milliseconds: what each adds to the loop by hand. */
export function rowOf(
  samples: ReadonlyMap<string, Sample>,
  { per, ...row }: Pick<Row, 'what' | 'unit' | 'targets'> & { per: number },
): Row {
  const below = samples.get(floor);
  const figures = new Map<string, Figure>();
  for (const [name, { over, bestOver }] of samples)
    if (name !== floor) figures.set(name, { typical: over / per, best: bestOver / per });
  return {
    ...row,
    ...(below ? { byHand: { typical: below.typical / per, best: below.best / per } } : {}),
    figures,
  };
}
