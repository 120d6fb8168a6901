import { isFields, type Json } from '../../protocol/json.ts';
import { isList, validateJson } from './json-schema.ts';

/**
 * Reads an answer to a strict schema as one to the schema it was made of: a `null` for an optional property that does not allow null is absent.
 * Returns the same value when it holds no such null.
 */
export function undoStrict(schema: Json, value: unknown): unknown {
  if (!holdsNull(value)) return value;
  const surplus = validateJson(schema, value).filter((issue) => issue.surplus);
  return surplus.reduce((rest, { path = [] }) => without(rest, path), value);
}

function holdsNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(holdsNull));
}

/** The value with the property at this path left out. */
function without(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (isList(value)) return value.map((entry, at) => (at === key ? without(entry, rest) : entry));
  if (!isFields(value)) return value;
  const others = Object.entries(value).filter(([name]) => name !== key || rest.length > 0);
  return Object.fromEntries(others.map(([name, entry]) => [name, name === key ? without(entry, rest) : entry]));
}
