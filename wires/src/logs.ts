import type { InputPart, Item, Origin } from '@polyrun/core';

/** A stream of numbers from 0 to below 1 that is the same for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One model of each wire, as `origin` tells them. */
export const issuers = {
  'openai-responses': { provider: 'openai', api: 'openai-responses', model: 'gpt-5' },
  'anthropic-messages': { provider: 'anthropic', api: 'anthropic-messages', model: 'claude-sonnet-4-5' },
  mistral: { provider: 'mistral', api: 'mistral', model: 'magistral-medium-latest' },
  'chat-completions': { provider: 'deepseek', api: 'chat-completions', model: 'deepseek-reasoner' },
} as const satisfies { [api: string]: Origin };
/** The same wires by others: behind a router, another vendor's cloud, another model. */
const otherIssuers: readonly Origin[] = [
  { provider: 'azure', api: 'openai-responses', model: 'gpt-5-mini' },
  { provider: 'openrouter', api: 'chat-completions', model: 'anthropic/claude-sonnet-4.5' },
  { provider: 'mistral', api: 'chat-completions', model: 'm' },
  { provider: 'groq', api: 'chat-completions', model: 'openai/gpt-oss-120b' },
];

/** Marks that stand in everything opaque: a request that holds one of another issuer has told what only that one may read. */
export function secretOf({ provider, api }: Origin): string {
  return `secret-of-${provider}-${api}-`.padEnd(60, 'x');
}

type Next = () => number;
type Pick = <T>(values: readonly T[]) => T;

const media: InputPart = { type: 'input_image', image_url: 'data:image/png;base64,AA==' };
const medias: readonly InputPart[] = [
  media,
  { type: 'input_image', image_url: 'https://example.test/a.png', detail: 'low' },
  { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
  { type: 'input_file', file_url: 'https://example.test/a.pdf' },
  { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
];

/** A log as crashes, cuts, hand-overs, changes of model and hand-written histories leave it: of 1 to 14 items, all kinds, no order. */
export function log(next: Next): Item[] {
  const pick: Pick = (values) => values[Math.floor(next() * values.length)] as (typeof values)[number];
  const origins = [...Object.values(issuers), ...otherIssuers, undefined];
  return Array.from({ length: Math.floor(next() * 14) + 1 }, () => {
    const makers = [...inputMakers(pick), ...outputMakers(pick), ...modelMakers(pick, pick(origins))];
    return pick(makers)();
  });
}

const texts = ['', 'a', 'hello world', '…', '\n', '🙂'] as const;
const callIds = ['call_1', 'call_2', '', 'x'.repeat(70), 'tool:über', 'abcdefghi'] as const;

function inputMakers(pick: Pick): (() => Item)[] {
  return [
    () => ({ type: 'message', role: 'user', content: pick(texts) }),
    () => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text: pick(texts) }, pick(medias)] }),
    () => ({ type: 'message', role: pick(['user', 'developer']), content: [] }),
    () => ({ type: 'message', role: pick(['system', 'developer']), content: pick(texts) }),
  ];
}

function outputMakers(pick: Pick): (() => Item)[] {
  const ran = () => pick([{}, { provider_data: { polyrun: { arguments: '{"edited":true}' } } }]);
  return [
    () => ({ type: 'function_call_output', call_id: pick(callIds), output: pick(texts), ...ran() }),
    () => ({ type: 'function_call_output', call_id: pick(callIds), output: pick(texts), ...ran() }),
    () => ({
      type: 'function_call_output',
      call_id: pick(callIds),
      output: [{ type: 'input_text', text: pick(texts) }, pick(medias)],
    }),
    () => ({ type: 'function_call_output', call_id: pick(callIds), output: [] }),
    () => ({ type: 'custom_tool_call_output', call_id: pick(callIds), output: pick(texts) }),
    () => ({ type: 'computer_call_output', call_id: pick(callIds), output: screenshot }),
    () => ({ type: 'local_shell_call_output', call_id: pick(callIds), output: pick(texts) }),
  ];
}

