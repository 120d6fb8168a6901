import type { EffectOf } from '../loop/effects.ts';
import type { Decision } from '../loop/state.ts';
import { answerTo } from '../protocol/answers.ts';
import type { InputPart, Item, ProviderItem } from '../protocol/items.ts';
import { isFields, stringify } from '../protocol/json.ts';
import { itemProblem } from '../protocol/validate.ts';

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
  return isInput && itemProblem({ role: 'user', content: [value] }, '') === undefined;
}

function isAnswer(value: unknown): value is ProviderItem {
  return (
    isFields(value) &&
    typeof value['type'] === 'string' &&
    value['type'].endsWith('_output') &&
    value['type'] !== 'function_call_output'
  );
}
