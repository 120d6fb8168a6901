import { sse } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { called, response, said, streamed } from './support/endpoint.ts';
import { eventProblems, textsIn, textsTold } from './support/events.ts';

const at = { output_index: 0, content_index: 0, item_id: 'msg_1' };
const created = { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } };
const delta = (text: string, more: object = {}) => ({
  type: 'response.output_text.delta',
  ...at,
  delta: text,
  ...more,
});
const added = (item: object, output_index: number | undefined = 0) => ({
  type: 'response.output_item.added',
  output_index,
  item,
});
const done = (item: object, output_index: number | undefined = 0) => ({
  ...added(item, output_index),
  type: 'response.output_item.done',
});
const args = (text: string, more: object = {}) => ({
  type: 'response.function_call_arguments.delta',
  output_index: 0,
  delta: text,
  ...more,
});
const argsDone = (text: string) => ({
  type: 'response.function_call_arguments.done',
  output_index: 0,
  arguments: text,
});
const refusal = (text: string) => ({ ...delta(text), type: 'response.refusal.delta' });
const inReasoning = { output_index: 0, item_id: 'rs_1' };
const summary = (text: string, more: object = {}) => ({
  type: 'response.reasoning_summary_text.delta',
  ...inReasoning,
  summary_index: 0,
  delta: text,
  ...more,
});
const reasoning = (text: string) => ({
  type: 'response.reasoning_text.delta',
  ...inReasoning,
  content_index: 0,
  delta: text,
});
const part = (more: object) => ({
  type: 'response.content_part.added',
  ...at,
  part: { type: 'output_text', text: '' },
  ...more,
});
const thought = (text: string) => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: text === '' ? [] : [{ type: 'summary_text', text }],
});
const unnamed = (name: string, text: string, callId: string) => ({ ...called(name, text, callId), id: undefined });
const completed = (...output: object[]) => ({ type: 'response.completed', response: response(output) });

