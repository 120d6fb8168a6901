import { timed } from '../../src/measure.ts';
import { load } from './contenders/index.ts';
import { programOf, type Work } from './work.ts';

/** What the process of one contender is asked. */
export type Order =
  | { readonly type: 'warm_up'; readonly work: Work; readonly ms: number }
  | { readonly type: 'round'; readonly calls: number };

/** Milliseconds of one call; `null`: not able to do this work. */
export type Reply = { readonly callMs: number | null };

const contender = await load(process.argv[2] ?? '');
let program: (() => Promise<unknown>) | undefined;

process.on('message', (order: Order) => {
  obey(order).then(
    (reply) => process.send?.(reply),
    (error: unknown) => {
      console.error(`${contender.name}:`, error);
      process.exit(1);
    },
  );
});

async function obey(order: Order): Promise<Reply> {
  if (order.type === 'warm_up') program = await programOf(contender, order.work);
  if (!program) return { callMs: null };
  return { callMs: order.type === 'warm_up' ? await warmUp(program, order.ms) : await timed(program, order.calls) };
}

/** Long enough for the optimising compiler to have seen it, by the clock of this process; gives the best time. */
async function warmUp(work: () => Promise<unknown>, ms: number): Promise<number> {
  const start = process.cpuUsage();
  let best = Infinity;
  let spent: NodeJS.CpuUsage;
  do {
    best = Math.min(best, await timed(work, 1));
    spent = process.cpuUsage(start);
  } while (spent.user + spent.system < ms * 1_000);
  return best;
}
