import { isFields, parseJson, type Fields } from '../protocol/json.ts';
import { callError, errorInReply, headerReader, notAReply, requestIdIn, type CallFacts } from './errors.ts';
import { fieldsOf, given, stringOf } from './fields.ts';
import { serverEvents } from './sse.ts';

/** One piece of JSON that a response held. `whole`: it was the whole body, not an event of a stream; `event`: what the stream calls it. */
export type ReplyPiece = {
  readonly data: unknown;
  readonly event?: string;
  readonly requestId?: string;
  readonly whole?: true;
};

/**
 * What a response holds, streamed or not. An error in the place of a piece is thrown, and so is what is no JSON. `mark`: the text that
 * closes a stream on this wire; it is the last piece.
 */
export async function* repliesIn(response: Response, known: CallFacts, mark?: string): AsyncGenerator<ReplyPiece> {
  const requestId = requestIdIn(headerReader(response.headers));
  const facts = { ...known, requestId };
  const type = response.headers.get('content-type') || 'no content type';
  const body = /text\/event-stream/i.test(type) ? response.body : null;
  const whole = body ? '' : await response.text();
  // Some servers call a stream JSON, or nothing at all.
  if (!body && !/^\s*(data|event)?:/.test(whole))
    return yield { data: checked(whole, facts, { type }), whole: true, ...given({ requestId }) };
  for await (const { data, event, bare } of serverEvents(body ?? new Blob([whole]).stream())) {
    const text = data.trim();
    // Gateways close streams of every wire with the mark of OpenAI's.
    if (text === (mark ?? '[DONE]')) return yield* mark === undefined ? [] : [{ data: text, ...given({ requestId }) }];
    // Some servers keep a connection alive with events that hold nothing.
    if (text !== '') yield { data: checked(text, facts, { event }), ...given({ event, requestId, whole: bare }) };
  }
}

/** The JSON of a body, of which the type is given, or of one event of a stream. */
function checked(
  text: string,
  facts: CallFacts,
  { type, event }: { type?: string; event?: string | undefined },
): unknown {
  const failed = event === 'error';
  const parsed = parseJson(text);
  const data = failed ? (parsed ?? text) : parsed;
  if (data === undefined) throw notAReply(`${type ?? 'an event'} that is no JSON`, facts.requestId, type === undefined);
  const own = facts.errorIn?.(fieldsOf(data), event);
  // An event of that name is one, whatever its data look like.
  const failure = errorInReply(own ? { error: own } : data, facts) ?? (failed && errorInReply({ error: data }, facts));
  if (failure) throw failure;
  return data;
}

/** An event as its data tell it; what the stream calls it is its type where they tell none. */
export function eventOf({ data, event }: ReplyPiece): Fields {
  return { ...given({ type: event }), ...fieldsOf(data) };
}

/** The response, unless it is an error, which is thrown; for those who post with `fetch`. */
export async function answered(response: Response, facts: CallFacts): Promise<Response> {
  if (response.ok) return response;
  const { status, headers } = response;
  const message = await response.text();
  const body = parseJson(message);
  throw callError({ status, headers, error: facts.errorIn?.(fieldsOf(body)) ?? body, message }, facts);
}

/** The first of these environment variables that is set; `''` when none is, or where there is no environment. */
export function environment(names: readonly string[]): string {
  const host: unknown = Reflect.get(globalThis, 'process');
  const variables = isFields(host) ? fieldsOf(host['env']) : {};
  return names.map((name) => stringOf(variables[name])).find((value) => value !== '') ?? '';
}
