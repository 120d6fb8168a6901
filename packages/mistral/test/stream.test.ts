import type { ModelEvent, ModelRequest } from '@polyrun/core';
import { ask, flattened, folded, json, sse } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, encoded, finish, streamed } from './support/endpoint.ts';

const thinking = (text: string, more: object = {}) => ({
  type: 'thinking',
  thinking: [{ type: 'text', text }],
  ...more,
});
const text = (words: string) => ({ type: 'text', text: words });

describe('content', () => {
  test.each<[string, object[], string[]]>([
    ['texts', [{ content: 'a' }, { content: 'b' }], ['message:ab']],
    ['lists', [{ content: [text('a')] }, { content: [text('b'), text('c')] }], ['message:abc']],
    ['null', [{ content: null }, { content: 'a' }], ['message:a']],
    [
      'thinking, then text',
      [{ content: [thinking('x')] }, { content: [thinking('y')] }, { content: 'a' }],
      ['reasoning:xy', 'message:a'],
    ],
    ['both in one delta', [{ content: [thinking('x'), text('a')] }, { content: 'b' }], ['reasoning:x', 'message:ab']],
    [
      'thinking between texts',
      [{ content: 'a' }, { content: [thinking('x')] }, { content: 'b' }],
      ['message:a', 'reasoning:x', 'message:b'],
    ],
    [
      'every piece closed',
      [{ content: [thinking('x', { closed: true })] }, { content: [thinking('y', { closed: true })] }],
      ['reasoning:xy'],
    ],
    [
      'two signed thoughts',
      [{ content: [thinking('x', { signature: 's' })] }, { content: [thinking('y')] }],
      ['reasoning:x', 'reasoning:y'],
    ],
    [
      'thinking as a text',
      [{ content: [{ type: 'thinking', thinking: 'x' }] }, { content: 'a' }],
      ['reasoning:x', 'message:a'],
    ],
    [
      'an unknown kind between',
      [{ content: 'a' }, { content: [{ type: 'image_url', image_url: 'u' }] }, { content: 'b' }],
      ['message:a', 'mistral:image_url:', 'message:b'],
    ],
    ['one chunk alone', [{ content: text('a') }], ['message:a']],
    ['texts in a list', [{ content: ['a', 'b'] }], ['message:ab']],
    ['chunks without a kind', [{ content: [{ text: 'a' }] }], ['message:a']],
    ['the JSON that was asked for', [{ content: { a: 1 } }], ['message:{"a":1}']],
    [
      'thinking in a field of its own',
      [{ reasoning_content: 'x' }, { reasoning: 'y' }, { content: 'a' }],
      ['reasoning:xy', 'message:a'],
    ],
    ['a kind without a name', [{ content: [{ odd: 1 }] }], ['mistral:chunk:']],
  ])(verifies('S5', 'deltas of %s fold into the final items'), async (_, deltas, wanted) => {
    const { events, response } = await streamed(sse([...deltas.map((each) => delta(each)), finish('stop')]));
    expect(flattened(response).map((item) => `${item.type}:${item.text}`)).toEqual(wanted);
    expect(folded(events)).toEqual(flattened(response));
  });

  test('is read from the first choice, however that is numbered; a stream without one is no answer', async () => {
    const spelled = { id: 'c1', choices: [{ index: '0', delta: { content: 'a' }, finish_reason: 'stop' }] };
    expect(flattened((await streamed(sse([spelled]))).response)).toMatchObject([{ text: 'a' }]);
    await expect(streamed(sse([]))).rejects.toMatchObject({ kind: 'protocol' });
  });

  test('is not read twice where the whole message follows the deltas', async () => {
    const whole = { choices: [{ index: 0, message: { content: 'ab' }, finish_reason: 'stop' }] };
    const { response } = await streamed(sse([delta({ content: 'a' }), delta({ content: 'b' }), whole]));
    expect(flattened(response)).toMatchObject([{ text: 'ab' }]);
  });

  test(verifies('S1', 'says the same streamed and unstreamed, whatever it is made of'), async () => {
    const content = [
      thinking('x', { closed: true, signature: 's' }),
      text('Paris'),
      { type: 'reference', reference_ids: [0, 'b'] },
      text('.'),
      { type: 'file', file_id: 'f1' },
      thinking('y'),
      text('Done'),
    ];
    const whole = await decoded(json(completion({ role: 'assistant', content })));
    const pieces = content.map((chunk) => delta({ content: [chunk] }));
    const { events, response } = await streamed(
      sse([delta({ role: 'assistant', content: '' }), ...pieces, finish('stop')]),
    );
    expect(response.output).toEqual(whole.output);
    expect(folded(events)).toEqual(flattened(whole));
  });

  test(verifies('X3', 'goes back as it came, through JSON, streamed or not'), async () => {
    const content = [
      {
        ...thinking('x'),
        thinking: [text('x'), { type: 'reference', reference_ids: [1] }],
        closed: true,
        signature: 's',
      },
      text('Paris'),
      { type: 'reference', reference_ids: [0] },
      text('.'),
      { type: 'image_url', image_url: 'https://a.test/a.png' },
    ];
    const calls = [{ id: 'abcdefghi', type: 'function', function: { name: 'f', arguments: '{"a": 1}' } }];
    const message = { role: 'assistant', content, tool_calls: calls };
    const whole = await decoded(json(completion(message)));
    const { response } = await streamed(sse([delta(message), finish('tool_calls')]));
    for (const { output } of [whole, response]) {
      const stored = JSON.parse(JSON.stringify(output)) as ModelRequest['input'];
      const answers = [{ type: 'function_call_output', call_id: 'abcdefghi', output: 'done' }] as const;
      const { messages } = await encoded(ask({ input: [...ask().input, ...stored, ...answers] }));
      expect(messages[1]).toEqual(message);
    }
  });

  test('citations are annotations at their place', async () => {
    const cited = { type: 'tool_reference', tool: 'web_search', title: 'A', url: 'https://a.test' };
    const content = [text('Paris'), { type: 'reference', reference_ids: [0] }, text(' is big'), cited];
    const { output } = await decoded(json(completion({ role: 'assistant', content })));
    expect(output).toMatchObject([
      {
        content: [
          {
            text: 'Paris is big',
            annotations: [
              { type: 'reference', reference_ids: [0], start_index: 5, end_index: 5 },
              { type: 'url_citation', title: 'A', url: 'https://a.test', start_index: 12, end_index: 12 },
            ],
          },
        ],
      },
    ]);
  });

  test('a text that was edited since is sent as it is now', async () => {
    const content = [text('Paris'), { type: 'reference', reference_ids: [0] }];
    const { output } = await decoded(json(completion({ role: 'assistant', content })));
    const [item] = output;
    if (item?.type !== 'message') throw new Error('no message');
    const edited = { ...item, content: [{ type: 'output_text', text: '[removed]' }] } as const;
    const { messages } = await encoded(ask({ input: [...ask().input, edited, ...ask().input] }));
    expect(messages[1]).toEqual({ role: 'assistant', content: '[removed]' });
  });
});

