import { parseJson, type Json } from '../../protocol/json.ts';
import { after, type MaybePromise } from '../maybe-promise.ts';
import type { CompiledSchema } from './compile.ts';
import type { StandardResult } from './standard-schema.ts';

type Issues = NonNullable<StandardResult<unknown>['issues']>;

/** Reads the arguments of a call: strict JSON, where the empty text is `{}`. `problem` tells the model what to send instead. */
export function parseArguments(text: string): { readonly value: Json } | { readonly problem: string } {
  const value = text === '' ? {} : parseJson(text);
  if (value !== undefined) return { value };
  return { problem: 'The arguments are not valid JSON; send one JSON object.' };
}

/** What `make` makes of arguments that fit the schema; else `problem` tells the model what to send instead. */
export function bindArguments<T, B>(
  schema: CompiledSchema<T>,
  text: string,
  make: (value: T) => B,
): MaybePromise<B | { readonly problem: string }> {
  const parsed = parseArguments(text);
  if ('problem' in parsed) return parsed;
  return after(schema.read(parsed.value), (read) =>
    read.issues ? { problem: `Invalid arguments: ${issuesText(read.issues)}` } : make(read.value),
  );
}

/** Words issues for the model: `city: expected string, got a number; days[0]: …`, the first ten of them. */
export function issuesText(issues: Issues): string {
  // Libraries answer with arrays of classes of their own (arktype), whose `map` would make another of them.
  const words = Array.from(issues, ({ message, path }) => [pathText(path), message].filter(Boolean).join(': '));
  if (words.length > 10) words.splice(10, Infinity, `and ${words.length - 10} more`);
  return words.join('; ');
}

function pathText(path: Issues[number]['path'] = []): string {
  return Array.from(path, (segment) => {
    const key = typeof segment === 'object' ? segment.key : segment;
    return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
  })
    .join('')
    .replace(/^\./, '');
}
