import { parseJson, type Json } from '../../protocol/json.ts';
import type { Issue } from './json-schema.ts';

/** Reads the arguments of a call: strict JSON, where the empty text is `{}`. `problem` tells the model what to send instead. */
export function parseArguments(text: string): { readonly value: Json } | { readonly problem: string } {
  const value = text === '' ? {} : parseJson(text);
  if (value !== undefined) return { value };
  return { problem: 'The arguments are not valid JSON. Send one complete JSON object and nothing around it.' };
}

/** Words issues for the model: `city: expected string, got a number; days[0]: …`, the first ten of them. */
export function issuesText(issues: readonly Issue[]): string {
  const words = issues
    .slice(0, 10)
    .map(({ message, path = [] }) => [pathText(path), message].filter(Boolean).join(': '));
  if (issues.length > 10) words.push(`and ${issues.length - 10} more`);
  return words.join('; ');
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}
