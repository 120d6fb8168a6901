import { ModelError, type Item, type ModelEvent } from '@polyrun/core';
import { json } from '@polyrun/wires/endpoint';
import { corpusMissing } from '@polyrun/wires/corpus';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import {
  block,
  decoded,
  encoded,
  events,
  message,
  stored,
  stream,
  streamed,
  textDelta,
  user,
} from './support/endpoint.ts';
import { anthropicCassettes } from './support/wire.ts';

const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } };
const found = {
  type: 'web_search_tool_result',
  tool_use_id: 'srvtoolu_1',
  content: [{ type: 'web_search_result', encrypted_content: 'E', url: 'https://a.test' }],
};
const citation = {
  type: 'web_search_result_location',
  url: 'https://a.test',
  title: 'A',
  encrypted_index: 'I',
  cited_text: 'c',
};

describe('blocks', () => {
  test('every kind becomes an item, in order; provider blocks that belong together are one', async () => {
    const { output, stop } = await decoded(
      json(
        message(
          [
            { type: 'thinking', thinking: 'Hm', signature: 'S' },
            { type: 'text', text: 'Let me look. ' },
            search,
            found,
            { type: 'text', text: 'It is ' },
            { type: 'text', text: 'so.', citations: [citation] },
            { type: 'redacted_thinking', data: 'D' },
            { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} },
            { type: 'something_new', x: 1 },
          ],
          { stop_reason: 'tool_use' },
        ),
      ),
    );
    expect(output.map(({ type }) => type)).toEqual([
      'reasoning',
      'message',
      'anthropic:web_search_call',
      'message',
      'reasoning',
      'function_call',
      'anthropic:something_new',
    ]);
    expect(output[2]).toMatchObject({
      id: 'srvtoolu_1',
      status: 'completed',
      name: 'web_search',
      arguments: '{"query":"x"}',
      blocks: [search, found],
    });
    expect(output[3]).toMatchObject({
      content: [
        { text: 'It is ', annotations: [] },
        {
          text: 'so.',
          annotations: [{ type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 3 }],
        },
      ],
    });
    expect(output[5]).toMatchObject({ call_id: 'toolu_1', arguments: '{}', status: 'completed' });
    expect(stop).toEqual({ type: 'tool_calls', raw: 'tool_use' });
  });

  test('a tool that calls another is one item with it; a call that is still running says so', async () => {
    const outer = { type: 'server_tool_use', id: 's1', name: 'code_execution', input: {} };
    const inner = { ...search, id: 's2', caller: { type: 'code_execution_20260120', tool_id: 's1' } };
    const results = [
      { ...found, tool_use_id: 's2' },
      { type: 'code_execution_tool_result', tool_use_id: 's1', content: {} },
    ];
    const whole = await decoded(json(message([outer, inner, ...results])));
    expect(whole.output).toMatchObject([
      { type: 'anthropic:code_execution_call', status: 'completed', blocks: [outer, inner, ...results] },
    ]);
    const paused = await decoded(json(message([outer], { stop_reason: 'pause_turn' })));
    expect(paused.output).toMatchObject([{ status: 'in_progress' }]);
    expect(paused.stop.type).toBe('pause');
  });

  test.each([
    ['end_turn', 'end'],
    ['stop_sequence', 'end'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'pause'],
    ['compaction', 'pause'],
    ['refusal', 'refusal'],
    ['a_new_one', 'end'],
    [null, 'end'],
  ])(verifies('E1', '%j is the stop %s'), async (stop_reason, type) => {
    expect((await decoded(json(message([{ type: 'text', text: 'x' }], { stop_reason })))).stop).toEqual({
      type,
      raw: stop_reason,
    });
  });

  test('a call that the answer ended in is not complete', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } };
    const { output } = await decoded(
      json(message([call, { ...call, id: 'toolu_2', input: {} }], { stop_reason: 'max_tokens' })),
    );
    expect(output).toMatchObject([{ status: 'completed' }, { status: 'incomplete' }]);
  });

  test('usage counts what was cached', async () => {
    const usage = {
      input_tokens: 10,
      output_tokens: 5,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 20,
      output_tokens_details: { thinking_tokens: 3 },
    };
    expect((await decoded(json(message([], { usage })))).usage).toMatchObject({
      inputTokens: 130,
      outputTokens: 5,
      totalTokens: 135,
      inputTokensDetails: { cachedTokens: 100, cacheWriteTokens: 20 },
      outputTokensDetails: { reasoningTokens: 3 },
      source: 'reported',
    });
  });
});

