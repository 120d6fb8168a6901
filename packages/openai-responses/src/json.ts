import { isFields, toJson, type Json } from '@polyrun/core';
import type { JsonObject } from './wire.ts';

/** The value as a JSON object; an empty one when it is none. */
export function toObject(value: unknown): JsonObject {
  const json = toJson(value);
  return isObject(json) ? json : {};
}

/** True for a JSON object. */
function isObject(value: Json | undefined): value is JsonObject {
  return isFields(value);
}

/** An object without some of its fields. */
export function without<T extends { readonly [field: string]: unknown }>(fields: T, left: ReadonlySet<string>): T;
export function without(fields: object, left: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !left.has(name)));
}
