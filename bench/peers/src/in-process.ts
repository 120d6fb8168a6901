import { answer, type Contender } from './contender.ts';
import { contenders, floor } from './contenders/index.ts';
import { measure, type Effort, type Programs, type Sample } from './measure.ts';
import type { Figure, Row, Target } from './row.ts';

const perTurn: readonly Target[] = [
  { type: 'times', times: 8, than: 'the best peer' },
  { type: 'times', times: 40, than: '@openai/agents-core' },
];

/** A run divided by its turns. */
export async function turns(effort: Effort): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const length of [10, 100, 1_000]) {
    const samples = await measure(await runsOf({ turns: length }), floor.name, effort);
    const what = `turn, in a run of ${length.toLocaleString('en')}`;
    rows.push(rowOf(samples, { what, unit: 'µs', per: length / 1_000, targets: perTurn }));
  }
  return rows;
}

/** All that a long run takes, the work of the loop by hand in it. */
export async function longRun(effort: Effort): Promise<readonly Row[]> {
  const samples = await measure(await runsOf({ turns: 800 }), floor.name, effort);
  const figures = [...samples].map(([name, { typical, best }]): [string, Figure] => [name, { typical, best }]);
  const targets: Target[] = [{ type: 'times', times: 25, than: 'the best peer' }];
  return [{ what: 'run of 800 turns, in all', unit: 'ms', figures: new Map(figures), targets }];
}

/** One delta on its way from the model to the reader. */
export async function deltas(effort: Effort): Promise<readonly Row[]> {
  const length = 5_000;
  const programs = new Map(contenders.map((contender) => [contender.name, contender.story(length)]));
  for (const [name, story] of programs) {
    const seen = await story();
    if (seen !== length) throw new Error(`${name} has passed on ${seen} deltas of ${length}.`);
  }
  const samples = await measure(programs, floor.name, effort);
  const targets: Target[] = [{ type: 'times', times: 2, than: 'the best peer' }];
  return [rowOf(samples, { what: 'delta, of a stream of 5,000', unit: 'µs', per: length / 1_000, targets })];
}

/** Many runs, begun at once. */
export async function concurrency(effort: Effort): Promise<readonly Row[]> {
  const runs = 2_000;
  const one = await runsOf({ turns: 3 });
  const all = new Map([...one].map(([name, run]) => [name, () => Promise.all(Array.from({ length: runs }, run))]));
  const samples = await measure(all, floor.name, effort);
  const targets: Target[] = [{ type: 'times', times: 10, than: 'the best peer' }];
  return [rowOf(samples, { what: 'run of 3 turns, 2,000 at once', unit: 'µs', per: runs / 1_000, targets })];
}

/** A turn after a long conversation: a run of ten, divided by them. */
export async function history(effort: Effort): Promise<readonly Row[]> {
  const length = 10;
  const samples = await measure(await runsOf({ turns: length, history: 2_000 }), floor.name, effort);
  return [rowOf(samples, { what: 'turn, on 2,000 items', unit: 'µs', per: length / 1_000, targets: [] })];
}

async function runsOf(task: { turns: number; history?: number }): Promise<Programs> {
  const runs = new Map<string, () => Promise<string>>();
  for (const contender of contenders) runs.set(contender.name, await checkedRun(contender, task));
  return runs;
}

/** Makes sure that everyone does all of the work before it is timed. */
async function checkedRun(contender: Contender, { turns, history = 0 }: { turns: number; history?: number }) {
  let calls = 0;
  const weather = () => {
    calls++;
    return 'Sunny.';
  };
  const run = contender.agent({ turns, history, weather });
  const text = await run();
  if (text !== answer || calls !== turns - 1)
    throw new Error(`${contender.name} has called the tool ${calls} times and answered ${JSON.stringify(text)}.`);
  return run;
}

/** A line out of samples in milliseconds: what each adds to the loop by hand. */
export function rowOf(
  samples: ReadonlyMap<string, Sample>,
  { per, ...row }: Pick<Row, 'what' | 'unit' | 'targets'> & { per: number },
): Row {
  const below = samples.get(floor.name);
  const figures = new Map<string, Figure>();
  for (const [name, { over, bestOver }] of samples)
    if (name !== floor.name) figures.set(name, { typical: over / per, best: bestOver / per });
  return {
    ...row,
    ...(below ? { byHand: { typical: below.typical / per, best: below.best / per } } : {}),
    figures,
  };
}
