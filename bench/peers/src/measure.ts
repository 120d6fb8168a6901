import v8 from 'node:v8';
import { collectGarbage, median, timed } from '../../src/measure.ts';

/** The same work, by name of who does it. */
export type Programs = ReadonlyMap<string, () => Promise<unknown>>;

/** Milliseconds of one call: the median and the best of the rounds, as they are and over what the floor took. */
export type Sample = {
  readonly typical: number;
  readonly best: number;
  readonly over: number;
  readonly bestOver: number;
};

/** How much is measured: `quick` trades precision for time. */
export type Effort = { readonly quick: boolean };

type Lane = {
  readonly work: () => Promise<unknown>;
  /** Calls of one round: as many as fill it. */
  readonly calls: number;
  /** A slow one takes part in fewer, so that the others can have theirs. */
  readonly rounds: number;
  readonly times: number[];
};

// Code that rests while the others run shall stay compiled.
v8.setFlagsFromString('--no-flush-bytecode');

/**
 * All warm up, then rounds alternate, each begun by the next one, so that whatever else the machine does meets everyone. No one pays for
 * another one's garbage. `floor` is whose time is taken off, round by round.
 */
export async function measure(programs: Programs, floor: string, effort: Effort): Promise<ReadonlyMap<string, Sample>> {
  const lanes = new Map<string, Lane>();
  for (const [name, work] of programs) lanes.set(name, await warmUp(work, effort));
  const order = [...lanes.values()];
  const rounds = Math.max(...order.map((lane) => lane.rounds));
  for (let round = 0; round < rounds; round++) {
    const first = round % order.length;
    for (const lane of [...order.slice(first), ...order.slice(0, first)]) {
      if (round >= lane.rounds) continue;
      collectGarbage();
      lane.times.push(await timed(lane.work, lane.calls));
    }
  }
  const below = lanes.get(floor)?.times ?? [];
  return new Map([...lanes].map(([name, { times }]) => [name, sampleOf(times, below)]));
}

/** Long enough for the optimising compiler to have seen it; then tells how much fits into a round, and how many rounds into the time. */
async function warmUp(work: () => Promise<unknown>, { quick }: Effort): Promise<Lane> {
  const [warmMs, roundMs, budgetMs] = quick ? [100, 20, 500] : [500, 60, 12_000];
  const start = performance.now();
  let callMs = Infinity;
  do callMs = Math.min(callMs, await timed(work, 1));
  while (performance.now() - start < warmMs);
  const calls = Math.max(1, Math.round(roundMs / callMs));
  const fitting = Math.floor(budgetMs / (calls * callMs));
  const [least, most] = quick ? [1, 5] : [2, 25];
  return { work, calls, rounds: Math.min(most, Math.max(least, fitting)), times: [] };
}

function sampleOf(times: readonly number[], below: readonly number[]): Sample {
  const best = Math.min(...times);
  return {
    typical: median(times),
    best,
    over: median(times.map((ms, round) => ms - (below[round] ?? median(below)))),
    bestOver: best - Math.min(...below),
  };
}
