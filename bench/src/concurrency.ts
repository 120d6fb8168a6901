import { Runner, type CallContext, type Item } from '@polyrun/core';
import { handWritten } from './floor.ts';
import { compare, liveHeap, rowOf, type Effort, type Row } from './measure.ts';
import { answersOf, PreparedModel } from './prepared-model.ts';
import { programs } from './programs.ts';

const question: readonly Item[] = [{ type: 'message', role: 'user', content: 'How is the weather in Oslo?' }];

/** Many runs at once, many tools at once, and many runs one after the other under one signal. */
export async function concurrency(effort: Effort): Promise<readonly Row[]> {
  return [
    await concurrentRuns(effort),
    await heapOfRuns(effort),
    await parallelTools(effort, 1_000),
    await parallelTools(effort, 2_000),
    await heapUnderSignal(effort),
  ];
}

async function concurrentRuns({ quick }: Effort): Promise<Row> {
  const runs = 2_000;
  const { agent, byHand } = programs(new PreparedModel(answersOf(3)));
  const comparison = await compare(
    {
      floor: () => Promise.all(Array.from({ length: runs }, () => handWritten(byHand, question))),
      polyrun: () => Promise.all(Array.from({ length: runs }, () => Runner.run(agent, question))),
    },
    { rounds: quick ? 7 : 25, calls: quick ? 1 : 3 },
  );
  return rowOf(comparison, { what: `run of 3 turns, ${runs} at once`, unit: 'µs', per: runs, target: 40 });
}

/** What is alive while all runs wait for the model's last answer: all that they hold at once. */
async function heapOfRuns({ quick }: Effort): Promise<Row> {
  const runs = quick ? 500 : 2_000;
  const held = async (start: (programs: ReturnType<typeof heldPrograms>) => Promise<unknown>) => {
    const made = heldPrograms(runs);
    const before = await liveHeap();
    const all = Promise.all(Array.from({ length: runs }, () => start(made)));
    await made.allWait;
    const bytes = (await liveHeap()) - before;
    made.release();
    await all;
    return bytes / 1024 / runs;
  };
  const byHand = () => held((made) => handWritten(made.byHand, question));
  const byPolyrun = () => held((made) => Runner.run(made.agent, question));
  // Once before, so that what is made only once does not count.
  await byHand();
  await byPolyrun();
  const floor = await byHand();
  const polyrun = await byPolyrun();
  return { what: `heap of a run, ${runs} at once`, unit: 'KB', floor, polyrun, over: polyrun, target: 20 };
}

/** Programs whose model gives its last answers only once all runs have asked for them. */
function heldPrograms(runs: number): ReturnType<typeof programs> & { allWait: Promise<void>; release: () => void } {
  const everyone = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let waiting = 0;
  const before = (turn: number) => {
    if (turn < 2) return undefined;
    waiting += 1;
    if (waiting === runs) everyone.resolve();
    return gate.promise;
  };
  const model = new PreparedModel(answersOf(3), { before });
  return { ...programs(model), allWait: everyone.promise, release: () => gate.resolve() };
}

async function parallelTools({ quick }: Effort, calls: number): Promise<Row> {
  const { agent, byHand } = programs(new PreparedModel(answersOf(2, calls), { step: 2 * calls }), 'async');
  const comparison = await compare(
    {
      floor: () => handWritten(byHand, question),
      polyrun: () => Runner.run(agent, question),
    },
    { rounds: quick ? 7 : 25, calls: quick ? 2 : 5 },
  );
  // Twice as many may take twice as long.
  return rowOf(comparison, { what: `${calls} tools in one turn`, unit: 'ms', target: (5 * calls) / 1_000 });
}

/** What runs leave behind on a signal that outlives them. */
async function heapUnderSignal({ quick }: Effort): Promise<Row> {
  const runs = quick ? 2_000 : 10_000;
  const { signal } = new AbortController();
  // The model asks for its signal, as one that talks to a network does.
  const before = (_turn: number, call: CallContext | undefined) => {
    if (call?.signal?.aborted) throw new Error('Nobody has aborted this run.');
    return undefined;
  };
  const { agent } = programs(new PreparedModel(answersOf(3), { before }));
  const go = async (times: number) => {
    for (let run = 0; run < times; run++) await Runner.run(agent, question, { signal });
  };
  // The same before, for what the engine keeps of code that gets hot.
  await go(runs);
  const heap = await liveHeap();
  await go(runs);
  const over = ((await liveHeap()) - heap) / 1024;
  return { what: `heap left by ${runs} runs under one signal`, unit: 'KB', polyrun: over, over, target: 256 };
}
