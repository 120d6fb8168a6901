import { runBlocking, type Agent, type Model, type RunInput, type RunOptions, type RunResult } from '@polyrun/core';
import { checkSynchronous } from './checks.ts';
import { ModelThread } from './model-thread.ts';
import { standInFor, threaded } from './threaded.ts';

/** One thread per process, like its event loop: a means, of which no result ever depends. */
const thread = new ModelThread();

/**
 * Runs an agent as `Runner.run` does, but returns the result itself: the calling thread stands still until it is there. Tools, hooks and
 * guardrails run on the calling thread, one after the other; only model calls travel to another thread, which rebuilds the provider
 * from its `reference`, or a model that the program holds from the model's own. Throws what `Runner.run` rejects with, and a `UserError` for anything that is asynchronous.
 */
export function runSync<C, O>(agent: Agent<C, O>, input: RunInput, options: RunOptions<C> = {}): RunResult<C, O> {
  checkSynchronous(agent, options);
  const { modelProvider } = options.runConfig ?? {};
  const standIn = (model: Model) => standInFor(model, thread);
  if (modelProvider === undefined) return runBlocking(agent, input, { ...options, standIn });
  const runConfig = { ...options.runConfig, modelProvider: threaded(modelProvider, thread) };
  return runBlocking(agent, input, { ...options, runConfig, standIn });
}
