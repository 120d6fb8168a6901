import type { Agent } from '../agent/agent.ts';
import { AgentsError } from '../errors.ts';
import { Control } from '../loop/drive.ts';
import { effectsFor } from '../loop/effects.ts';
import { now } from '../run/deadlines.ts';
import { rebuiltError } from '../run/failure.ts';
import { hashOf } from '../run/journal.ts';
import { Result } from '../run/result.ts';
import type { Run } from '../run/run.ts';
import { begin } from '../run/runner.ts';
import { claimCheck } from './blobs.ts';
import { readDescription, type Description } from './description.ts';
import type { DurableOptions } from './options.ts';
import { OutcomeCodec } from './outcome-codec.ts';
import { told } from './told.ts';

/**
 * Performs a step from what `DurableStep.describe` gave, in a process that has the same agents and options but not the run, and gives the
 * text to record. `signal` aborts the step, which then settles soon. Nothing is told or traced of it.
 */
export async function performStep<C, O>(
  { agent, options }: { agent: Agent<C, O>; options?: DurableOptions<C> },
  description: string,
  signal?: AbortSignal,
): Promise<string> {
  const step = readDescription(description);
  const { blobs, maxInline, decide: _decide, onEvent: _onEvent, ...rest } = { ...options };
  const { run, problem } = begin({}, { agent, input: [], options: { ...rest, runId: step.runId } });
  if (problem) throw problem.error;
  run.state = step.state;
  try {
    const text = step.id.startsWith('end/') ? await ended(run, step) : await performed(run, step, signal);
    return blobs ? await claimCheck(blobs, { maxInline }).keep(run.idempotencyKey(step.id), text) : text;
  } finally {
    run.deadlines.close();
  }
}

async function performed(
  run: Run,
  { id, state, opens }: Description,
  signal: AbortSignal | undefined,
): Promise<string> {
  const effect = effectsFor(state).find((each) => each.id === id);
  if (!effect)
    throw new AgentsError(`performStep: the state does not ask for step '${id}'; give the description as it was.`);
  const control = new Control();
  const abort = () => control.abort();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  const began = now();
  const outcome = await run.perform(effect, control);
  signal?.removeEventListener('abort', abort);
  const codec = new OutcomeCodec(hashOf(run)[0] ?? '');
  return codec.encode({ ...outcome, ms: Math.round(now() - began) }, effect, opens);
}

function ended(run: Run, { failure, state }: Description): Promise<string> {
  const result = new Result(run, run.scope, state);
  const { runContext } = result;
  return told(() => run.tellEnd(failure ? { runContext, error: rebuiltError(failure) } : { runContext, result }));
}
