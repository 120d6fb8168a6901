import type { Item } from '../protocol/items.ts';

/**
 * `convert`, done once for each item and kept as long as the item lives: the next request of a conversation converts only its new
 * items. What is made may depend on the item alone, and on `key` where there is one (another key converts again), not on where in
 * the conversation the item stands.
 */
export function oncePerItem<T>(convert: (item: Item, key: string) => T): (item: Item, key?: string) => T {
  const made = new WeakMap<Item, { key: string; value: T }>();
  return (item, key = '') => {
    const known = made.get(item);
    if (known?.key === key) return known.value;
    const value = convert(item, key);
    made.set(item, { key, value });
    return value;
  };
}