describe('tools that Mistral runs', () => {
  const request = ask({
    tools: [{ type: 'web_search' }, { type: 'function', name: 'f', description: '', parameters: {}, strict: false }],
  });
  const searched = { id: 'wS1aB2cD3', type: 'function', function: { name: 'web_search', arguments: '{"query":"x"}' } };
  const called = { id: 'abcdefghi', type: 'function', function: { name: 'f', arguments: '{}' } };
  const messages = [
    { role: 'assistant', content: 'Searching.', tool_calls: [searched] },
    { role: 'tool', content: 'Found.', tool_call_id: 'wS1aB2cD3' },
    { role: 'assistant', content: 'So.', tool_calls: [called] },
  ];
  const items = [
    { type: 'message', content: [{ text: 'Searching.' }] },
    { type: 'mistral:tool_execution', name: 'web_search', arguments: '{"query":"x"}', output: 'Found.' },
    { type: 'message', content: [{ text: 'So.' }] },
    { type: 'function_call', call_id: 'abcdefghi', name: 'f' },
  ];

  test(verifies('T12', 'are told as what was done, and only the rest is for the client to run'), async () => {
    const response = await decoded(json(completion(messages, 'tool_calls')), request);
    expect(response.output).toMatchObject(items);
    expect(response.stop.type).toBe('tool_calls');
  });

  test.each([true, false])(verifies('S1', 'are told the same streamed (messages numbered: %s)'), async (numbered) => {
    const chunks = messages.map((message, index) => delta({ ...message, ...(numbered && { index }) }));
    const { events, response } = await streamed(sse([...chunks, finish('tool_calls')]), request);
    expect(response.output).toMatchObject(items);
    const added = events.flatMap((event) => (event.type === 'response.output_item.added' ? [event.item.type] : []));
    expect(added).toEqual(items.map(({ type }) => type));
  });

  test('go back as the messages that they were', async () => {
    const { output } = await decoded(json(completion(messages, 'tool_calls')), request);
    const input = [
      ...ask().input,
      ...output,
      { type: 'function_call_output', call_id: 'abcdefghi', output: 'done' } as const,
    ];
    const sent = await encoded({ ...request, input });
    const [, assistant, result, second, last] = sent.messages;
    const { id } = (assistant as { tool_calls: { id: string }[] } | undefined)?.tool_calls[0] ?? {};
    expect(assistant).toEqual({ role: 'assistant', content: 'Searching.', tool_calls: [{ ...searched, id }] });
    expect(result).toEqual({ role: 'tool', content: 'Found.', tool_call_id: id });
    expect(second).toEqual({ role: 'assistant', content: 'So.', tool_calls: [called] });
    expect(last).toEqual({ role: 'tool', tool_call_id: 'abcdefghi', content: 'done' });
  });

  test('without a result that is shown, they are left out and reported', async () => {
    const shown = messages.filter(({ role }) => role !== 'tool');
    const { output } = await decoded(json(completion(shown, 'tool_calls')), request);
    expect(output[1]).toMatchObject({ type: 'mistral:tool_execution', name: 'web_search' });
    const { messages: sent, response } = await encoded(
      ask({ input: [...ask().input, ...output.slice(0, 3), ...ask().input] }),
    );
    expect(sent[1]).toEqual({ role: 'assistant', content: 'Searching.\n\nSo.' });
    expect(response.adaptations).toMatchObject([{ type: 'dropped_item', name: 'mistral:tool_execution' }]);
  });
});

