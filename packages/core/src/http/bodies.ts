import { isFields, toJson, type Json } from '../protocol/json.ts';
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

/** The value as a JSON object; an empty one when it is none. */
export function toObject(value: unknown): JsonObject {
  const json = toJson(value);
  return isObject(json) ? json : {};
}

/** An object without some of its fields. */
export function without<T extends { readonly [field: string]: unknown }>(fields: T, left: ReadonlySet<string>): T;
export function without(fields: object, left: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !left.has(name)));
}