describe('streams of servers that speak this wire', () => {
  test(verifies('S5', 'that number their items otherwise tell each once'), async () => {
    const item = said('Hi');
    const { events, response: final } = await streamed(
      sse([
        created,
        { type: 'response.output_item.added', output_index: 2, item: { ...item, content: [] } },
        delta('Hi', { output_index: 2 }),
        { type: 'response.output_item.done', output_index: 2, item },
        completed(item, said('More', { id: 'msg_2' })),
      ]),
    );
    expect(eventProblems(events)).toEqual([]);
    expect(final.output.map(({ id }) => id)).toEqual(['msg_1', 'msg_2']);
    expect(textsTold(events).filter((text) => text !== undefined)).toEqual(textsIn(final.output));
  });

  test('that never begin an item name it all the same', async () => {
    const { events, response: final } = await streamed(sse([created, delta('H'), delta('i'), completed(said('Hi'))]));
    expect(eventProblems(events)).toEqual([]);
    expect(final.output).toMatchObject([{ id: 'msg_1', content: [{ text: 'Hi' }] }]);
  });

  test('that leave out a call which nothing ended may be tried again: it may not have been whole', async () => {
    const begun = { type: 'response.output_item.added', output_index: 0, item: called('f', '') };
    const lost = streamed(sse([created, begun, args('{"a":1}'), completed()]));
    await expect(lost).rejects.toMatchObject({ kind: 'protocol', retryable: true });
  });

  test.each<[string, object[], string[]]>([
    // OpenAI's server for Codex.
    ['a text and leave it out of the end', [created, delta('H'), delta('i'), completed()], ['Hi']],
    ['a refusal and leave it out of the end', [created, refusal('No'), completed()], ['No']],
    [
      'a summary and leave it out of the end',
      [created, summary('Hm'), delta('Hi', { output_index: 1 }), completed()],
      ['Hm', 'Hi'],
    ],
    [
      'a call whole and leave it out of the end',
      [created, added(called('f', '')), args('{"a":1}'), argsDone('{"a":1}'), completed()],
      ['{"a":1}'],
    ],
    [
      'arguments that the item lacks',
      [created, added(called('f', '')), args('{"a":1}'), done(called('f', '')), completed()],
      ['{"a":1}'],
    ],
    [
      'arguments that the item lacks at the end too',
      [created, added(called('f', '')), args('{"a":1}'), done(called('f', '')), completed(called('f', ''))],
      ['{"a":1}'],
    ],
    ['a text that the item lacks', [created, delta('Hi'), done(said('', { content: [] })), completed()], ['Hi']],
    // Proxies that translate chat completions, LiteLLM among them.
    [
      'all items under one number',
      [created, done(said('Hi')), done(called('f', '{"a":1}')), done(called('g', '{}', 'call_2')), completed()],
      ['Hi', '{"a":1}', '{}'],
    ],
    [
      'two items under one number in turn',
      [
        created,
        added(said('', { content: [] })),
        added(called('f', '')),
        delta('H'),
        args('{"a":1}', { item_id: 'fc_call_1' }),
        delta('i'),
        done(said('Hi')),
        done(called('f', '{"a":1}')),
        completed(),
      ],
      ['Hi', '{"a":1}'],
    ],
    [
      'a summary under the number of a message, under a new id each time',
      [
        created,
        added(said('', { content: [] })),
        summary('H'),
        summary('m', { item_id: 'rs_2' }),
        delta('Hi'),
        done(said('Hi')),
        completed(),
      ],
      ['Hi', 'Hm'],
    ],
    [
      'items in another order than the end',
      [created, delta('Hi'), summary('Hm', { output_index: 1 }), completed(thought('Hm'), said('Hi'))],
      ['Hi', 'Hm'],
    ],
    // llama.cpp's server: neither numbers nor ids of calls, which end together.
    [
      'calls without numbers and ids',
      [
        created,
        added(unnamed('f', '', 'fc_1'), undefined),
        args('{"a":1}', { output_index: undefined, item_id: 'fc_1' }),
        added(unnamed('g', '', 'fc_2'), undefined),
        args('{"b":2}', { output_index: undefined, item_id: 'fc_2' }),
        done(unnamed('f', '{"a":1}', 'fc_1'), undefined),
        done(unnamed('g', '{"b":2}', 'fc_2'), undefined),
        completed(),
      ],
      ['{"a":1}', '{"b":2}'],
    ],
    // vLLM's server.
    [
      'a part of a message in reasoning',
      [
        created,
        added({ ...thought(''), content: null }),
        part({ item_id: 'rs_1' }),
        reasoning('Hm'),
        completed({ type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] }),
      ],
      ['Hm'],
    ],
    [
      'items that are nothing',
      [
        created,
        { type: 'response.output_item.added', output_index: 0, item: null },
        delta('Hi', { output_index: 1 }),
        completed(said('Hi')),
      ],
      ['Hi'],
    ],
    [
      'the end as response.done',
      [created, done(said('Hi')), { ...completed(said('Hi')), type: 'response.done' }],
      ['Hi'],
    ],
    [
      'parts as chat completions call them',
      [created, completed(said('', { content: [{ type: 'text', text: 'Hi' }] }))],
      ['Hi'],
    ],
  ])(verifies('S5', 'that tell %s are read, and their deltas make the final items'), async (_, told, texts) => {
    const { events, response: final } = await streamed(sse(told, { done: false }));
    expect(eventProblems(events)).toEqual([]);
    expect(textsTold(events)).toEqual(texts);
    expect(textsIn(final.output)).toEqual(texts);
    expect(final.output.filter(({ type, status }) => type === 'function_call' && status !== 'completed')).toEqual([]);
  });

  test.each<[string, object, object]>([
    [
      'by response.done, cut off',
      response([], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }),
      { type: 'length' },
    ],
    ['by response.cancelled', response([], { status: 'cancelled' }), { type: 'other', raw: 'cancelled' }],
  ])(verifies('E1', 'that end %s keep what was told, and no call of it is complete'), async (name, ended, stop) => {
    const type = name.includes('cancelled') ? 'response.cancelled' : 'response.done';
    const told = [created, delta('H'), added(called('f', ''), 1), args('{"a"', { output_index: 1 })];
    const { events, response: final } = await streamed(sse([...told, { type, response: ended }]));
    expect(events.at(-2)).toMatchObject({ type: 'response.incomplete' });
    expect(final).toMatchObject({ output: [{ type: 'message' }, { status: 'incomplete', arguments: '{"a"' }], stop });
  });

  test('that name the type of an event beside its data alone are read', async () => {
    const events = [created, delta('Hi'), completed(said('Hi'))].map((event) => {
      const { type, ...data }: { type: string } = event as { type: string };
      return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    });
    expect((await streamed(sse(events))).response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test('that keep the connection alive with events of their own are read on', async () => {
    const alive = { type: 'keepalive', sequence_number: 3 };
    const { response: final } = await streamed(sse([created, alive, delta('Hi'), alive, completed(said('Hi'))]));
    expect(final.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });
});