describe('the end', () => {
  test.each([
    ['stop', [], 'end'],
    ['stop', ['f'], 'tool_calls'],
    ['tool_calls', [], 'end'],
    ['tool_calls', ['f'], 'tool_calls'],
    ['length', [], 'length'],
    ['model_length', [], 'length'],
    ['content_filter', [], 'content_filter'],
    ['max_tokens', [], 'length'],
    ['guardrail_intervened', [], 'content_filter'],
    ['cancelled', [], 'other'],
    ['something_new', [], 'end'],
    [null, ['f'], 'tool_calls'],
  ] as const)(verifies('E1', 'finish reason %s with calls %j is %s'), async (reason, names, type) => {
    const calls = names.map((name) => ({ id: 'abcdefghi', function: { name, arguments: '{}' } }));
    const { stop } = await decoded(json(completion({ content: 'a', tool_calls: calls }, reason)));
    expect(stop).toEqual({ type, raw: reason });
  });

  test(verifies('T2', 'a cut answer leaves its last call incomplete, unless that was closed'), async () => {
    const calls = [
      { id: 'aaaaaaaaa', function: { name: 'f', arguments: '{}' } },
      { id: 'bbbbbbbbb', function: { name: 'f', arguments: '{"a' } },
    ];
    const cut = await decoded(json(completion({ content: '', tool_calls: calls }, 'length')));
    const closed = await decoded(json(completion({ content: '', tool_calls: calls.slice(0, 1) }, 'length')));
    expect(cut.output.map(({ status }) => status)).toEqual(['completed', 'incomplete']);
    expect(closed.output.map(({ status }) => status)).toEqual(['completed']);
  });

  test('usage counts cached tokens as input, by whatever name', async () => {
    for (const told of [
      { prompt_tokens_details: { cached_tokens: 64 } },
      { prompt_token_details: { cached_tokens: 64 } },
      { num_cached_tokens: 64 },
    ]) {
      const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, ...told };
      const response = await decoded(json(completion({ content: 'a' }, 'stop', { usage })));
      expect(response.usage).toMatchObject({
        inputTokens: 100,
        outputTokens: 10,
        inputTokensDetails: { cachedTokens: 64 },
      });
    }
  });

  test('a stream that was not asked for, and an answer that should have been one, are read', async () => {
    const unasked = await decoded(sse([delta({ content: 'a' }), finish('stop')]));
    const { response, events } = await streamed(json(completion({ content: 'a' })));
    expect([unasked.output, response.output].map((output) => output.length)).toEqual([1, 1]);
    expect(types(events)).toContain('response.output_text.delta');
  });
});

function types(events: readonly ModelEvent[]): string[] {
  return events.map(({ type }) => type);
}
