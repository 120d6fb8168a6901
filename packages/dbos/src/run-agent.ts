import type { Agent, RunInput, RunResult } from '@polyrun/core';
import { runDurably, type DurableOptions } from '@polyrun/core/durable';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { Approvals, topics, type AskedQuestion } from './approvals.ts';
import { DbosEngine, type Progress } from './engine.ts';

/** What a run on DBOS is given, beside the options of any run. DBOS stands for `journal`, `runId` and `signal`. */
export type DbosRunOptions<C> = Omit<DurableOptions<C>, 'decide'> & {
  /** Tells people of a call that waits for approval. A step, so it happens at least once. Questions can be read without it, too. */
  onQuestion?: ((question: AskedQuestion) => unknown) | undefined;
  /** After so much time without an answer a call is rejected. Default: a call waits for ever. */
  answerWithinMs?: number | undefined;
  /** Whether each step that settles is told as the event `polyrun.progress`, which costs one more write. Default false. */
  progress?: boolean | undefined;
};

/**
 * Runs an agent inside a DBOS workflow: each effect of the run is one step of it. One run for each workflow, for the workflow's id is the
 * run's. Rejects like `Runner.run` when the run fails by itself, and with DBOS's error once the workflow is cancelled.
 */
export async function runAgent<C, O>(
  agent: Agent<C, O>,
  asked: DbosRunOptions<C> & { input: RunInput },
): Promise<RunResult<C, O>> {
  const { input, onQuestion, answerWithinMs, progress = false, ...options } = asked;
  const tell = (told: Progress) => DBOS.setEvent(topics.progress, told);
  const engine = new DbosEngine(progress ? tell : undefined);
  const approvals = new Approvals({ answerWithinMs, onQuestion });
  const decide = approvals.decide.bind(approvals);
  return runDurably(engine, { agent, input, options: { ...options, decide } });
}
