import type { ModelEvent } from '@polyrun/core';
import { corpusMissing } from '@polyrun/wires/corpus';
import { json, sse, sseText } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { called, decoded, response, said, streamed } from './support/endpoint.ts';
import { asEvents, eventProblems, textsIn, textsTold } from './support/events.ts';
import { recorded } from './support/wire.ts';

type Fields = { readonly [field: string]: unknown };
const types = (events: readonly ModelEvent[]) => events.map(({ type }) => type);
const created = { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } };
const completed = (...output: object[]) => ({ type: 'response.completed', response: response(output) });

describe.skipIf(corpusMissing !== undefined)('recorded', () => {
  const all = (corpusMissing === undefined ? recorded() : []).flatMap(({ id, exchanges }) =>
    exchanges.map((exchange) => ({ id: `${id}/${exchange.index}`, ...exchange })),
  );
  const streams = all.filter(
    ({ response: { sse: text, status }, expected }) => text && status === 200 && !expected.error,
  );
  const wholes = all.filter(({ response: { body, status } }) => status === 200 && isDone(body));

  test.each(streams)(
    verifies('S5', '$id: well-formed events, whose deltas make the final items'),
    async ({ id, response: { sse: text = '' } }) => {
      const { events, response: final } = await streamed(sseText(text));
      expect(eventProblems(events)).toEqual([]);
      expect(types(events).slice(-2)).toEqual(['response.completed', 'polyrun:response_done']);
      // One recording was abridged by those who made it.
      if (!id.includes('openai-phase')) expect(textsTold(events)).toEqual(textsIn(final.output));
    },
  );

  test.each(wholes)(verifies('S1', '$id: the same streamed as unstreamed'), async ({ response: { body } }) => {
    const whole = await decoded(json(body));
    const { events, response: final } = await streamed(sse(asEvents(body as Fields)));
    expect(final).toEqual(whole);
    expect(eventProblems(events)).toEqual([]);
    expect(textsTold(events)).toEqual(textsIn(whole.output));
  });
});

function isDone(body: unknown): body is Fields {
  const { status, object } = Object(body) as Fields;
  return object === 'response' && String(status).startsWith('complete');
}

