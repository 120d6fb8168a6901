import { ModelError } from '../errors.ts';
import type { Fields } from '../protocol/json.ts';
import type { ModelErrorKind } from '../protocol/response.ts';
import { fieldsOf, given, listOf, numberOf, stringOf } from './fields.ts';
import type { Redact } from './redact.ts';
import { toldIn, wordsOf } from './words.ts';

/** What is known of a call when it fails. */
export type CallFacts = {
  readonly provider: string;
  readonly redact: Redact;
  readonly requestId?: string | undefined;
  /** Where the call went, for errors of connections. */
  readonly address?: string | undefined;
  /** The error that a body or an event holds, as `{ message, code }`, where a wire spells it in its own way. */
  readonly errorIn?: ((data: Fields, event?: string) => Fields | undefined) | undefined;
};

/** Names what the client or a connection threw: an answer that is an error, a connection that failed, or anything else. */
export function callError(error: unknown, facts: CallFacts): ModelError {
  const { status, error: body, headers, message } = fieldsOf(error);
  const header = headerReader(headers);
  const answered = numberOf(status);
  if (answered !== undefined)
    // Anthropic's client has the whole body here, where OpenAI's has the error in it. Google lists errors.
    return answeredError(errorOf(body) ?? body ?? message, {
      ...facts,
      status: answered,
      requestId: requestIdIn(header),
      retryAfterMs: retryAfter(header),
    });
  const words = facts.redact(causesOf(error).join(' '));
  const broken = /connect|fetch|network|socket|terminated|E[A-Z]{5}/i.test(words) ? 'network' : 'unknown';
  const kind = /time(d )?-?out/i.test(words) ? 'timeout' : broken;
  const at = facts.address === undefined ? '' : ` at ${facts.address}`;
  return new ModelError({ kind, message: `The call of ${facts.provider}${at} failed: ${words}`, cause: error });
}

/** The error that a body holds, be it a list of one; an empty one is none. */
function errorOf(body: unknown): unknown {
  const [{ error } = fieldsOf(body)] = listOf(body);
  return Object.keys(Object(error)).length > 0 ? error : undefined;
}

/** The words and codes of an error and of what caused it: clients wrap the error that tells what happened. */
function causesOf(error: unknown, depth = 5): string[] {
  const { message, code, cause } = fieldsOf(error);
  const own = [stringOf(message), stringOf(code)].filter((text) => text !== '');
  return depth === 0 || cause === undefined ? own : [...new Set([...own, ...causesOf(cause, depth - 1)])];
}

/** The error that stands where a completion or a chunk should: in a body of status 200, or in the middle of a stream. */
export function errorInReply(body: unknown, facts: CallFacts): ModelError | undefined {
  const { object, type, code, raw_status_code: status, response, x_groq, choices } = fieldsOf(body);
  // An event of the Responses API tells of the whole response, the reason of its failure within; routers tell of it in a choice.
  const error = [body, response, x_groq, ...listOf(choices)].map(errorOf).find((found) => found !== undefined);
  const kind = stringOf(object) || stringOf(type);
  // Some servers fail with words alone, which stand in no answer of any wire; events of other kinds may have words too.
  const known = kind !== '' || Array.isArray(choices);
  if (error === undefined && !/error$/i.test(kind) && (known || toldIn(body) === '')) return undefined;
  const inner = fieldsOf(error);
  const codes = [
    inner['status'],
    inner['status_code'],
    inner['http_code'],
    inner['http_status_code'],
    inner['code'],
    status,
    code,
  ].map(Number);
  return answeredError(error ?? body, { ...facts, status: codes.find((told) => told >= 400 && told < 600) });
}

/** A reply that is no completion and no error either; what was a stream may be tried again. */
export function notAReply(why: string, requestId: string | undefined, retryable = false): ModelError {
  const message = `This is no answer of a model: ${why}.${retryable ? '' : ' Check the base URL.'}`;
  return new ModelError({ kind: 'protocol', message, retryable, ...given({ requestId }) });
}

/** A stream that broke off before the answer was whole. */
export function streamCut(requestId: string | undefined): ModelError {
  const message = 'The stream ended before the answer did: neither a finish reason nor [DONE] came.';
  return new ModelError({ kind: 'protocol', message, retryable: true, ...given({ requestId }) });
}

