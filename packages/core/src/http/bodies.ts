import { isFields, type Json } from '../protocol/json.ts';
import { isList } from './fields.ts';

/** A JSON object of a request. */
type JsonObject = { readonly [field: string]: Json };

/** The provider's own options over a body: objects field by field, lists one behind the other, all else in the place of ours. */
export function overlaid(body: JsonObject, options: JsonObject): JsonObject {
  const merged: { [field: string]: Json } = { ...body };
  for (const [field, value] of Object.entries(options)) {
    const known = body[field];
    if (isList(known) && isList(value)) merged[field] = [...known, ...value.filter((each) => !known.includes(each))];
    else merged[field] = isObject(known) && isObject(value) ? { ...known, ...value } : value;
  }
  return merged;
}

function isObject(value: Json | undefined): value is JsonObject {
  return isFields(value);
}