const screenshot = { type: 'computer_screenshot', image_url: 'data:image/png;base64,AA==' };

/** What a model says and does, with the ids and opaque parts that its wire leaves on it. */
function modelMakers(pick: Pick, issuer: Origin | undefined): (() => Item)[] {
  const from = marks(issuer);
  const call = (name: string, args: string) =>
    ({ type: 'function_call', call_id: pick(callIds), name, arguments: args }) as const;
  return [
    () => ({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: pick(texts) }],
      ...from('msg'),
    }),
    () => ({ type: 'message', role: 'assistant', content: pick(texts), ...from('msg') }),
    () => ({ type: 'message', role: 'assistant', content: [citing(pick(texts), issuer)], ...from('msg') }),
    () => ({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'refusal', refusal: pick(texts) }],
      ...from('msg'),
    }),
    () => thought(pick(texts), issuer),
    () => thought(pick(texts), issuer),
    () => ({ ...call('f', pick(['{}', '', '{"a', '[1]', '{"a":1}'])), ...from('fc') }),
    () => ({ ...call('f', '{"a":1}'), ...from('fc') }),
    () => ({ ...call('g', '{}'), ...from('fc'), status: 'incomplete' }),
    () => pick(hostedItems(issuer, () => pick(callIds))),
    () => pick(hostedItems(issuer, () => pick(callIds))),
  ];
}

/** What an issuer puts on its items. Hand-written ones have nothing of it. */
function marks(issuer: Origin | undefined): (prefix: string) => { id?: string; origin?: Origin } {
  return (prefix) => (issuer ? { id: `${prefix}_${secretOf(issuer)}`, origin: issuer } : {});
}

function citing(text: string, issuer: Origin | undefined) {
  const encrypted = issuer ? { encrypted_index: secretOf(issuer) } : {};
  const annotation = {
    type: 'url_citation',
    url: 'https://example.test',
    title: 'A',
    start_index: 0,
    end_index: 1,
    ...encrypted,
  };
  return { type: 'output_text', text, annotations: [annotation] } as const;
}

/** Reasoning as the issuer's wire has it: encrypted, signed, or in the open. */
function thought(text: string, issuer: Origin | undefined): Item {
  const shown = text === '' ? {} : { content: [{ type: 'reasoning_text' as const, text }] };
  const item = { type: 'reasoning', summary: [], ...shown, ...marks(issuer)('rs') } as const;
  if (!issuer) return item;
  const secret = secretOf(issuer);
  switch (issuer.api) {
    case 'openai-responses':
      return { ...item, encrypted_content: secret };
    case 'anthropic-messages':
      return { ...item, encrypted_content: secret, provider_data: { [issuer.provider]: { signature: secret } } };
    default:
      return {
        ...item,
        provider_data: { [issuer.provider]: { field: 'reasoning_content', thought_signature: secret } },
      };
  }
}

/** What providers run or define by themselves: opaque to all others. */
function hostedItems(issuer: Origin | undefined, id: () => string): Item[] {
  const from = marks(issuer);
  const secret = issuer ? secretOf(issuer) : 'a';
  const slug = issuer?.provider ?? 'nobody';
  const results = [{ title: 'A', url: 'https://example.test', encrypted_content: secret }];
  if (issuer && issuer.api !== 'openai-responses')
    return [
      { type: `${slug}:thing`, data: { name: 'f', signature: secret }, ...from('x') },
      { type: `${slug}:web_search_call`, query: 'weather', results, ...from('x') },
    ];
  return [
    { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'weather' }, ...from('ws') },
    { type: 'image_generation_call', status: 'completed', result: 'iVBORw0KGgo'.repeat(40), ...from('ig') },
    { type: 'custom_tool_call', call_id: id(), name: 'c', input: 'x', ...from('ctc') },
    {
      type: 'computer_call',
      call_id: id(),
      action: { type: 'screenshot' },
      pending_safety_checks: [],
      status: 'completed',
      ...from('cc'),
    },
    {
      type: 'local_shell_call',
      call_id: id(),
      action: { type: 'exec', command: ['ls'], env: {} },
      status: 'completed',
      ...from('lsh'),
    },
    { type: 'mcp_call', name: 'm', server_label: 's', arguments: '{}', output: 'ok', ...from('mcp') },
    { type: 'compaction', encrypted_content: secret, ...from('cmp') },
    { type: 'item_reference', id: `rs_${secret}` },
    ...(issuer ? [] : [{ type: 'mistral:thing', data: 1 } as const]),
  ];
}

