import type { ToolContext } from '../agent/context.ts';
import type { MaybePromise } from '../agent/maybe-promise.ts';
import { ToolCallError } from '../errors.ts';
import type { RunConfig } from './config.ts';
import { wait, type Steps } from './steps.ts';
import type { Work } from './work.ts';

type Kind = Parameters<NonNullable<RunConfig['toolErrorFormatter']>>[0]['kind'];
/** What kept a tool from answering. `worded`: a person chose the words. */
export type Trouble = { kind: Kind; message: string; error?: unknown; worded?: boolean };
type Setting = {
  context: ToolContext<never>;
  trouble: Trouble;
  errorFunction: ((at: { error: unknown; context: ToolContext<never> }) => MaybePromise<string>) | undefined;
};

/** The words in which the model is told: the tool's own, else the run config's, else the default ones. */
export function* inWords(
  { scope, effect }: Work<'run_tool'>,
  { context, trouble, errorFunction }: Setting,
): Steps<string> {
  const { kind, message, error, worded } = trouble;
  if (worded) return message;
  if (errorFunction && kind !== 'approval_rejected' && kind !== 'tool_not_found') {
    return yield* wait(errorFunction({ error: error ?? new ToolCallError(message), context }));
  }
  const { toolErrorFormatter } = scope.config;
  if (toolErrorFormatter === undefined) return message;
  const runContext = scope.contextOf(scope.agent(effect.agent));
  const { name: toolName, callId } = effect.call;
  return (yield* wait(toolErrorFormatter({ kind, toolName, callId, defaultMessage: message, runContext }))) ?? message;
}
