import type { Model } from '../../src/index.ts';
import { acme, type Address } from './acme.ts';
import {
  decoded,
  message,
  answered,
  mapped,
  numbered,
  streaming,
  renumbered,
  renamed,
  encoding,
  requested,
  asking,
  turns,
  reporting,
  withIds,
  tapping,
  failing,
  remade,
  toErrors,
  mixing,
  piecewise,
  naiveLines,
  looseLines,
  isStreamed,
  later,
  quiet,
  remembering,
  changed,
  endedEarly,
} from './flawed.ts';

/** A mistake that an author may make: what the adapter then does, the checks that must fail, and the adapter. */
export type Flaw = readonly [what: string, fails: readonly string[], make: (at: Address) => Model];

/** Every check of the kit is the target of at least one; those that need other options than these stand in the test. */
export const flaws: readonly Flaw[] = [
  ['reads what is not there', ['reading'], decoded(message((text) => `${text}!`))],
  [
    'leaves a date in its items',
    ['json'],
    decoded((item) => ({ ...item, provider_data: { acme: new Date(0) as never } })),
  ],
  ['leaves fields without a value', ['json'], decoded((item) => ({ ...item, caller: undefined }))],
  ['does not sign its items', ['origin'], answered((response) => mapped(response, ({ origin: _, ...item }) => item))],
  ['gives call ids twice in a conversation', ['call-ids'], answered((response) => mapped(response, numbered()))],
  ['makes up ids', ['own-ids'], decoded((item) => ({ ...item, id: 'made_up' }))],
  [
    'counts two requests',
    ['usage'],
    answered((response) => ({ ...response, usage: { ...response.usage, requests: 2 } })),
  ],
  [
    'leaves cached tokens out',
    ['reading', 'usage'],
    answered(({ usage, ...response }) => ({ ...response, usage: { ...usage, inputTokens: 1 } })),
  ],
  [
    'invents a stop',
    ['stop'],
    answered((response) =>
      response.stop.type === 'refusal' ? { ...response, stop: { type: 'refusal', raw: 7 as never } } : response,
    ),
  ],
  ['forgets the request id', ['request-id'], answered(({ requestId: _, ...response }) => response)],
  [
    'loses the seal when it streams',
    ['parity'],
    (at) =>
      acme(at, ({ accumulate }) => ({
        accumulate: () => {
          const { add, end } = accumulate();
          return { end, add: (chunk) => (chunk.data['t'] === 'seal' ? [] : add(chunk)) };
        },
      })),
  ],
  [
    'decodes each piece by itself',
    ['pieces'],
    (at) => acme(at, ({ lines }) => ({ lines: (body) => lines(body.pipeThrough(piecewise())) })),
  ],
  ['splits at newlines only', ['framing', 'stream-error'], (at) => acme(at, () => ({ lines: naiveLines }))],
  [
    'knows every event',
    ['unknown'],
    (at) =>
      acme(at, ({ accumulate }) => ({
        accumulate: () => {
          const { add, end } = accumulate();
          const known = ['start', 'text', 'thought', 'seal', 'call', 'args', 'end'];
          return {
            end,
            add: (chunk) => {
              if (!known.includes(String(chunk.data['t']))) throw new TypeError('no such event');
              return add(chunk);
            },
          };
        },
      })),
  ],
  [
    'takes any end for the end',
    ['cut'],
    (at) =>
      acme(at, ({ accumulate }) => ({
        accumulate: () => {
          const { add, end } = accumulate();
          return {
            add,
            end: () => {
              try {
                return end();
              } catch {
                add({ data: { t: 'end', stop: 'done' } });
                return end();
              }
            },
          };
        },
      })),
  ],
  ['ends calls too early', ['cut', 'events'], streaming(endedEarly)],
  ['does not know a broken stream', ['reset'], toErrors(/terminated|closed/)],
  ['mixes answers', ['concurrent'], mixing],
  [
    'counts events from one',
    ['events'],
    streaming((event) => [{ ...event, sequence_number: event.sequence_number + 1 }]),
  ],
  ['forgets what was created', ['events'], renumbered(({ type }) => type !== 'response.created')],
  ['forgets to add items', ['events', 'fold'], renumbered(({ type }) => type !== 'response.output_item.added')],
  ['forgets to end items', ['events', 'fold'], renumbered(({ type }) => type !== 'response.output_item.done')],
  ['forgets parts', ['events'], renumbered(({ type }) => type !== 'response.content_part.added')],
  ['has no terminal event', ['events'], renumbered(({ type }) => !/^response\.(completed|incomplete)$/.test(type))],
  [
    'is done twice',
    ['events'],
    streaming((event) =>
      event.type === 'polyrun:response_done'
        ? [event, { ...event, sequence_number: event.sequence_number + 1 }]
        : [event],
    ),
  ],
  [
    'mislabels deltas',
    ['events'],
    streaming((event) => ('delta' in event ? [{ ...event, item_id: 'other' }] : [event])),
  ],
  ['tells another text', ['fold'], streaming((event) => [renamed(event)])],
  [
    'changes the request',
    ['frozen'],
    encoding((body, { input }) => {
      for (const item of input) if (Object.isExtensible(item) && input.length > 1) Object.assign(item, { seen: true });
      return body;
    }),
  ],
  [
    'needs to change the request',
    ['frozen'],
    encoding((body, { input }) => {
      for (const item of input) if (Object.isFrozen(item)) Object.assign(item, { seen: true });
      return body;
    }),
  ],
  ['drops instructions', ['instructions'], encoding((body) => ({ ...body, system: '' }))],
  [
    'drops descriptions',
    ['tools'],
    encoding((body) => ({ ...body, tools: (body['tools'] as object[]).map((tool) => ({ ...tool, description: '' })) })),
  ],
  [
    'drops hosted tools',
    ['hosted-tools'],
    requested((request) => ({ ...request, tools: request.tools.filter(({ type }) => type === 'function') })),
  ],
  ['drops the schema of the answer', ['output'], encoding(({ format: _, ...body }) => body)],
  ['drops conversations', ['server-state'], requested(({ conversationId: _, ...request }) => request)],
  ['drops the previous response', ['server-state'], encoding(({ after: _, ...body }) => body)],
  ['hides the request from the tap', ['tap'], tapping(({ kind }) => kind !== 'request')],
  ['hides chunks from the tap', ['tap'], tapping(({ kind }) => kind !== 'chunk')],
  ['drops the temperature', ['settings'], encoding(({ heat: _, ...body }) => body)],
  ['says nothing of the seed', ['settings'], reporting(({ name }) => name !== 'seed')],
  ['drops its own options', ['provider-options'], encoding(({ kit_option: _, ...body }) => body)],
  [
    'spreads the options of others',
    ['provider-options'],
    encoding((body, { settings }) => ({
      ...body,
      ...Object.assign({}, ...Object.values(settings.providerOptions ?? {})),
    })),
  ],
  ['does as it likes', ['strict'], asking(({ capabilityMode: _, ...request }) => request)],
  ['previews nothing', ['preview'], (at) => changed(acme(at), { preview: () => [] })],
  [
    'sends empty texts',
    ['generated'],
    turns((turn) =>
      turn.who === 'tool' && turn.parts?.[0]?.['text'] === '(none)' ? { ...turn, parts: [{ text: '' }] } : turn,
    ),
  ],
  [
    'loses words of the user',
    ['generated'],
    turns((turn) =>
      turn.who === 'user' && String(turn.parts?.[0]?.['text']).startsWith('word') ? { ...turn, parts: [] } : turn,
    ),
  ],
  ['sends ids as they are', ['wire-ids'], encoding((body, { input }) => withIds(body, input))],
  [
    'forgets whose output it is',
    ['wire-ids'],
    turns((turn) => (turn.who === 'tool' ? { ...turn, answers: 'call' } : turn)),
  ],
  ['numbers its bodies', ['deterministic', 'prefix'], encoding((body) => ({ ...body, nonce: crypto.randomUUID() }))],
  ['puts the newest first', ['prefix'], encoding((body) => ({ ...body, turns: body.turns.toReversed() }))],
  ['counts turns', ['prefix'], encoding((body) => ({ ...body, count: body.turns.length }))],
  [
    'repeats the data of others',
    ['foreign'],
    asking((request) => {
      const data = request.input.flatMap(({ provider_data }) => provider_data ?? []);
      return data.length === 0 ? request : { ...request, settings: { providerOptions: { acme: { data } } } };
    }),
  ],
  [
    'drops what others said',
    ['foreign'],
    requested((request) => ({
      ...request,
      input: request.input.filter(({ origin }) => origin?.provider !== 'kit-stranger'),
    })),
  ],
  ['keeps seals to itself', ['replay'], turns((turn) => ({ ...turn, seal: undefined }))],
  [
    'drops images',
    ['media'],
    turns(({ parts, ...turn }) => ({ ...turn, ...(parts && { parts: parts.filter((part) => !('image' in part)) }) })),
  ],
  ['says nothing of media of tools', ['media'], reporting(({ name }) => name !== 'function_call_output')],
  [
    'takes a quota for a limit',
    ['error-kinds'],
    failing((error) => (error.kind === 'quota' ? remade(error, { kind: 'rate_limit' }) : error)),
  ],
  ['loses the status', ['reading', 'error-kinds'], failing((error) => remade(error, { status: undefined }))],
  ['does not see when to come back', ['error-facts'], failing((error) => remade(error, { retryAfterMs: undefined }))],
  ['quotes keys and prompts', ['secrets'], (at) => acme(at, () => ({ redact: (text) => text }))],
  ['keeps the request in the error', ['secrets'], failing((error, request) => remade(error, { cause: { request } }))],
  [
    'retries by itself',
    ['one-request'],
    (at) =>
      acme(at, ({ fetch }) => ({
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          return response.status >= 500 ? fetch(url, init) : response;
        },
      })),
  ],
  [
    'takes anything for an answer',
    ['no-answer'],
    (at) => acme(at, ({ decode }) => ({ decode: (reply) => decode({ ...reply, data: { calls: [], ...reply.data } }) })),
  ],
  [
    'overlooks errors in streams',
    ['reading', 'stream-error'],
    (at) =>
      acme(at, ({ errorIn }) => ({ errorIn: (body, facts) => (isStreamed(body) ? undefined : errorIn(body, facts)) })),
  ],
  ['does not know a refused connection', ['refused'], toErrors(/ECONNREFUSED/)],
  [
    'sends before it looks at the signal',
    ['abort-before'],
    (at) =>
      acme(at, ({ fetch }) => ({
        fetch: async (url, { signal, ...init }) => {
          if (signal?.aborted)
            await Promise.race([
              fetch(url, init).catch(() => undefined),
              fetch(url, init).catch(() => undefined),
              later(),
            ]);
          return fetch(url, { signal: signal ?? null, ...init });
        },
      })),
  ],
  [
    'ignores the signal',
    ['abort-before', 'abort-waiting', 'abort-streaming'],
    (at) => acme(at, ({ fetch }) => ({ fetch: (url, { signal: _, ...init }) => fetch(url, init) })),
  ],
  ['ends quietly on an abort', ['abort-streaming'], quiet],
  ['remembers aborts', ['abort-after'], remembering],
  ['lets requests run on', ['leaving'], (at) => acme(at, () => ({ lines: looseLines }))],
];
