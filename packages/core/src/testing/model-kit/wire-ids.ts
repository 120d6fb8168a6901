import { isFields } from '../../protocol/json.ts';

/** A call of a conversation, as a body holds it: texts that occur in this call and in its output only. */
export type Marked = { call: string; output: string };

/**
 * The wire ids of calls in a body of any shape: a text that stands near a call and near its output, and near no other. `undefined`
 * for a call without.
 */
export function wireIdsIn(body: unknown, marked: readonly Marked[]): (string | undefined)[] {
  const texts = marked.flatMap(({ call, output }) => [call, output]);
  const near = new Map(texts.map((text) => [text, surroundings(body, text, texts)]));
  return marked.map(({ call, output }) => {
    const others = new Set(
      texts.filter((text) => text !== call && text !== output).flatMap((text) => near.get(text)?.at(-1) ?? []),
    );
    for (const around of near.get(call) ?? [])
      for (const other of near.get(output) ?? []) {
        const shared = around.find((text) => other.includes(text) && !others.has(text));
        if (shared !== undefined) return shared;
      }
    return undefined;
  });
}

/** All texts of each object around `text`, from the inside out, as far as none of the others is in it. */
function surroundings(body: unknown, text: string, all: readonly string[]): string[][] {
  const around: string[][] = [];
  for (const object of pathTo(body, text).toReversed()) {
    const texts = textsIn(object);
    if (texts.some((each) => all.some((other) => other !== text && each.includes(other)))) break;
    around.push(texts.filter((each) => !each.includes(text)));
  }
  return around;
}

/** The objects that hold a text, from the outside in. */
function pathTo(value: unknown, text: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  for (const entry of Object.values(value)) {
    if (typeof entry === 'string' && entry.includes(text)) return [value];
    const path = pathTo(entry, text);
    if (path.length > 0) return [value, ...path];
  }
  return [];
}

/** Every text in a value. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isFields(value) ? Object.values(value).flatMap(textsIn) : [];
}
