import { parseJson, type Fields } from '../protocol/json.ts';
import { fieldsOf, listOf, stringOf } from './fields.ts';

/**
 * The words of an error body, whatever shape it has: `message` or `detail` may be a text, a list of which fields are wrong and why, or again
 * an object that has one; routers add those of the provider behind them. What a wrong field held is left out, for it is the user's.
 */
export function wordsOf(body: unknown): string {
  const { message, detail, metadata } = fieldsOf(body);
  const words = wordsIn(message) || wordsIn(detail) || stringOf(body) || JSON.stringify(body);
  return `${words} ${stringOf(fieldsOf(metadata)['raw'])}`.trim();
}

function wordsIn(told: unknown): string {
  if (Array.isArray(told)) return listOf(told).map(fieldError).join('; ');
  if (typeof told !== 'string') {
    const { detail, message } = fieldsOf(told);
    return detail === undefined && message === undefined ? '' : wordsIn(detail ?? message);
  }
  // Proxies put the JSON of one error into the message of another.
  const inner = told.startsWith('{') ? wordsIn(parseJson(told)) : '';
  return inner || told;
}

/** One wrong field, as FastAPI tells of it: https://fastapi.tiangolo.com/tutorial/handling-errors */
function fieldError({ loc, msg }: Fields): string {
  const place = Array.isArray(loc) ? loc.join('.') : '';
  return [place, stringOf(msg)].filter(Boolean).join(': ');
}
