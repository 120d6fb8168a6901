/** Any JSON value. Everything that a run stores or sends is made of these. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object whose values have not been looked at yet. */
export type Fields = { readonly [key: string]: unknown };

/** True for objects that are neither null nor an array. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON text; `undefined` when it is none (JSON itself has no `undefined`). */
export function parseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Turns any value into JSON: what JSON cannot hold becomes its string form, and cycles are cut. */
export function toJson(value: unknown): Json {
  const plain = parseJson(stringify(value) ?? 'null');
  return plain === undefined ? null : plain;
}

/** `JSON.stringify` that never throws: bigints become strings, a cyclic value its string form. */
export function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'bigint' ? String(entry) : entry));
  } catch {
    return JSON.stringify(String(value));
  }
}
