import type { InputPart, Item } from '@polyrun/core';

/** A stream of numbers below one that is the same for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const origins = [
  { provider: 'mistral', api: 'chat-completions', model: 'm' },
  { provider: 'openai', api: 'openai-responses', model: 'gpt-5' },
  undefined,
];

/** A log as crashes, cuts, hand-overs and hand-written histories leave it. */
export function log(next: () => number): Item[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
  const text = () => pick(['', 'a', 'hello world', '…', '\n']);
  const id = () => pick(['call_1', 'call_2', '', 'x'.repeat(70), 'tool:über', 'abcdefghi']);
  const media: InputPart = { type: 'input_image', image_url: 'data:image/png;base64,AA==' };
  const from = () => ({ origin: pick(origins) });
  const makers: (() => Item)[] = [
    () => ({ type: 'message', role: 'user', content: text() }),
    () => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text: text() }, media] }),
    () => ({ type: 'message', role: pick(['system', 'developer']), content: text() }),
    () => ({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: text() }], ...from() }) as Item,
    () => ({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: text() }], ...from() }) as Item,
    () => ({ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: text() }], ...from() }) as Item,
    () =>
      ({
        type: 'function_call',
        call_id: id(),
        name: 'f',
        arguments: pick(['{}', '', '{"a', '[1]', '{"a":1}']),
        ...from(),
      }) as Item,
    () =>
      ({ type: 'function_call', call_id: id(), name: 'g', arguments: '{}', status: 'incomplete', ...from() }) as Item,
    () => ({ type: 'function_call_output', call_id: id(), output: text() }),
    () => ({ type: 'function_call_output', call_id: id(), output: [{ type: 'input_text', text: text() }, media] }),
    () => ({ type: 'web_search_call', status: 'completed', ...from() }) as Item,
    () => ({ type: 'mistral:thing', data: 1, ...from() }) as Item,
  ];
  return Array.from({ length: Math.floor(next() * 14) + 1 }, () => pick(makers)());
}

/** What one turn adds: the model's words and calls, the outputs, or the next word of the user. */
export function turnOf(turn: number, next: () => number): Item[] {
  const calls = Array.from({ length: Math.floor(next() * 3) }, (_, n) => `call_${turn}_${n}_${'x'.repeat(n * 40)}`);
  const words: Item[] =
    next() < 0.5 || calls.length === 0 ? [{ type: 'message', role: 'assistant', content: `turn ${turn}` }] : [];
  const asked = calls.map((call_id): Item => ({ type: 'function_call', call_id, name: 'f', arguments: '{}' }));
  const answers = calls.map((call_id): Item => ({ type: 'function_call_output', call_id, output: 'done' }));
  const user: Item[] = calls.length === 0 ? [{ type: 'message', role: 'user', content: 'and?' }] : [];
  return [...words, ...asked, ...answers, ...user];
}