describe('streams', () => {
  test('deltas of every kind, and what nobody knows', async () => {
    const { told, response } = await streamed(
      stream(
        events(
          [
            { type: 'ping' },
            ...block(0, { type: 'thinking', thinking: '', signature: '' }, [
              { type: 'thinking_delta', thinking: 'H' },
              { type: 'thinking_delta', thinking: 'm', estimated_tokens: 5 },
              { type: 'signature_delta', signature: 'SIG' },
            ]),
            ...block(1, { type: 'text', text: '' }, [textDelta('It is '), { type: 'citations_delta', citation }]),
            ...block(2, { type: 'text', text: '' }, [textDelta('so.')]),
            ...block(3, { ...search, input: {} }, [
              { type: 'input_json_delta', partial_json: '{"query":' },
              { type: 'input_json_delta', partial_json: '"x"}' },
            ]),
            ...block(4, found),
            ...block(5, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }, [
              { type: 'input_json_delta', partial_json: '' },
              { type: 'input_json_delta', partial_json: '{"a": 1}' },
            ]),
            ...block(6, { type: 'new_kind', word: '' }, [
              { type: 'new_delta', word: 'on' },
              { type: 'new_delta', word: 'e', n: 2 },
            ]),
            { type: 'new_event', x: 1 },
          ],
          { stop: 'tool_use', usage: { input_tokens: 12 } },
        ),
      ),
    );
    expect(response.output).toMatchObject([
      { type: 'reasoning', content: [{ text: 'Hm' }], encrypted_content: 'SIG' },
      { type: 'message', content: [{ text: 'It is ', annotations: [{ url: 'https://a.test' }] }, { text: 'so.' }] },
      { type: 'anthropic:web_search_call', blocks: [search, found] },
      { type: 'function_call', arguments: '{"a": 1}' },
      { type: 'anthropic:new_kind', blocks: [{ type: 'new_kind', word: 'one', n: 2 }] },
    ]);
    expect(response.usage).toMatchObject({ inputTokens: 12, outputTokens: 7 });
    expect(told.filter(({ type }) => type === 'polyrun:provider_event')).toHaveLength(3);
    expect(foldedTexts(told)).toEqual(['Hm', 'It is |so.', '', '{"a": 1}', '']);
  });

  test('a message may begin with all its content', async () => {
    const content = [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } }];
    const { response } = await streamed(
      stream([
        { type: 'message_start', message: message(content, { stop_reason: 'tool_use' }) },
        { type: 'message_stop' },
      ]),
    );
    expect(response.output).toMatchObject([{ type: 'function_call', arguments: '{"a":1}', status: 'completed' }]);
    expect(response.stop.type).toBe('tool_calls');
  });

  test('a repeated beginning changes nothing; another message within the first is an error that may be tried again', async () => {
    const parts = events([...block(0, { type: 'text', text: '' }, [textDelta('Hi')])]);
    const twice = [parts[0], ...parts.slice(0, 4), parts[0], ...parts.slice(4)];
    expect((await streamed(stream(twice))).response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
    const other = { type: 'message_start', message: { ...message([]), id: 'msg_2' } };
    const mixed = streamed(stream([...parts.slice(0, 3), other, ...parts.slice(3)]));
    await expect(mixed).rejects.toMatchObject({ kind: 'protocol', retryable: true });
  });

  test('a call whose block was never ended is not complete', async () => {
    const [start, delta] = block(0, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }, [
      { type: 'input_json_delta', partial_json: '{}' },
    ]);
    const { response } = await streamed(stream(events([start as object, delta as object], { stop: 'tool_use' })));
    expect(response.output).toMatchObject([{ type: 'function_call', status: 'incomplete' }]);
  });

  test('a body that was not streamed is read all the same, and a stream that nobody asked for', async () => {
    const { response } = await streamed(json(message([{ type: 'text', text: 'Hi' }])));
    expect(response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
    const parts = events([...block(0, { type: 'text', text: '' }, [textDelta('Hi')])]);
    expect((await decoded(stream(parts))).output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test(verifies('E1', 'an error in a stream is told by its kind'), async () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const failed = streamed(
      stream([...events([...block(0, { type: 'text', text: '' }, [textDelta('Hi')])]).slice(0, 3), error]),
    );
    await expect(failed).rejects.toBeInstanceOf(ModelError);
    await expect(failed).rejects.toMatchObject({ kind: 'overloaded', retryable: true });
  });
});

describe.skipIf(corpusMissing !== undefined)('recorded answers', () => {
  const bodies = (corpusMissing === undefined ? anthropicCassettes() : []).flatMap(({ id, exchanges }) =>
    exchanges.flatMap(({ index, response }) =>
      response.status === 200 && response.body
        ? [{ id: `${id}/${index}`, body: response.body as { content: { type: string; text?: string }[] } }]
        : [],
    ),
  );

  test.each(bodies)(verifies('X2', '$id goes back as it came, through storage'), async ({ body }) => {
    const { output } = await decoded(json(body));
    const calls = output.flatMap((item): Item[] =>
      item.type === 'function_call' ? [{ type: 'function_call_output', call_id: item.call_id, output: 'done' }] : [],
    );
    const { messages } = await encoded({
      input: [user('go'), ...stored(output), ...calls, user('and?')],
      settings: { cache: 'none' },
    });
    const sent = messages.filter(({ role }) => role === 'assistant').flatMap(({ content }) => content);
    expect(sent).toEqual(withoutLoose(body.content).map(plain));
  });

  test.each(bodies.slice(0, 60))(verifies('S1', '$id is the same when it is streamed'), async ({ body }) => {
    const whole = await decoded(json(body));
    const { response } = await streamed(stream(asEvents(body)));
    expect(response).toEqual(whole);
  });
});

/** What the API would refuse when the turn is over is not sent: blank texts, and tools of its own without a result or a call. */
function withoutLoose(
  content: { [field: string]: unknown; type: string; text?: string }[],
): { [field: string]: unknown }[] {
  const has = (id: unknown) => content.some((each) => each['id'] === id || each['tool_use_id'] === id);
  return content.filter((each) => {
    if (each.type === 'text') return each.text?.trim() !== '';
    if (/^(server|mcp)_tool_use$/.test(each.type)) return content.some((other) => other['tool_use_id'] === each['id']);
    return (
      !each.type.endsWith('_tool_result') ||
      has(each['tool_use_id']) === content.some((other) => other['id'] === each['tool_use_id'])
    );
  });
}

/** A text without citations says nothing of them. */
function plain(each: { [field: string]: unknown }): object {
  return Object.fromEntries(
    Object.entries(each).filter(
      ([field, value]) => field !== 'citations' || (Array.isArray(value) && value.length > 0),
    ),
  );
}

/** An unstreamed answer as a stream might have brought it. */
function asEvents(body: { content: { [field: string]: unknown; type: string }[] }): object[] {
  const { content, ...rest } = body as {
    content: { [field: string]: unknown; type: string }[];
    stop_reason?: unknown;
    usage?: unknown;
  };
  const blocks = content.flatMap((each, index) => {
    const { type, text, thinking, signature, input, citations } = each;
    if (type === 'text')
      return block(index, { type, text: '' }, [
        ...halves(String(text)).map(textDelta),
        ...((citations ?? []) as object[]).map((one) => ({ type: 'citations_delta', citation: one })),
      ]);
    if (type === 'thinking')
      return block(index, { type, thinking: '', signature: '' }, [
        ...halves(String(thinking)).map((piece) => ({ type: 'thinking_delta', thinking: piece })),
        { type: 'signature_delta', signature },
      ]);
    if (input !== undefined)
      return block(
        index,
        { ...each, input: {} },
        halves(JSON.stringify(input)).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      );
    return block(index, each);
  });
  return [
    {
      type: 'message_start',
      message: { ...rest, content: [], stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } },
    },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason: rest.stop_reason }, usage: rest.usage },
    { type: 'message_stop' },
  ];
}

function halves(text: string): string[] {
  const half = Math.ceil(text.length / 2);
  return [text.slice(0, half), text.slice(half)];
}

/** The text of each item as its deltas tell it, parts apart. */
function foldedTexts(told: readonly ModelEvent[]): string[] {
  const items: string[][] = [];
  for (const event of told) {
    if (event.type === 'response.output_item.added') items[event.output_index] = [];
    if (!('delta' in event)) continue;
    const part = 'content_index' in event ? event.content_index : 0;
    const texts = items[event.output_index] as string[];
    texts[part] = (texts[part] ?? '') + event.delta;
  }
  return items.map((texts) => texts.join('|'));
}
