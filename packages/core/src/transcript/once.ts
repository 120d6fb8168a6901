import type { Item } from '../protocol/items.ts';

/**
 * `convert`, done once for each item and kept as long as the item lives: the next request of a conversation converts only its new
 * items. What is made may depend on the item alone, not on where in the conversation it stands.
 */
export function oncePerItem<T>(convert: (item: Item) => T): (item: Item) => T {
  const made = new WeakMap<Item, { value: T }>();
  return (item) => {
    const known = made.get(item) ?? { value: convert(item) };
    made.set(item, known);
    return known.value;
  };
}
