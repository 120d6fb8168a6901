import { isFields } from '../../protocol/json.ts';
import { canonical } from '../compare.ts';
import { apart } from './play.ts';

type Transcript = (body: unknown) => readonly unknown[];

/**
 * What changed between the bodies of two requests of one conversation, beyond that messages were added at the end. Without
 * `transcript` the messages are the longest list that grows.
 */
export function growthProblems(before: unknown, after: unknown, transcript?: Transcript): string[] {
  if (transcript) return listProblems(transcript(before), transcript(after));
  const grown = listsIn(before).filter(({ path, list }) => listAt(after, path).length > list.length);
  const [longest] = grown.toSorted((a, b) => b.list.length - a.list.length);
  if (!longest)
    return ['expected a list of messages that grows with the conversation, got none; give the option `transcript`'];
  const { path, list } = longest;
  const [wanted, got] = [canonical(without(before, path)), canonical(without(after, path))];
  const rest = wanted === got ? [] : [`the rest of the body changes: ${apart(got, wanted)}`];
  return [...listProblems(list, listAt(after, path)), ...rest];
}

function listProblems(earlier: readonly unknown[], later: readonly unknown[]): string[] {
  const [wanted, got] = [canonical(earlier), canonical(later.slice(0, earlier.length))];
  return wanted === got ? [] : [`the earlier messages change: ${apart(got, wanted)}`];
}

type List = { path: readonly string[]; list: readonly unknown[] };

function listsIn(value: unknown, path: readonly string[] = []): List[] {
  if (Array.isArray(value)) return [{ path, list: value }];
  return isFields(value) ? Object.entries(value).flatMap(([key, entry]) => listsIn(entry, [...path, key])) : [];
}

function listAt(value: unknown, path: readonly string[]): readonly unknown[] {
  let found = value;
  for (const key of path) found = isFields(found) ? found[key] : undefined;
  return Array.isArray(found) ? found : [];
}

function without(value: unknown, [key, ...path]: readonly string[]): unknown {
  if (key === undefined || !isFields(value)) return undefined;
  return { ...value, [key]: without(value[key], path) };
}
