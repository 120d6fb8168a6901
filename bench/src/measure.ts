import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';

/** One line of the table. `over` is what polyrun adds to the floor; where there is no floor, it is what polyrun costs. */
export type Row = {
  readonly what: string;
  readonly unit: 'µs' | 'ms' | 'KB';
  readonly floor?: number;
  readonly polyrun: number;
  readonly over: number;
  /** `over` between the fastest rounds of both: what is left when nothing else disturbs. */
  readonly best?: number;
  /** The most that `over` may be; without it the line only informs. */
  readonly target?: number;
};

/** How much is measured: `quick` trades precision for time. */
export type Effort = { readonly quick: boolean };

/** A group of lines, such as those of turns. */
export type Group = (effort: Effort) => Promise<readonly Row[]>;

/** The same work, by hand and by polyrun. */
export type Pair = { readonly floor: () => Promise<unknown>; readonly polyrun: () => Promise<unknown> };

export type Comparison = {
  readonly floor: number;
  readonly polyrun: number;
  readonly over: number;
  readonly best: number;
};

/**
 * Milliseconds for one call of each: both warm up, then rounds of each alternate, so that whatever else the machine does
 * meets both. `over` is the median of the differences round by round, `best` the difference of the fastest rounds.
 */
export async function compare(pair: Pair, plan: { rounds: number; calls: number }): Promise<Comparison> {
  await warmUp(pair, plan.calls);
  const floor: number[] = [];
  const polyrun: number[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    // Who goes first takes turns, too.
    if (round % 2 === 0) floor.push(await timed(pair.floor, plan.calls));
    polyrun.push(await timed(pair.polyrun, plan.calls));
    if (round % 2 === 1) floor.push(await timed(pair.floor, plan.calls));
  }
  return {
    floor: median(floor),
    polyrun: median(polyrun),
    over: median(polyrun.map((ms, round) => ms - (floor[round] ?? 0))),
    best: Math.min(...polyrun) - Math.min(...floor),
  };
}

/** Long enough for the optimising compiler to have seen both. */
async function warmUp({ floor, polyrun }: Pair, calls: number): Promise<void> {
  const start = performance.now();
  do {
    for (let call = 0; call < calls; call++) await floor();
    for (let call = 0; call < calls; call++) await polyrun();
  } while (performance.now() - start < 300);
}

/** Milliseconds for one call, over so many. */
export async function timed(work: () => Promise<unknown>, calls: number): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call++) await work();
  return (performance.now() - start) / calls;
}

/** A line out of a comparison; `per` divides: the turns of a run, the deltas of a stream. */
export function rowOf(
  { floor, polyrun, over, best }: Comparison,
  { what, unit, per = 1, target }: { what: string; unit: 'µs' | 'ms'; per?: number; target?: number },
): Row {
  const scaled = (ms: number) => (unit === 'µs' ? (ms * 1000) / per : ms / per);
  return {
    what,
    unit,
    floor: scaled(floor),
    polyrun: scaled(polyrun),
    over: scaled(over),
    best: scaled(best),
    ...(target === undefined ? {} : { target }),
  };
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Bytes that are alive on the heap, garbage collected. */
export async function liveHeap(): Promise<number> {
  // What weak references point to lives to the end of the job, and their finalizers are jobs of their own.
  for (let time = 0; time < 5; time++) {
    await setImmediate();
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

const collectGarbage: () => void = collector();

/** The collector, which a process that was not started with `--expose-gc` can still ask for. */
function collector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const gc: unknown = globalThis.gc ?? vm.runInNewContext('gc');
  return typeof gc === 'function' ? () => void gc() : () => undefined;
}
