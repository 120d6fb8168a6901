import type { ToolContext } from '../agent/context.ts';
import type { MaybePromise } from '../agent/maybe-promise.ts';
import { ToolCallError } from '../errors.ts';
import type { EffectOf } from '../loop/effects.ts';
import type { Decision } from '../loop/state.ts';
import { answerTo } from '../protocol/answers.ts';
import type { InputPart, Item, ProviderItem } from '../protocol/items.ts';
import { isFields, stringify } from '../protocol/json.ts';
import { isInputItem } from '../protocol/validate.ts';
import type { RunConfig } from './config.ts';
import { wait, type Steps } from './steps.ts';
import type { Work } from './work.ts';

/** The item that answers a call with what its tool returned: text as it is, content parts as media, anything else as JSON. */
export function outputItem({ call, decision }: EffectOf<'run_tool'>, value: unknown): Item {
  if (call.item.type !== 'function_call' && isAnswer(value)) return { ...value, call_id: call.callId };
  const edited = editedArguments(decision);
  const item = answerTo(call.item, call.callId, outputContent(value));
  // The log keeps the call as the model made it: what ran instead is told here.
  return edited === undefined ? item : { ...item, provider_data: { polyrun: { arguments: edited } } };
}

/** What a person has put in place of the model's arguments. */
export function editedArguments(decision: Decision | null): string | undefined {
  return decision?.type === 'approved' ? decision.arguments : undefined;
}

function outputContent(value: unknown): string | readonly InputPart[] {
  if (typeof value === 'string') return value;
  if (isPart(value)) return [value];
  if (Array.isArray(value) && value.length > 0 && value.every(isPart)) return value;
  return value === undefined ? '' : (stringify(value) ?? '');
}

function isPart(value: unknown): value is InputPart {
  const isInput = isFields(value) && String(value['type']).startsWith('input_');
  return isInput && isInputItem({ role: 'user', content: [value] });
}

function isAnswer(value: unknown): value is ProviderItem {
  return (
    isFields(value) &&
    typeof value['type'] === 'string' &&
    value['type'].endsWith('_output') &&
    value['type'] !== 'function_call_output'
  );
}

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
