import { isFields, type Fields } from '../protocol/json.ts';
import type { StopType } from '../protocol/response.ts';
import { fieldsOf } from './fields.ts';

/** Finish reasons that say more than the content does, the more telling first. */
const stops: readonly (readonly [StopType, RegExp])[] = [
  // Google says `function_call_filter: MALFORMED_FUNCTION_CALL` where the model called nothing that there is.
  ['other', /malformed|unexpected|cancel|abort/i],
  ['length', /length|max_|limit|window/i],
  ['content_filter', /filter|safety|sensitive|guardrail|prohibited|recitation|blocklist/i],
  ['refusal', /refusal/i],
  ['pause', /pause/i],
];

/** What a finish reason of Chat Completions says, whoever spells it; `undefined` for reasons that are unknown or follow the content. */
export function stopIn(reason: string): StopType | undefined {
  return stops.find(([, sign]) => sign.test(reason))?.[0];
}

/** The parts of an answer's content: of a text, of parts or texts, of one part alone, or of the JSON that was asked for. */
export function partsIn(content: unknown): readonly Fields[] {
  if (Array.isArray(content)) return content.map(partOf);
  const { type, text } = fieldsOf(content);
  return [partOf(isFields(content) && (type ?? text) === undefined ? JSON.stringify(content) : content)];
}

function partOf(part: unknown): Fields {
  if (!isFields(part))
    return { type: 'text', text: typeof part === 'string' ? part : JSON.stringify(part ?? undefined) };
  return part['text'] === undefined ? part : { type: 'text', ...part };
}
