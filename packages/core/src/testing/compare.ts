import { stringify } from '../protocol/json.ts';

/** The value as JSON text with the keys of every object in order, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  return stringify(sorted(value)) ?? 'undefined';
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, entry]): [string, unknown] => [key, sorted(entry)]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