/**
 * A conversation that ends in a tool's output, as one issuer leaves it: reasoning before every call, two calls at once, hosted work, a
 * message with citations. Each of its opaque parts holds `secretOf(issuer)`.
 */
export function history(issuer: Origin): Item[] {
  const from = marks(issuer);
  const calls = ['call_a', 'call_b'].map((call_id): Item => ({
    type: 'function_call',
    call_id,
    name: 'f',
    arguments: '{"x":1}',
    ...from('fc'),
  }));
  const outputs = ['call_a', 'call_b'].map((call_id): Item => ({
    type: 'function_call_output',
    call_id,
    output: 'done',
  }));
  const [searched] = hostedItems(issuer, () => 'call_c');
  return [
    { type: 'message', role: 'user', content: 'go' },
    thought('first look', issuer),
    ...(searched ? [searched] : []),
    { type: 'message', role: 'assistant', content: [citing('looking', issuer)], ...from('msg') },
    { type: 'message', role: 'user', content: 'and now work' },
    thought('work', issuer),
    ...calls,
    ...outputs,
    thought('once more', issuer),
    { type: 'function_call', call_id: 'call_d', name: 'g', arguments: '{}', ...from('fc') },
    { type: 'function_call_output', call_id: 'call_d', output: 'more' },
  ];
}

/** What may befall a log at one place, by name: all that crashes, retries, filters and careless stores do to it. */
export const damages: { readonly [name: string]: (items: readonly Item[], at: number) => Item[] } = {
  cut: (items, at) => items.slice(0, at),
  begun: (items, at) => items.slice(at),
  dropped: (items, at) => items.toSpliced(at, 1),
  doubled: (items, at) => items.toSpliced(at, 0, ...items.slice(at, at + 1)),
  swapped: (items, at) => items.toSpliced(at, 2, ...items.slice(at, at + 2).toReversed()),
  broken: (items, at) => items.toSpliced(at, 0, { type: 'message', role: 'user', content: 'wait' }),
  moved: (items, at) => [...items.toSpliced(at, 1), ...items.slice(at, at + 1)],
};

/** Every damage at every place of a log. */
export function damaged(items: readonly Item[]): { name: string; items: Item[] }[] {
  return Object.entries(damages).flatMap(([name, damage]) =>
    items.map((_, at) => ({ name: `${name} at ${at}`, items: damage(items, at) })),
  );
}

/** What one turn adds: the model's words and calls, the outputs, or the next word of the user. Calls are unique by `turn`. */
export function turnOf(turn: number, next: Next, issuer?: Origin): Item[] {
  const from = marks(issuer);
  const calls = Array.from({ length: Math.floor(next() * 3) }, (_, n) => `call_${turn}_${n}_${'x'.repeat(n * 40)}`);
  const words: Item[] =
    next() < 0.5 || calls.length === 0
      ? [
          {
            type: 'message',
            role: 'assistant',
            content: [{ type: 'output_text', text: `turn ${turn}` }],
            ...from('msg'),
          },
        ]
      : [];
  const thoughts = issuer && next() < 0.5 ? [thought('hm', issuer)] : [];
  const asked = calls.map((call_id): Item => ({
    type: 'function_call',
    call_id,
    name: 'f',
    arguments: '{}',
    ...from('fc'),
  }));
  const answers = calls.map((call_id): Item => ({ type: 'function_call_output', call_id, output: 'done' }));
  const user: Item[] = calls.length === 0 ? [{ type: 'message', role: 'user', content: 'and?' }] : [];
  return [...thoughts, ...words, ...asked, ...answers, ...user];
}
