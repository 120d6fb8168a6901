import type { InputPart, Item, ItemCommon, Origin } from '../../protocol/items.ts';

/** Numbers below one, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What generated conversations are made with: `word` gives a text that occurs nowhere else. */
type Making = {
  next: () => number;
  pick: <const T extends readonly [unknown, ...unknown[]]>(values: T) => T[number];
  word: () => string;
};

const origins: readonly [Origin | undefined, ...(Origin | undefined)[]] = [
  undefined,
  { provider: 'openai', api: 'openai-responses', model: 'gpt-5' },
  { provider: 'anthropic', api: 'anthropic-messages', model: 'claude-sonnet-4-5' },
  { provider: 'mistral', api: 'mistral', model: 'mistral-small-latest' },
  { provider: 'groq', api: 'chat-completions', model: 'llama' },
];
const callIds = [
  'call_1',
  'call_2',
  'call_1',
  '',
  'x'.repeat(70),
  'tool:über',
  'abcdefghi',
  'with space',
  '\u{1F600}',
] as const;
const args = ['{}', '{"a":1}', '', '{"a', '[1]', 'null', '{"text":"ü\\u00fc"}'] as const;
const image: InputPart = { type: 'input_image', image_url: 'data:image/png;base64,AA==' };

/**
 * A conversation as crashes, cuts, hand-overs between providers and hand-written histories leave it: sound turns at first, then
 * parts are lost, moved and doubled. The same for the same numbers.
 */
export function damagedLog(next: () => number): Item[] {
  let words = 0;
  const making: Making = {
    next,
    pick: (values) => values[Math.floor(next() * values.length)] ?? values[0],
    word: () => `word${(words++).toString(36)}${Math.floor(next() * 1e6).toString(36)}.`,
  };
  const turns = Array.from({ length: 1 + Math.floor(next() * 5) }, () => turn(making));
  return damaged(turns.flat(), making);
}

/** What a sound conversation grows by in one turn: what the model says and calls, then outputs, or the next word of the user. */
export function nextTurn(turn: number, next: () => number): Item[] {
  const calls = Array.from({ length: Math.floor(next() * 3) }, (_, n) => `call_${turn}_${n}_${'x'.repeat(n * 40)}`);
  const talks = calls.length === 0 || next() < 0.5;
  const words: Item[] = talks ? [{ type: 'message', role: 'assistant', content: `turn ${turn}` }] : [];
  const asked = calls.map((call_id): Item => ({ type: 'function_call', call_id, name: 'probe', arguments: '{}' }));
  const answers = calls.map((call_id): Item => ({ type: 'function_call_output', call_id, output: `done ${turn}` }));
  const user: Item[] =
    calls.length === 0 ? [{ type: 'message', role: 'user', content: `and then, after ${turn}?` }] : [];
  return [...words, ...asked, ...answers, ...user];
}

function turn(making: Making): Item[] {
  const { pick, next } = making;
  const origin = pick(origins);
  const from: ItemCommon = origin ? { origin } : {};
  const calls = Array.from({ length: Math.floor(next() * 3) }, () => pick(callIds));
  return [
    asked(making),
    ...(next() < 0.4 ? [thought(making, from)] : []),
    ...(next() < 0.6 ? [said(making, from)] : []),
    ...(next() < 0.2 ? [hosted(making, from)] : []),
    ...calls.map((call_id): Item => ({
      type: 'function_call',
      call_id,
      name: pick(['probe', 'other']),
      arguments: pick(args),
      ...from,
      ...pick([{}, {}, { status: 'incomplete' } as const]),
    })),
    ...calls.map((call_id): Item => ({ type: 'function_call_output', call_id, output: output(making) })),
    ...(next() < 0.5 ? [said(making, from)] : []),
  ];
}

function asked({ pick, word, next }: Making): Item {
  const role = next() < 0.15 ? pick(['system', 'developer'] as const) : 'user';
  const text = pick(['', word(), word(), `${word()}\n…`]);
  const parts: InputPart[] = [{ type: 'input_text', text }, ...(next() < 0.3 && role === 'user' ? [image] : [])];
  return { type: 'message', role, content: next() < 0.6 ? text : parts };
}

function said({ pick, word }: Making, from: ItemCommon): Item {
  const text = pick(['', word(), '\n']);
  const content = pick([text, [{ type: 'output_text', text }], [{ type: 'refusal', refusal: text }], []] as const);
  return { ...from, type: 'message', role: 'assistant', content };
}

function thought({ pick, word, next }: Making, from: ItemCommon): Item {
  const opaque = next() < 0.5 ? { encrypted_content: word() } : {};
  const content = pick([[], [{ type: 'reasoning_text', text: word() }]] as const);
  const summary = pick([[], [{ type: 'summary_text', text: word() }]] as const);
  return { ...from, type: 'reasoning', summary, content, ...opaque };
}

function hosted({ pick, word }: Making, from: ItemCommon): Item {
  const type = pick(['web_search_call', 'mcp_call', 'anthropic:web_fetch_call', 'acme:thing'] as const);
  return { ...from, type, id: word(), status: 'completed', query: word() };
}

function output({ pick, word }: Making): string | readonly InputPart[] {
  return pick(['', word(), [{ type: 'input_text', text: word() }, image], [image], []]);
}

/** Loses, doubles, moves and cuts. */
function damaged(items: Item[], { next, pick }: Making): Item[] {
  const left = items.filter(() => next() > 0.12);
  for (let times = Math.floor(next() * 3); times > 0; times--) {
    const at = Math.floor(next() * left.length);
    const [moved] = pick(['move', 'double', 'keep'] as const) === 'move' ? left.splice(at, 1) : left.slice(at, at + 1);
    if (moved) left.splice(Math.floor(next() * (left.length + 1)), 0, moved);
  }
  const end = next() < 0.3 ? Math.floor(next() * left.length) : left.length;
  return left.slice(next() < 0.2 ? Math.floor(next() * left.length) : 0, Math.max(1, end));
}
