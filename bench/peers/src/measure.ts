import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from '../../src/measure.ts';
import { floor, names } from './contenders/index.ts';
import type { Work } from './work.ts';
import type { Order, Reply } from './worker.ts';

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
  readonly process: ChildProcess;
  /** Calls of one round: as many as fill it. */
  readonly calls: number;
  /** A slow one takes part in fewer, so that the others can have theirs. */
  readonly rounds: number;
  readonly times: number[];
};

/**
 * Each contender has a process of its own, so that none pays for the garbage of another, or for code that was thrown away meanwhile. All
 * warm up; then rounds alternate, each begun by the next one, so that whatever else the machine does meets everyone.
 */
export async function measure(work: Work, effort: Effort): Promise<ReadonlyMap<string, Sample>> {
  const processes = new Map(names.map((name) => [name, fork(workerFile, [name])]));
  try {
    const lanes = new Map<string, Lane>();
    for (const [name, process] of processes) {
      const lane = await warmedUp(process, { work, effort });
      if (lane) lanes.set(name, lane);
    }
    await alternate([...lanes.values()]);
    const below = lanes.get(floor)?.times ?? [];
    return new Map([...lanes].map(([name, { times }]) => [name, sampleOf(times, below)]));
  } finally {
    for (const process of processes.values()) process.kill();
  }
}

const workerFile = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Tells how much fits into a round, and how many rounds into the time. Who takes all of it for one call is timed by that. */
async function warmedUp(
  process: ChildProcess,
  { work, effort: { quick } }: { work: Work; effort: Effort },
): Promise<Lane | undefined> {
  const [warmMs, roundMs, budgetMs, most] = quick ? [200, 15, 500, 9] : [800, 25, 10_000, 41];
  const callMs = await ask(process, { type: 'warm_up', work, ms: warmMs });
  if (callMs === null) return undefined;
  const calls = Math.max(1, Math.round(roundMs / callMs));
  const fitting = Math.floor(budgetMs / (calls * callMs));
  if (fitting === 0) return { process, calls, rounds: 0, times: [callMs] };
  return { process, calls, rounds: Math.min(most, Math.max(3, fitting)), times: [] };
}

async function alternate(lanes: readonly Lane[]): Promise<void> {
  const rounds = Math.max(...lanes.map((lane) => lane.rounds));
  for (let round = 0; round < rounds; round++) {
    const first = round % lanes.length;
    for (const { process, calls, rounds, times } of [...lanes.slice(first), ...lanes.slice(0, first)])
      if (round < rounds) times.push((await ask(process, { type: 'round', calls })) ?? NaN);
  }
}

async function ask(process: ChildProcess, order: Order): Promise<number | null> {
  process.send(order);
  const done = new AbortController();
  try {
    const reply = once(process, 'message', { signal: done.signal });
    const exit = once(process, 'exit', { signal: done.signal });
    const [answer]: (Reply | number | null)[] = await Promise.race([reply, exit]);
    if (typeof answer === 'object' && answer !== null) return answer.callMs;
    throw new Error(`A process ended before its work was done: ${process.spawnargs.at(-1)}.`);
  } finally {
    done.abort();
  }
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
