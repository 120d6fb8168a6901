import { describe, expect, test } from 'vitest';
import { chatCassettes } from './support/wire.ts';
import { corpusMissing, type Exchange } from '@polyrun/wires/corpus';
import { decoded, streamed } from './support/endpoint.ts';
import { flattened, folded, json, sse } from '@polyrun/wires/endpoint';

describe.skipIf(corpusMissing !== undefined)('a recorded answer', () => {
  const answers = (corpusMissing === undefined ? chatCassettes() : [])
    .flatMap(({ id, exchanges }) => exchanges.map((exchange) => ({ id: `${id}/${exchange.index}`, exchange })))
    .filter(({ exchange }) => isAnswer(exchange));

  test.each(answers)('$id is the same streamed as unstreamed', async ({ exchange }) => {
    const body = exchange.response.body as { choices: { index?: number; message?: object }[] };
    const whole = await decoded(json(body));
    const { events, response } = await streamed(sse(asChunks(body)));
    expect(response.output).toEqual(whole.output);
    expect(response.usage).toEqual(whole.usage);
    expect(response.stop.type).toBe(whole.stop.type);
    expect(folded(events)).toEqual(flattened(whole));
  });
});

function isAnswer({ streaming, response, expected }: Exchange): boolean {
  return !streaming && response.status === 200 && !expected.error && !expected.malformed;
}

/** An unstreamed body as a stream might have brought it: texts in three pieces, calls in two. */
function asChunks(body: { choices: { index?: number; message?: object }[] }): object[] {
  const { choices, ...rest } = body;
  const choice = choices.find(({ index }) => index === 0) ?? choices[0] ?? {};
  const { message = {}, ...end } = choice;
  const deltas: object[] = Object.entries(message).flatMap(([field, value]: [string, unknown]) => {
    if (field === 'tool_calls' && Array.isArray(value)) return value.flatMap(callChunks);
    const grows = ['content', 'refusal', 'reasoning', 'reasoning_content'].includes(field);
    return grows && typeof value === 'string'
      ? thirds(value).map((piece) => ({ [field]: piece }))
      : [{ [field]: value }];
  });
  // Reasoning comes first on every wire; the recorded bodies have their fields in alphabetical order.
  const opening = /^(reasoning|extra_content|thought)/;
  const first = deltas.filter((fields) => opening.test(Object.keys(fields)[0] ?? ''));
  const others = deltas.filter((fields) => !first.includes(fields));
  const calls = others.filter((fields) => 'tool_calls' in fields || 'function_call' in fields);
  const texts = others.filter((fields) => !(calls as object[]).includes(fields));
  const chunks = [...first, ...texts, ...calls].map((fields) => ({
    ...rest,
    usage: null,
    choices: [{ index: 0, delta: fields }],
  }));
  return [...chunks, { ...rest, choices: [{ ...end, index: 0, delta: {} }] }];
}

function callChunks(entry: unknown, index: number): object[] {
  const { function: called, ...rest } = entry as { function: { name: string; arguments?: string } };
  const whole = called.arguments ?? '';
  const half = Math.floor(whole.length / 2);
  return [
    { tool_calls: [{ ...rest, index, function: { name: called.name, arguments: whole.slice(0, half) } }] },
    { tool_calls: [{ index, function: { arguments: whole.slice(half) } }] },
  ];
}

function thirds(text: string): string[] {
  const size = Math.ceil(text.length / 3) || 1;
  return [text.slice(0, size), text.slice(size, 2 * size), text.slice(2 * size)];
}
