import type { Fields } from '@polyrun/core';
import { fieldsOf, stringOf } from '@polyrun/core/http';

/** `known` with what `told` says, field by field and depth by depth; nothing said changes nothing, texts that grow are joined. */
export function overlay(known: Fields, told: Fields, grows?: ReadonlySet<string>): Fields {
  const merged: { [field: string]: unknown } = { ...known };
  for (const [field, value] of Object.entries(told)) {
    if (value === null || value === undefined || value === '') continue;
    if (grows?.has(field)) merged[field] = stringOf(known[field]) + stringOf(value);
    else
      merged[field] =
        typeof value === 'object' && !Array.isArray(value) ? overlay(fieldsOf(known[field]), fieldsOf(value)) : value;
  }
  return merged;
}
