import { isFields, parseJson } from '../protocol/json.ts';
import { fieldsOf, stringOf } from './fields.ts';

/**
 * The words of an error body, whatever shape it has: a text, a list of which fields are wrong and why, or an object that has either or again
 * an object; routers add those of the provider behind them. What a wrong field held is left out, for it is the user's.
 */
export function wordsOf(body: unknown): string {
  const { raw } = fieldsOf(fieldsOf(body)['metadata']);
  const words = wordsIn(body) || JSON.stringify(body);
  return `${words} ${stringOf(raw) || wordsIn(raw)}`.trim();
}

/** Where servers put their words, among them Bedrock, Baidu, Z.AI, MiniMax and Cloudflare. */
const places: readonly string[] = [
  'message',
  'detail',
  'msg',
  'Message',
  'error_msg',
  'status_msg',
  'errors',
  'base_resp',
  'error',
];

/** The words of an error that an object has; `''` when it has none. */
export function toldIn(body: unknown): string {
  const fields = fieldsOf(body);
  return places.map((place) => wordsIn(fields[place])).find((words) => words !== '') ?? '';
}

function wordsIn(told: unknown): string {
  if (Array.isArray(told)) return told.map(fieldError).filter(Boolean).join('; ');
  if (typeof told !== 'string') return isFields(told) ? toldIn(told) : '';
  // Proxies put the JSON of one error into the message of another.
  const inner = told.startsWith('{') ? toldIn(parseJson(told)) : '';
  return inner || told;
}

/** One wrong field, as FastAPI tells of it: https://fastapi.tiangolo.com/tutorial/handling-errors */
function fieldError(told: unknown): string {
  const loc = isFields(told) ? told['loc'] : undefined;
  const place = Array.isArray(loc) ? loc.join('.') : '';
  return [place, wordsIn(told)].filter(Boolean).join(': ');
}
