import type { ModelEvent } from '../../../protocol/events.ts';
import type { FunctionCallItem, OutputItem } from '../../../protocol/items.ts';
import { isFields } from '../../../protocol/json.ts';
import type { ModelResponse } from '../../../protocol/response.ts';
import { canonical } from '../../compare.ts';
import type { Recorded } from '../cassettes.ts';
import { needsAnswer, type Kit, type ModelCheck } from '../kit.ts';
import { hello, inTurn, nameOf, shown, streamed, whole, type Outcome } from '../play.ts';

export const answerChecks: readonly ModelCheck[] = [
  {
    id: 'json',
    title: 'responses and events are plain JSON: they survive JSON.stringify and structuredClone',
    advice: 'Leave out fields that have no value, and turn what the client hands over into JSON (`toJson`).',
    idle: needsAnswer,
    run: (kit) =>
      forAnswers(kit, ({ response, events }) => [
        ...jsonProblems(response, 'the response'),
        ...events.flatMap(jsonOfEvent),
      ]),
  },
  {
    id: 'origin',
    title: 'every item says which provider, api and model made it',
    advice: 'Set `origin: { provider, api, model }` on every item of the output (`defineModel` does).',
    idle: needsAnswer,
    run: (kit) => forAnswers(kit, originProblems),
  },
  {
    id: 'call-ids',
    title: 'every call of a response has an id, unique in its conversation',
    advice: "Keep the provider's id where it is present and new, mint one otherwise (`defineModel` does).",
    idle: ({ recorded }) =>
      recorded.some(({ expected }) => expected.toolCalls?.length) ? undefined : 'no fixture holds a call',
    run: async (kit) =>
      (await inTurn([...kit.wholes, ...kit.streams], (recorded) => callIdProblems(kit, recorded))).flat(),
  },
  {
    id: 'own-ids',
    title: "ids of responses and items are the provider's own, or undefined",
    advice:
      'Leave `id` out where the wire has none: an id that the provider does not know is of no use in a later request.',
    idle: needsAnswer,
    run: (kit) => forAnswers(kit, ownIdProblems),
  },
  {
    id: 'usage',
    title: 'usage is numbers that add up, cached tokens counted as input',
    advice:
      'Make usage with `usageOf`; add cached and cache-writing tokens to the input where the wire counts them apart.',
    idle: needsAnswer,
    run: (kit) => forAnswers(kit, usageProblems),
  },
  {
    id: 'stop',
    title: 'the stop is one of the seven kinds, fits the content, and keeps the raw word',
    advice:
      "Map the provider's words; with calls the stop is `tool_calls`, a message that is only a refusal is `refusal`, words that say nothing follow the content.",
    idle: needsAnswer,
    run: (kit) => forAnswers(kit, stopProblems),
  },
  {
    id: 'request-id',
    title: "a response carries the provider's request id",
    advice: 'Put the id of the request, a header such as x-request-id or request-id, into `requestId` of the response.',
    idle: needsAnswer,
    run: (kit) =>
      forAnswers(kit, ({ response }, recorded) => {
        const names = /^(x-request-id|request-id|apim-request-id|.*correlation-id)$/i;
        const [, id] = Object.entries(recorded.response.headers ?? {}).find(([name]) => names.test(name)) ?? [];
        const got = response?.requestId;
        return id === undefined || got === id ? [] : [`expected requestId ${id}, got ${String(got)}`];
      }),
  },
];

type Answered = Outcome & { response: ModelResponse };

async function forAnswers(kit: Kit, check: (outcome: Answered, recorded: Recorded) => string[]): Promise<string[]> {
  const each = await inTurn([...kit.wholes, ...kit.streams], async (recorded) => {
    const { model } = kit.replay(recorded);
    const outcome = await (recorded.streaming ? streamed(model) : whole(model));
    const { response } = outcome;
    // What is not read as an answer, `reading` tells.
    const problems = response ? check({ ...outcome, response }, recorded) : [];
    return problems.map((problem) => `${recorded.name}: ${problem}`);
  });
  return each.flat();
}

function jsonOfEvent(event: ModelEvent): string[] {
  return jsonProblems(event, `the event ${event.type}`);
}

function jsonProblems(value: unknown, what: string): string[] {
  const odd = notJSON(value, what);
  return odd === undefined ? [] : [`expected plain JSON, got ${odd}`];
}

/** The first thing in a value that JSON cannot hold. */
function notJSON(value: unknown, path: string): string | undefined {
  if (typeof value === 'object' && value !== null) return notPlain(value, path);
  if (value === undefined) return `a field that is undefined at ${path}`;
  const held = ['string', 'boolean', 'object'].includes(typeof value) || Number.isFinite(value);
  return held ? undefined : `${typeof value === 'number' ? value : `a ${typeof value}`} at ${path}`;
}

