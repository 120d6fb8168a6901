import type { Item } from '../protocol/items.ts';
import { isFields } from '../protocol/json.ts';

/** The arguments with which a person let a call run, where they are not the model's own: the output of the call tells. */
export function editIn(output: Item): string | undefined {
  const told = output.provider_data?.['polyrun'];
  return isFields(told) && typeof told['arguments'] === 'string' ? told['arguments'] : undefined;
}

/** Takes note of the edit that an item tells of. */
export function noteEdit(item: Item | undefined, edits: Map<string, string>): void {
  if (item?.type !== 'function_call_output') return;
  const edited = editIn(item);
  if (edited !== undefined) edits.set(item.call_id, edited);
}

/** A call as it ran. */
export function asEdited(item: Item, edited: string): Item {
  return item.type === 'function_call' ? { ...item, arguments: edited } : item;
}

/** Calls as they ran. The same array where nobody edited any. */
export function asRan(items: readonly Item[], edits: ReadonlyMap<string, string>): readonly Item[] {
  if (edits.size === 0) return items;
  return items.map((item) => {
    const edited = item.type === 'function_call' ? edits.get(item.call_id) : undefined;
    return edited === undefined ? item : asEdited(item, edited);
  });
}
