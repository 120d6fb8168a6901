import { ModelError } from '../errors.ts';
import { answerKinds } from '../protocol/answers.ts';
import type { OutputItem } from '../protocol/items.ts';
import { isProviderItem, itemProblem, kindOf } from '../protocol/validate.ts';
import type { CallIds } from './call-ids.ts';

/**
 * An output item as a conversation takes it in: checked, its kind spelled right, its call id unique. The same item where nothing is to
 * change; `slug` names whose kinds the bare ones are.
 */
export function acceptItem(item: OutputItem, slug: string, callIds: CallIds): OutputItem {
  const problem = itemProblem(item);
  if (problem !== undefined)
    throw new ModelError({ kind: 'protocol', message: `The model returned a malformed item: output${problem}` });
  if (item.type === 'function_call') {
    const callId = callIds.next(item.call_id);
    return callId === item.call_id ? item : { ...item, call_id: callId };
  }
  if (item.type === 'message' || !isProviderItem(item)) return item;
  const type = kindOf(item.type, slug);
  if (!Object.hasOwn(answerKinds, type)) return type === item.type ? item : { ...item, type };
  const { call_id: given } = item;
  return { ...item, call_id: callIds.next(typeof given === 'string' ? given : '') };
}