type Answered = CallFacts & { status: number | undefined; retryAfterMs?: number | undefined };

function answeredError(body: unknown, { provider, redact, status, requestId, retryAfterMs }: Answered): ModelError {
  const { code, type, param } = fieldsOf(body);
  const codes = redact(`${stringOf(code)} ${stringOf(type)}`.trim());
  const words = wordsOf(body);
  const message = redact(words) || 'no reason given';
  const fields = {
    message,
    code: numberOf(code) ?? redact(stringOf(code)),
    type: redact(stringOf(type)),
    param: redact(stringOf(param)),
  };
  return new ModelError({
    kind: kindOf(`${status ?? ''} ${codes} ${words}`.replaceAll('\n', ' ')),
    message: `${provider} answered ${status ?? 'with an error'}${codes && ` (${codes})`}: ${message}`,
    body: { error: fields },
    ...given({ status, requestId, retryAfterMs }),
  });
}

/**
 * What speaks for a kind, in `status codes words`; the first that fits is it. Providers mean many things by one status, so words
 * come before; what only an error in a stream is judged by, which has no status, begins with a space.
 */
const signs: readonly (readonly [ModelErrorKind, RegExp])[] = [
  // A limit per minute is often worded like an exhausted plan or a long prompt, but it says when to come back.
  ['rate_limit', /(retry|again) in \d|wait before|rate_limit_exceeded/i],
  [
    'content_filter',
    /content[_ ]?(filter|policy|management)|(bio|cyber|usage)_policy|policy_violation|safety (system|filter)|flagged|moderation_blocked|inappropriate content/i,
  ],
  [
    'context_length',
    /context.(length|window|limit|size)|maximum (context|prompt|number of tokens)|too many (input )?tokens|(prompt|input) (is )?too long|input (length|token count)|model token limit|prompt exceeds/i,
  ],
  [
    'quota',
    /^402|insufficient.(quota|balance|credit|fund)|exceeded.{1,6}current.{1,7}quota|(usage|monthly.{0,10}).limit|usage_not_included|billing|credits|arrearage|allocationquota|budget.{1,10}exceeded/i,
  ],
  [
    'auth',
    /^40[13]|(incorrect|invalid|missing|expired).api.?key|api key (is )?(not valid|invalid|missing|expired)|authenticat|^ \S*permission/i,
  ],
  [
    'not_found',
    /^404|^ not_found|(model.?not.?found|(invalid|unknown)_model)|decommissioned|model.{0,80} does not exist/i,
  ],
  ['timeout', /^(408|504)|^ .*time(d |-)?out/i],
  ['rate_limit', /^429|^ .*(rate.?limit|too.many|exhausted)/i],
  ['overloaded', /^(498|503|529)|^ .*(overloaded|unavailable|capacity|slow_down)/i],
  [
    'invalid_request',
    /^4|^ .*(invalid|bad.?request)|^ \S*(unsupported|mismatch|too_large|too_small|not_found|conflict|image_|_image)/i,
  ],
];

function kindOf(clues: string): ModelErrorKind {
  return signs.find(([, sign]) => sign.test(clues))?.[0] ?? 'server';
}

type HeaderReader = (name: string) => string | undefined;

/** Reads headers of any fetch's making. */
export function headerReader(headers: unknown): HeaderReader {
  const get = fieldsOf(headers)['get'];
  return (name) => (typeof get === 'function' ? stringOf(get.call(headers, name)) || undefined : undefined);
}

/** The id under which the provider knows the request. */
export function requestIdIn(header: HeaderReader): string | undefined {
  const names = ['x-request-id', 'request-id', 'apim-request-id', 'mistral-correlation-id', 'x-amzn-requestid'];
  return names.map(header).find((id) => id !== undefined);
}

/** How long the provider wants us to wait: milliseconds, seconds or a date. */
function retryAfter(header: HeaderReader): number | undefined {
  const exact = header('retry-after-ms');
  const after = header('retry-after') ?? '';
  const wait = exact === undefined ? Number(after) * 1000 || Date.parse(after) - Date.now() : Number(exact);
  return wait >= 0 ? Math.round(wait) : undefined;
}