function notPlain(value: object, path: string): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!plain) return `an object of a class at ${path}`;
  for (const [key, entry] of Object.entries(value)) {
    const odd = notJSON(entry, `${path}.${key}`);
    if (odd !== undefined) return odd;
  }
  return undefined;
}

function originProblems({ response }: Answered): string[] {
  return response.output.flatMap(({ type, origin }) => {
    const right = origin && origin.provider !== '' && origin.api !== '' && origin.model === response.model;
    return right
      ? []
      : [`expected origin with provider, api and model ${response.model} on the ${type}, got ${shown(origin)}`];
  });
}

/** Asks twice, the second time with the first answer as history. */
async function callIdProblems(kit: Kit, recorded: Recorded): Promise<string[]> {
  const { model } = kit.replay(recorded);
  const ask = recorded.streaming ? streamed : whole;
  const first = (await ask(model)).response?.output ?? [];
  const calls = first.filter(isCall);
  if (calls.length === 0) return [];
  const answers = calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'done' }) as const);
  const again = await ask(model, { request: { ...hello, input: [...hello.input, ...first, ...answers] } });
  const ids = [...calls, ...(again.response?.output ?? []).filter(isCall)].map(({ call_id }) => call_id);
  const problems =
    new Set(ids).size === ids.length && !ids.includes('') ? [] : [`expected ids of their own, got ${shown(ids)}`];
  const missing = again.response ? [] : [`expected an answer to a conversation with calls, got ${nameOf(again.error)}`];
  return [...problems, ...missing].map((problem) => `${recorded.name}, asked twice: ${problem}`);
}

function isCall(item: OutputItem): item is FunctionCallItem {
  return item.type === 'function_call';
}

function ownIdProblems({ response }: Answered, { response: { body, sse, text } }: Recorded): string[] {
  const wire = sse ?? text ?? JSON.stringify(body);
  const told = [
    { what: 'the response', id: response.id },
    ...response.output.map(({ type, id }) => ({ what: `the ${type}`, id })),
  ];
  return told
    .filter(({ id }) => id !== undefined && (id === '' || !wire.includes(id)))
    .map(({ what, id }) => `expected an id from the wire on ${what}, or none, got '${id}'`);
}

function usageProblems({ response: { usage } }: Answered): string[] {
  const {
    inputTokens,
    outputTokens,
    totalTokens,
    inputTokensDetails: cached,
    outputTokensDetails: { reasoningTokens },
    requests,
    source,
  } = usage;
  const { cachedTokens, cacheWriteTokens } = cached;
  const counts = { inputTokens, outputTokens, totalTokens, cachedTokens, cacheWriteTokens, reasoningTokens, requests };
  const odd = Object.entries(counts).filter(([, count]) => !Number.isInteger(count) || count < 0);
  return [
    ...odd.map(([name, count]) => `expected a whole number for ${name}, got ${String(count)}`),
    ...(totalTokens < inputTokens + outputTokens
      ? [`expected totalTokens of at least ${inputTokens} + ${outputTokens}, got ${totalTokens}`]
      : []),
    ...(Math.max(cachedTokens, cacheWriteTokens) > inputTokens
      ? [
          `expected inputTokens to include ${cachedTokens} cached and ${cacheWriteTokens} cache-writing tokens, got ${inputTokens}`,
        ]
      : []),
    ...(requests === 1 ? [] : [`expected requests 1, got ${requests}`]),
    ...(['reported', 'partial', 'estimated'].includes(source) ? [] : [`expected a source, got ${source}`]),
  ];
}

const stopTypes: readonly string[] = ['end', 'tool_calls', 'length', 'content_filter', 'refusal', 'pause', 'other'];

function stopProblems({ response: { stop, output } }: Answered): string[] {
  const calls = output.some((item) => isCall(item) && item.status !== 'incomplete');
  const asks = calls || output.some((item) => typeof Object(item).call_id === 'string');
  const says = `the stop ${canonical(stop)} with ${asks ? 'calls' : 'no calls'}`;
  if (!isFields(stop) || !stopTypes.includes(stop.type))
    return [`expected one of ${stopTypes.join(', ')}, got ${says}`];
  if (stop.raw !== null && typeof stop.raw !== 'string')
    return [`expected the provider's own word or null as raw, got ${says}`];
  const fits = stop.type === 'tool_calls' ? asks : stop.type !== 'end' || !calls;
  return fits ? [] : [`expected a stop that fits the content, got ${says}`];
}
