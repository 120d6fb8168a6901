import type { Item } from '@polyrun/core';
import { folded, flattened, json as whole } from '@polyrun/wires/endpoint';
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

const json = (partial_json: string) => ({ type: 'input_json_delta', partial_json });
const use = (id: string, input: object = {}) => ({ type: 'tool_use', id, name: 'f', input });
const text = { type: 'text', text: '' };
const thought = (thinking: string) => ({ type: 'thinking_delta', thinking });
const signature = (words: string) => ({ type: 'signature_delta', signature: words });
const hello = block(0, text, [textDelta('Hi')]);

/** Events of Go servers that leave out what is zero, or everything. */
function numberless(parts: object[]): object[] {
  return parts.map((part) => ({ ...part, index: undefined }));
}

describe('streams of gateways that speak this wire', () => {
  test.each<[string, object[], string[]]>([
    [
      'every block numbered 0',
      [
        ...block(0, text, [textDelta('Hi')]),
        ...block(0, use('toolu_1'), [json('{"a":'), json('1}')]),
        ...block(0, use('toolu_2'), [json('{"a":2}')]),
      ],
      ['Hi', '{"a":1}', '{"a":2}'],
    ],
    ['an input at the beginning', block(0, use('toolu_1', { a: 1 })), ['{"a":1}']],
    ['an input at the beginning, and again', block(0, use('toolu_1', { a: 1 }), [json('{"a":1}')]), ['{"a":1}']],
    ['texts and thoughts whose blocks are never begun', block(0, text, [textDelta('Hi')]).slice(1), ['Hi']],
    [
      'no number on any block',
      numberless([...hello, ...block(1, use('toolu_1'), [json('{"a":1}')])]),
      ['Hi', '{"a":1}'],
    ],
    [
      'no number on the first block',
      [...numberless(hello), ...block(1, use('toolu_1'), [json('{"a":1}')])],
      ['Hi', '{"a":1}'],
    ],
    // LiteLLM began every answer with a block of text, and Claude Code Router a second thought in the block of a call.
    ['thoughts in a block of text', block(0, text, [thought('Hm'), signature('S'), textDelta('Hi')]), ['Hm', 'Hi']],
    [
      'a text in a block of thoughts',
      block(0, { type: 'thinking', thinking: '' }, [thought('Hm'), textDelta('Hi')]),
      ['Hm', 'Hi'],
    ],
    [
      'thoughts and a text in the block of a call',
      block(0, use('toolu_1'), [json('{"a":'), thought('Hm'), textDelta('Hi'), json('1}')]),
      ['{"a":1}', 'Hm', 'Hi'],
    ],
    ['pieces of blocks in turn', mixed(['H', 'm'], ['H', 'i']), ['Hm', 'Hi']],
    [
      'a signature at the beginning, and again',
      block(0, { type: 'thinking', thinking: '', signature: 'S' }, [thought('Hm'), signature('S')]),
      ['Hm'],
    ],
    ['citations of nothing', block(0, text, [textDelta('Hi'), { type: 'citations_delta', citation: null }]), ['Hi']],
  ])(verifies('S5', 'with %s are read, and their deltas make the final items'), async (_, blocks, texts) => {
    const { told, response } = await streamed(stream(events(blocks)));
    expect(flattened(response).map((item) => item.text)).toEqual(texts);
    expect(folded(told)).toEqual(flattened(response));
    expect(response.output.filter(({ status }) => status !== 'completed')).toEqual([]);
  });

  test('keep the signature of thoughts, wherever they are told, as one', async () => {
    const told = block(0, { ...text, signature: 'S' }, [thought('Hm'), signature('S')]);
    const { response } = await streamed(stream(events(told)));
    expect(response.output).toMatchObject([{ type: 'reasoning', encrypted_content: 'S' }]);
  });

  test('may tell the type of an event in its name alone', async () => {
    const named = events(hello).map((event) => {
      const { type, ...data } = event as { type: string };
      return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    });
    expect((await streamed(stream(named))).response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test('may begin with a message that holds nothing, and end without a word on usage', async () => {
    const [start, ...rest] = events(hello) as [object, ...{ type: string }[]];
    const bare = { ...start, message: { id: 'msg_1', content: null, usage: null } };
    const parts = rest.map((event) => (event.type === 'message_delta' ? { ...event, usage: null } : event));
    const { response } = await streamed(stream([bare, ...parts]));
    expect(response).toMatchObject({ output: [{ content: [{ text: 'Hi' }] }], usage: { source: 'estimated' } });
  });

  test('need no beginning of the message', async () => {
    const { response } = await streamed(stream(events(block(0, text, [textDelta('Hi')])).slice(1)));
    expect(response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test('may close with the mark of another wire', async () => {
    const { response } = await streamed(stream([...events(block(0, text, [textDelta('Hi')])), 'data: [DONE]\n\n']));
    expect(response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test('that tell a message from its beginning once more may be tried again: all of it would count twice', async () => {
    const parts = events(block(0, text, [textDelta('Hi')]));
    const twice = streamed(stream([...parts.slice(0, 4), ...parts]));
    await expect(twice).rejects.toMatchObject({ kind: 'protocol', retryable: true });
  });

  test('that only end are no answer', async () => {
    await expect(streamed(stream([{ type: 'message_stop' }]))).rejects.toMatchObject({ kind: 'protocol' });
    const { response } = await streamed(stream([{ ...message([]), type: 'message' }]));
    expect(response.output).toEqual([]);
  });
});

describe('messages of gateways that speak this wire', () => {
  test.each<[string, object, object]>([
    [
      'without content',
      message([], { content: null, stop_reason: 'refusal' }),
      { output: [], stop: { type: 'refusal' } },
    ],
    ['with a text as content', message([], { content: 'Hi' }), { output: [{ content: [{ text: 'Hi' }] }] }],
    ['with an input as a text', message([use('toolu_1', '{"a":1}' as never)]), { output: [{ arguments: '{"a":1}' }] }],
    [
      'that end as on another wire',
      message([{ ...text, text: 'Hi' }], { stop_reason: 'length' }),
      { output: [{ status: 'incomplete' }], stop: { type: 'length', raw: 'length' } },
    ],
    [
      'that a filter ended',
      message([{ ...text, text: 'Hi' }], { stop_reason: 'content_filter' }),
      { output: [{ status: 'incomplete' }], stop: { type: 'content_filter' } },
    ],
  ])(verifies('E1', '%s are read'), async (_, told, wanted) => {
    expect(await decoded(whole(told))).toMatchObject(wanted);
  });
});

describe('thinking that nobody signed', () => {
  test.each<[string, object[], number]>([
    ['kimi-k2', [{ type: 'thinking', thinking: 'Hm', signature: '' }], 0],
    ['claude-sonnet-4-5', [], 1],
  ])(verifies('X3', 'goes back to models that sign nothing, and not to Claude: %s'), async (model, sent, dropped) => {
    const said = message([{ type: 'thinking', thinking: 'Hm' }, use('toolu_1')]);
    const { output } = await decoded(whole(said));
    const answer: Item = { type: 'function_call_output', call_id: 'toolu_1', output: 'done' };
    const { messages, adaptations } = await encoded({ input: [user('go'), ...stored(output), answer] }, { model });
    expect(messages[1]?.content).toEqual([...sent, { ...use('toolu_1') }]);
    expect(adaptations.filter(({ type }) => type === 'dropped_item')).toHaveLength(dropped);
  });
});

/** A block of thoughts and one of text whose pieces come in turn. */
function mixed(thoughts: string[], texts: string[]): object[] {
  const [firstStart, , firstStop] = block(0, { type: 'thinking', thinking: '' }, [{}]);
  const [secondStart, , secondStop] = block(1, text, [{}]);
  const pieces = thoughts.flatMap((each, at) => [
    { type: 'content_block_delta', index: 0, delta: thought(each) },
    { type: 'content_block_delta', index: 1, delta: textDelta(texts[at] ?? '') },
  ]);
  return [firstStart, secondStart, ...pieces, firstStop, secondStop] as object[];
}
