import { isFields, type Json } from '@polyrun/core';

/** A JSON object whose values have not been looked at yet. */
export type Fields = { readonly [key: string]: unknown };
/** A JSON object of a request. */
export type JsonObject = { readonly [field: string]: Json };

/** One message of a request, as Chat Completions spells it. */
export type ChatMessage = JsonObject & { readonly role: string; readonly content: Json };
/** The body of a request, without what only streaming adds. */
export type Body = JsonObject & { readonly model: string; readonly messages: readonly ChatMessage[] };
/** The data of one server-sent event, parsed; `'[DONE]'` for the mark that closes a stream. `whole`: a completion that was not streamed. */
export type Chunk = { readonly data: unknown; readonly requestId?: string; readonly whole?: true };
/** A whole completion: as it came, or as its chunks add up to. */
export type Reply = { readonly completion: unknown; readonly requestId?: string };

/** The mark that closes a stream of chunks. */
export const doneMark = '[DONE]';

/** The value as an object; an empty one when it is none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The objects of a list; none when the value is no list. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** True for a list of JSON values. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value as text; `''` when it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The first of these values that is a number. */
export function numberOf(...values: readonly unknown[]): number | undefined {
  return values.find((value) => typeof value === 'number');
}

type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};
/** The fields that have a value. */
export function given<T extends object>(fields: T): Given<T>;
export function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
