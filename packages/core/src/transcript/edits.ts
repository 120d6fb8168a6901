import type { Item } from '../protocol/items.ts';
import { isFields } from '../protocol/json.ts';

/** Notes the arguments with which a person let a call run, where they are not the model's own: the output of the call tells. */
export function noteEdit(item: Item | undefined, edits: Map<string, string>): void {
  if (item?.type !== 'function_call_output') return;
  const told = item.provider_data?.['polyrun'];
  const edited = isFields(told) ? told['arguments'] : undefined;
  if (typeof edited === 'string') edits.set(item.call_id, edited);
}

/** Calls as they ran. The same array where nobody edited any. */
export function asRan(items: readonly Item[], edits: ReadonlyMap<string, string>): readonly Item[] {
  if (edits.size === 0) return items;
  return items.map((item) => {
    const edited = item.type === 'function_call' ? edits.get(item.call_id) : undefined;
    return item.type === 'function_call' && edited !== undefined ? { ...item, arguments: edited } : item;
  });
}
