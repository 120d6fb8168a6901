import type { Agent, RunInput, RunResult } from '@polyrun/core';
import { runDurably, type DurableOptions } from '@polyrun/core/durable';
import type { Context } from '@restatedev/restate-sdk';
import { Approvals, type AskedQuestion } from './approvals.ts';
import { RestateEngine } from './engine.ts';

/** What a run on Restate is given, beside the options of any run. Restate stands for `journal`, `runId` and `signal`. */
export type RestateRunOptions<C> = Omit<DurableOptions<C>, 'decide'> & {
  /**
   * Tells people of a call that waits for approval: a mail, a message, a row in a table. Performed as a step, so at least once. They answer
   * by resolving the awakeable `question.id` with `{ type: 'approved' }` or `{ type: 'rejected', message }`; rejecting it rejects the
   * call. Without this the run ends with its interruptions.
   */
  onQuestion?: ((question: AskedQuestion) => unknown) | undefined;
  /** After so much time without an answer a call is rejected. A timer of Restate's. Default: a call waits for ever. */
  answerWithinMs?: number | undefined;
  /** After so much time the run is stopped wherever it is, the time that nobody worked at it included. A timer of Restate's. Default: none. */
  deadlineMs?: number | undefined;
};

/** How the questions of a run are told, where they are not told by a step. */
export type QuestionBoard = { readonly show: (questions: readonly AskedQuestion[]) => void };

/**
 * Runs an agent inside a Restate handler: each effect of the run is one step of the invocation's journal. Rejects with an `AgentRunError`,
 * which is terminal, when the run fails by itself; with Restate's `CancelledError` or `TimeoutError` once it was stopped.
 */
export function runAgent<C, O>(
  ctx: Context,
  agent: Agent<C, O>,
  asked: RestateRunOptions<C> & { input: RunInput },
): Promise<RunResult<C, O>> {
  return runAsked(ctx, { agent, asked });
}

/** The same for a workflow that shows its questions. */
export async function runAsked<C, O>(
  ctx: Context,
  {
    agent,
    asked,
    board,
  }: { agent: Agent<C, O>; asked: RestateRunOptions<C> & { input: RunInput }; board?: QuestionBoard },
): Promise<RunResult<C, O>> {
  const { input, onQuestion, answerWithinMs, deadlineMs, ...options } = asked;
  const engine = new RestateEngine(ctx, deadlineMs);
  const ask = async (question: AskedQuestion) => {
    if (onQuestion) await ctx.run(`ask/${question.callId}`, async () => void (await onQuestion(question)));
  };
  const approvals = new Approvals(ctx, { ask, answerWithinMs, ...(board && { onOpen: board.show }) });
  const decide = onQuestion || board ? approvals.decide.bind(approvals) : undefined;
  const result = await runDurably(engine, { agent, input, options: { ...options, decide } });
  if (engine.stopped) throw engine.stopped;
  return result;
}
