import type { Item, ModelResponse } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { ask, json, sse } from '@polyrun/wires/endpoint';
import { issuers } from '@polyrun/wires/logs';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, encoded, finish, streamed } from './support/endpoint.ts';

const place = (name: string) => ({ name, baseURL: 'https://example.test/v1' });
const called = (id: string, more: object = {}) => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: '{"x":1}' },
  ...more,
});
const details = [
  { type: 'reasoning.text', text: 'Hm', signature: 'c2lnbmVk', format: 'anthropic-claude-v1', index: 0 },
  { type: 'reasoning.encrypted', data: 'b3BhcXVl', id: 'rs_1', format: 'openai-responses-v1', index: 1 },
];
const google = { extra_content: { google: { thought_signature: 'c2lnbmVk+/=' } } };

/** What models leave on their answers that they want back: the fields of the message in which it must return. */
const left: [string, string, { [field: string]: unknown; tool_calls: object[] }][] = [
  ['reasoning_content', 'deepseek', { reasoning_content: 'Hm, "x".\n', tool_calls: [called('a'), called('b')] }],
  ['reasoning', 'groq', { reasoning: 'Hm', tool_calls: [called('a')] }],
  ['details with signatures', 'openrouter', { reasoning_details: details, tool_calls: [called('a'), called('b')] }],
  [
    'empty reasoning with a signature',
    'openrouter',
    { reasoning_details: [{ ...details[0], text: '' }], tool_calls: [called('a')] },
  ],
  ['a signature on the first of two calls', 'gemini', { tool_calls: [called('a', google), called('b')] }],
];

describe('what a model wants back within a tool loop', () => {
  test.each(left)(
    verifies('X3', '%s goes back byte for byte, through a store, streamed or not'),
    async (_, name, message) => {
      const options = place(name);
      const { tool_calls, ...fields } = message;
      const chunks = [
        ...Object.entries(fields).flatMap(([field, value]) => pieces(value).map((piece) => delta({ [field]: piece }))),
        ...tool_calls.map((call, index) => delta({ tool_calls: [{ ...call, index }] })),
      ];
      const whole = await decoded(json(completion({ content: null, ...message }, 'tool_calls')), options);
      const inChunks = await streamed(sse([...chunks, finish('tool_calls')]), options);
      for (const response of [whole, inChunks.response]) {
        const { messages } = await encoded(ask({ input: continued(response) }), { options });
        expect(messages[1]).toEqual({ role: 'assistant', content: null, ...message });
      }
    },
  );

  test.each(left)(verifies('X2', '%s is still there after a turn with another provider'), async (_, name, message) => {
    const options = place(name);
    const mine = continued(await decoded(json(completion({ content: null, ...message }, 'tool_calls')), options));
    const other = await decoded(json(completion({ content: 'Fine.', reasoning: 'secret thoughts' })), place('xai'));
    const input = [...mine, ...stored(other), { type: 'message', role: 'user', content: 'more' } as const];
    const away = await encoded(ask({ input: mine }), { options: place('xai') });
    for (const secret of ['c2lnbmVk', 'b3BhcXVl', 'Hm']) expect(JSON.stringify(away.messages)).not.toContain(secret);
    const back = await encoded(ask({ input }), { options });
    expect(back.messages[1]).toEqual({ role: 'assistant', content: null, ...message });
    expect(JSON.stringify(back.messages)).not.toContain('secret thoughts');
  });

  test(verifies('X3', 'a model that demands its own reasoning does not reason over calls of another'), async () => {
    const other = await decoded(
      json(completion({ content: null, tool_calls: [called('a')] }, 'tool_calls')),
      place('xai'),
    );
    const { body, response } = await encoded(ask({ input: continued(other) }), {
      model: 'deepseek-reasoner',
      options: place('deepseek'),
    });
    expect(body['thinking']).toEqual({ type: 'disabled' });
    expect(response.adaptations).toMatchObject([{ type: 'reasoning_off' }]);
  });
});

test(verifies('T13', 'a call of another provider that the client answered keeps its media here'), async () => {
  const { messages } = await encoded(
    ask({
      input: [
        { type: 'message', role: 'user', content: 'go' },
        { type: 'computer_call', call_id: 'c', action: { type: 'screenshot' }, origin: issuers['openai-responses'] },
        {
          type: 'computer_call_output',
          call_id: 'c',
          output: { type: 'computer_screenshot', image_url: 'data:image/png;base64,AA==' },
        },
      ],
    }),
  );
  expect(messages.slice(1)).toEqual([
    { role: 'assistant', content: '[openai computer call]' },
    {
      role: 'user',
      content: [
        { type: 'text', text: '[computer call output] output: image_url: (data)' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
      ],
    },
  ]);
});

test('reasoning that came as parts of the content is not sent in another field, and that is reported', async () => {
  const content = [
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] },
    { type: 'text', text: 'Yes' },
  ];
  const { output } = await decoded(json(completion({ content })));
  const { messages, response } = await encoded(ask({ input: [...ask().input, ...output, ...ask().input] }), {
    options: { baseURL: 'https://example.test/v1' },
  });
  expect(messages[1]).toEqual({ role: 'assistant', content: 'Yes' });
  expect(response.adaptations).toMatchObject([{ type: 'dropped_item', name: 'reasoning' }]);
});

/** The conversation after the tools have run, as a store gives it back. */
function continued(response: ModelResponse): Item[] {
  const answers = response.output.flatMap((item): Item[] =>
    item.type === 'function_call' ? [{ type: 'function_call_output', call_id: item.call_id, output: 'done' }] : [],
  );
  return [{ type: 'message', role: 'user', content: 'go' }, ...stored(response), ...answers];
}

function stored({ output }: ModelResponse): Item[] {
  return JSON.parse(JSON.stringify(output)) as Item[];
}

/** A text in two pieces, details one by one. */
function pieces(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.map((entry: unknown) => [entry]);
  return typeof value === 'string' ? [value.slice(0, 1), value.slice(1)] : [value];
}