describe('events', () => {
  test('pass through as they came, under one id', async () => {
    const { events } = await streamed(
      sse([
        created,
        {
          type: 'response.output_item.added',
          output_index: 0,
          item: { type: 'message', id: 'a', role: 'assistant', content: [], phase: 'x' },
        },
        {
          type: 'response.content_part.added',
          output_index: 0,
          content_index: 0,
          item_id: 'b',
          part: { type: 'output_text', text: '' },
        },
        {
          type: 'response.output_text.delta',
          output_index: 0,
          content_index: 0,
          item_id: 'c',
          delta: 'hi',
          logprobs: [1],
          obfuscation: 'z',
        },
        { type: 'response.output_item.done', output_index: 0, item: said('hi', { id: 'd', phase: 'x' }) },
        completed(said('hi', { id: 'e', phase: 'x' })),
      ]),
    );
    expect(events[3]).toEqual({
      type: 'response.output_text.delta',
      sequence_number: 3,
      output_index: 0,
      content_index: 0,
      item_id: 'a',
      delta: 'hi',
      logprobs: [1],
      obfuscation: 'z',
    });
    expect(events[1]).toMatchObject({ item: { id: 'a', phase: 'x' } });
    expect(events.at(-1)).toMatchObject({ response: { id: 'resp_1', output: [{ id: 'a', phase: 'x' }] } });
    expect(events.at(-2)).toMatchObject({ type: 'response.completed', response: { output: [{ id: 'e' }] } });
    expect(eventProblems(events)).toEqual([]);
  });

  test.each<[string, object[]]>([
    ['nothing but the end', [completed(said('hi'), called('f', '{}'))]],
    ['items that are only done', [created, done(0, said('hi')), done(1, called('f', '{"a":1}')), completed()]],
    ['deltas without an item', [created, { type: 'response.output_text.delta', delta: 'hi' }, completed(said('hi'))]],
    [
      'texts that are only done',
      [
        created,
        added(0, said('', { content: [] })),
        { type: 'response.output_text.done', item_id: 'msg_1', text: 'hi' },
        done(0, said('hi')),
        completed(said('hi')),
      ],
    ],
    [
      'a text that is done longer than it was told',
      [
        created,
        added(0, said('', { content: [] })),
        delta('h'),
        { type: 'response.output_text.done', item_id: 'msg_1', output_index: 0, content_index: 0, text: 'hi' },
        done(0, said('hi')),
        completed(said('hi')),
      ],
    ],
    [
      'parts and items announced twice',
      [
        created,
        created,
        added(0, said('', { content: [] })),
        added(0, said('', { content: [] })),
        part('added'),
        part('added'),
        delta('hi'),
        part('done'),
        done(0, said('hi')),
        done(0, said('hi')),
        completed(said('hi')),
      ],
    ],
    [
      'an end without output',
      [
        created,
        added(0, said('', { content: [] })),
        delta('hi'),
        done(0, said('hi')),
        { type: 'response.completed', response: { ...response([]), output: undefined } },
      ],
    ],
    [
      'arguments that come after all',
      [
        created,
        added(0, called('f', '')),
        { type: 'response.function_call_arguments.delta', delta: '{"a"', output_index: 0 },
        done(0, called('f', '{"a":1}')),
        completed(called('f', '{"a":1}')),
      ],
    ],
  ])('%s: made well-formed', async (_, told) => {
    const { events, response: final } = await streamed(sse(told, { done: false }));
    expect(eventProblems(events)).toEqual([]);
    expect(textsTold(events)).toEqual(textsIn(final.output));
    expect(types(events).at(-2)).toBe('response.completed');
    expect(final.output.length).toBeGreaterThan(0);
  });

  test('that nobody knows are passed on as the provider’s, and unknown items stay', async () => {
    const quantum = { type: 'quantum_call', id: 'q_1', state: { spin: 0.5 } };
    const { events, response: final } = await streamed(
      sse([
        created,
        { type: 'response.quantum.delta', output_index: 0, delta: { spin: 1 } },
        { type: 'response.output_text.annotation.added', annotation: {} },
        added(0, quantum),
        { type: 'response.content_part.added', output_index: 0, part: { type: 'hologram' } },
        done(0, quantum),
        completed(
          quantum,
          {
            type: 'message',
            role: 'assistant',
            id: 'm',
            content: [
              { type: 'hologram', data: 1 },
              { type: 'output_text', text: 'a' },
            ],
          },
          { id: 'typeless' },
        ),
        { type: 'response.after' },
      ]),
    );
    const theirs = events.filter((event) => event.type === 'polyrun:provider_event');
    expect(theirs.map(({ provider, data }) => [provider, (data as Fields)['type']])).toEqual([
      ['openai', 'response.quantum.delta'],
      ['openai', 'response.output_text.annotation.added'],
      ['openai', 'response.content_part.added'],
    ]);
    expect(final.output).toMatchObject([
      { type: 'openai:quantum_call', id: 'q_1', state: { spin: 0.5 } },
      {
        type: 'message',
        content: [{ type: 'output_text' }],
        provider_data: { openai: { content: [{ type: 'hologram', data: 1 }, {}] } },
      },
      { type: 'openai:unknown', id: 'typeless' },
    ]);
    expect(eventProblems(events)).toEqual([]);
  });

  test('encrypted reasoning is the one of the terminal event', async () => {
    const thought = (blob: string) => ({ type: 'reasoning', id: 'rs', summary: [], encrypted_content: blob });
    const { response: final } = await streamed(
      sse([created, added(0, thought('a')), done(0, thought('b')), completed(thought('c'), said('x'))]),
    );
    expect(final.output[0]).toMatchObject({ encrypted_content: 'c' });
  });

  test('a server that does not stream is read all the same', async () => {
    const { events, response: final } = await streamed(json(response([said('hi'), called('f', '{"a":1}')])));
    expect(eventProblems(events)).toEqual([]);
    expect(final.output).toMatchObject([{ type: 'message' }, { type: 'function_call', arguments: '{"a":1}' }]);
    const asked = await decoded(sse([created, completed(said('hi'))]));
    expect(asked.output).toHaveLength(1);
  });
});

function added(output_index: number, item: object): object {
  return { type: 'response.output_item.added', output_index, item };
}

function done(output_index: number, item: object): object {
  return { type: 'response.output_item.done', output_index, item };
}

function delta(text: string): object {
  return { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: text };
}

