import type { Agent } from '../agent/agent.ts';
import { UserError } from '../errors.ts';
import type { RunInput } from '../run/config.ts';
import type { RunResult } from '../run/result.ts';
import { RunState } from '../run/run-state.ts';
import { begin, conclude, resultFor, type Asked } from '../run/runner.ts';
import type { Emit } from '../run/publisher.ts';
import { settle } from '../run/steps.ts';
import { answered, questionOf } from './approvals.ts';
import { claimCheck } from './blobs.ts';
import { DurableRun } from './durable-run.ts';
import type { DurableEngine } from './engine.ts';
import type { DurableOptions } from './options.ts';

/** A run as a durable engine is asked for it. */
export type DurableAsked<C, O> = {
  readonly agent: Agent<C, O>;
  readonly input: RunInput;
  readonly options?: DurableOptions<C> | undefined;
};

/**
 * Runs an agent on a durable engine: each effect is one step of the engine, performed once and for all. Calls that wait for approval are
 * asked about with `decide`, and the run goes on with what it answers. Rejects like `Runner.run`, with errors that say the same in every
 * replay; what else rejects it came from the engine.
 */
export async function runDurably<C, O, Handle>(
  engine: DurableEngine<Handle>,
  asked: DurableAsked<C, O>,
): Promise<RunResult<C, O>> {
  checkOptions(engine, asked.options);
  const { decide } = asked.options ?? {};
  let { input } = asked;
  for (let part = 1; ; part++) {
    const { result, halted } = await runPart(engine, { ...asked, input }, part);
    const questions = result.interruptions.map(questionOf);
    if (halted || questions.length === 0 || decide === undefined) return result;
    if (!answered(result.state, await decide(questions))) return result;
    input = result.state;
  }
}

function checkOptions<Handle>({ finalError }: DurableEngine<Handle>, options: object = {}): void {
  const field = ['journal', 'runId', 'signal'].find((name) => name in options);
  if (field === undefined) return;
  const error = new UserError(`${field}: the durable engine stands for it; leave it out.`);
  throw finalError ? finalError(error) : error;
}

/** One call of the runner: to its end, or until people are to be asked. */
async function runPart<C, O, Handle>(
  engine: DurableEngine<Handle>,
  { agent, input, options = {} }: DurableAsked<C, O>,
  part: number,
): Promise<{ result: RunResult<C, O>; halted: boolean }> {
  const { blobs, maxInline, decide: _decide, onEvent, ...rest } = options;
  const claims = blobs && claimCheck(blobs, { maxInline });
  const kind = class extends DurableRun<Handle> {
    readonly engine = engine;
    readonly claims = claims;
    readonly part = part;
  };
  const given: Asked<C, O> = { agent, input, options: { ...rest, ...runIdOf(input, engine) } };
  const { run, problem } = begin({}, given, { kind, ...(onEvent && { emit: telling(onEvent) }) });
  try {
    const result = resultFor(given, await settle(conclude(run, problem)));
    return { result, halted: run.state.end?.type === 'halted' };
  } catch (error) {
    if (!engine.finalError || (run instanceof DurableRun && run.broken)) throw error;
    throw engine.finalError(error);
  }
}

/** A state that is taken up keeps the id that it began with, for its keys were made of that. */
function runIdOf(input: RunInput, { runId }: { readonly runId: string }): { runId?: string } {
  return input instanceof RunState ? {} : { runId };
}

/** Tells events and waits for nothing: what listens has no say in the run. */
function telling(onEvent: NonNullable<DurableOptions<never>['onEvent']>): Emit {
  return (event) => {
    try {
      void Promise.resolve(onEvent(event)).catch(() => undefined);
    } catch {
      // As above.
    }
  };
}
