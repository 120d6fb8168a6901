import { misfit, UserError } from '../errors.ts';
import type { Item } from '../protocol/items.ts';
import { isInputItem, itemOf, itemProblem, itemsOf } from '../protocol/validate.ts';

/** Any input as items; throws `UserError` that names the entry and the field which is wrong. */
export function inputToItems(input: unknown, field = 'input'): Item[] {
  if (typeof input === 'string') return itemsOf(input);
  if (!Array.isArray(input)) throw misfit(field, 'a string or an array of items', input);
  return input.map((item: unknown, index) => {
    if (isInputItem(item)) return itemOf(item);
    throw new UserError(`${field}[${index}]${itemProblem(item)}`);
  });
}