function part(what: string): object {
  return {
    type: `response.content_part.${what}`,
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: what === 'done' ? 'hi' : '' },
  };
}

describe('the end of a response', () => {
  test.each<[string, object, [string, string | null]]>([
    ['a text', response([said('a')]), ['end', 'completed']],
    ['calls', response([said('a'), called('f', '{}')]), ['tool_calls', 'completed']],
    [
      'a custom call',
      response([{ type: 'custom_tool_call', call_id: 'c', name: 'n', input: '' }]),
      ['tool_calls', 'completed'],
    ],
    ['nothing', response([]), ['end', 'completed']],
    ['a refusal', response([said('', { content: [{ type: 'refusal', refusal: 'no' }] })]), ['refusal', 'completed']],
    [
      'a text and a refusal',
      response([said('a'), said('', { content: [{ type: 'refusal', refusal: 'no' }] })]),
      ['end', 'completed'],
    ],
    ['too many tokens', response([said('a')], cut('max_output_tokens')), ['length', 'incomplete']],
    ['a filter', response([said('a')], cut('content_filter')), ['content_filter', 'incomplete']],
    ['something else', response([said('a')], cut('weather')), ['other', 'incomplete']],
    ['a person', response([], { status: 'cancelled' }), ['other', 'cancelled']],
    ['not yet', response([said('a')], { status: 'in_progress', usage: null }), ['pause', 'in_progress']],
    ['not even begun', { id: 'resp_1', status: 'queued', model: 'm' }, ['pause', 'queued']],
    ['another word', response([said('a')], { status: 'complete' }), ['end', 'complete']],
    ['no word', response([said('a')], { status: undefined }), ['end', null]],
  ])(verifies('E1', '%s: stop kind and raw value'), async (_, body, [type, raw]) => {
    expect((await decoded(json(body))).stop).toEqual({ type, raw });
  });

  test('a call that was cut off is incomplete, one that ended before is not', async () => {
    const half = { ...called('g', '{"a', 'call_2'), status: 'in_progress' };
    const { output } = await decoded(json(response([called('f', '{}'), half], cut('max_output_tokens'))));
    expect(output.map(({ status }) => status)).toEqual(['completed', 'incomplete']);
  });

  test('usage counts cached, written and reasoned tokens; without any it is an estimate', async () => {
    const { usage } = await decoded(
      json(
        response([said('a')], {
          usage: {
            input_tokens: 100,
            input_tokens_details: { cached_tokens: 60, cache_write_tokens: 20 },
            output_tokens: 9,
            output_tokens_details: { reasoning_tokens: 7 },
            total_tokens: 109,
          },
        }),
      ),
    );
    expect(usage).toEqual({
      requests: 1,
      inputTokens: 100,
      outputTokens: 9,
      totalTokens: 109,
      inputTokensDetails: { cachedTokens: 60, cacheWriteTokens: 20 },
      outputTokensDetails: { reasoningTokens: 7 },
      source: 'reported',
    });
    expect((await decoded(json(response([], { usage: null })))).usage.source).toBe('estimated');
  });

  test('what a server leaves out is supplied', async () => {
    const { output, id, model } = await decoded(
      json({
        status: 'completed',
        output: [
          { type: 'reasoning', id: 'rs' },
          { type: 'message', content: null },
          { type: 'function_call', name: 'f', arguments: { a: 1 } },
        ],
      }),
    );
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [] },
      { type: 'message', role: 'assistant', content: [] },
      { type: 'function_call', name: 'f', arguments: '{"a":1}', call_id: 'call_1' },
    ]);
    expect([id, model]).toEqual([undefined, 'gpt-5.6']);
  });

  test('what xAI’s search does inside is no call for us', async () => {
    const call = {
      type: 'custom_tool_call',
      call_id: 'xs_1',
      id: 'ctc_1',
      name: 'x_keyword_search',
      input: '{}',
      status: 'completed',
    };
    const { output, stop } = await decoded(json(response([call, said('a')])), {
      name: 'xai',
      baseURL: 'https://example.test/v1',
    });
    expect(output[0]).toMatchObject({ ...call, type: 'xai:custom_tool_call' });
    expect(stop.type).toBe('end');
  });
});

function cut(reason: string): object {
  return { status: 'incomplete', incomplete_details: { reason } };
}
