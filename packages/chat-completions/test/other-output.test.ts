import { json, sse } from '@polyrun/wires/endpoint';
import { grammarProblems } from '@polyrun/wires/chat-completions';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, encoded, finish, streamed } from './support/endpoint.ts';

describe('tools that take any text', () => {
  const options = { name: 'openai' };
  const origin = { provider: 'openai', api: 'chat-completions', model: 'm' };
  const called = { id: 'call_1', type: 'custom', custom: { name: 'run_sql', input: 'SELECT 1' } };
  const item = { type: 'custom_tool_call', call_id: 'call_1', name: 'run_sql', input: 'SELECT 1' } as const;

  test(verifies('S1', 'are called the same streamed and unstreamed'), async () => {
    const whole = await decoded(json(completion({ content: null, tool_calls: [called] }, 'tool_calls')), options);
    expect(whole.output).toMatchObject([{ ...item, status: 'completed' }]);
    expect(whole.stop.type).toBe('tool_calls');
    const pieces = ['', 'SELECT', ' 1'].map((input, index) =>
      delta({
        tool_calls: [
          { index: 0, ...(index === 0 ? called : {}), custom: { ...(index === 0 && { name: 'run_sql' }), input } },
        ],
      }),
    );
    const { events, response } = await streamed(sse([...pieces, finish('tool_calls')]), options);
    expect(response.output).toEqual(whole.output);
    expect(events.filter(({ type }) => type === 'response.output_item.added')).toHaveLength(1);
  });

  test(verifies('T13', 'and their answers go back'), async () => {
    const { body, messages } = await encoded(
      {
        input: [
          { type: 'message', role: 'user', content: 'Go' },
          { ...item, origin },
          { type: 'custom_tool_call_output', call_id: 'call_1', output: '1' },
        ],
        tools: [
          {
            type: 'custom',
            name: 'run_sql',
            description: 'Runs SQL',
            format: { type: 'grammar', syntax: 'regex', definition: 'SELECT .*' },
          },
        ],
        settings: { toolChoice: { name: 'run_sql' } },
      },
      { model: 'gpt-5', options },
    );
    expect(grammarProblems(body, 'openai')).toEqual([]);
    expect(messages.slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [called] },
      { role: 'tool', tool_call_id: 'call_1', content: '1' },
    ]);
    const format = { type: 'grammar', grammar: { syntax: 'regex', definition: 'SELECT .*' } };
    expect(body['tools']).toEqual([{ type: 'custom', custom: { name: 'run_sql', description: 'Runs SQL', format } }]);
    expect(body['tool_choice']).toEqual({ type: 'custom', custom: { name: 'run_sql' } });
  });

  test('are left out, and that is reported, where there are none', async () => {
    const { messages, response } = await encoded(
      {
        input: [
          { type: 'message', role: 'user', content: 'Go' },
          { ...item, origin: { ...origin, provider: 'groq' } },
        ],
        tools: [],
        settings: {},
      },
      { model: 'm', options: { name: 'groq' } },
    );
    expect(messages.map(({ role }) => role)).toEqual(['user']);
    expect(response.adaptations.map(({ type }) => type)).toContain('dropped_item');
  });

  test('fields of the other kind that hold nothing change nothing', async () => {
    const entry = {
      id: 'a',
      type: 'function',
      function: { name: 'f', arguments: '{}' },
      custom: { name: '', input: '' },
    };
    const { output } = await decoded(json(completion({ content: null, tool_calls: [entry] })));
    expect(output).toMatchObject([{ type: 'function_call', name: 'f' }]);
  });
});

describe('what the model says aloud', () => {
  test(verifies('S1', 'is kept as an item, streamed or not'), async () => {
    const audio = { id: 'audio_1', data: 'AAECAw==', transcript: 'Hello', expires_at: 7 };
    const whole = await decoded(json(completion({ content: null, audio })));
    expect(whole.output).toMatchObject([{ type: 'example.test:audio', data: audio }]);
    const pieces = [
      { id: 'audio_1', transcript: 'Hel' },
      { transcript: 'lo', data: 'AAE' },
      { data: 'CAw==' },
      { expires_at: 7 },
    ];
    const { response } = await streamed(sse([...pieces.map((each) => delta({ audio: each })), finish('stop')]));
    expect(response.output).toEqual(whole.output);
  });
});

describe('content', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };

  test.each<[string, unknown, string]>([
    ['one part', { type: 'text', text: 'Hi' }, 'Hi'],
    ['texts', ['H', 'i'], 'Hi'],
    ['parts without a type', [{ text: 'H' }, { text: 'i' }], 'Hi'],
    ['the JSON that was asked for', { a: [1] }, '{"a":[1]}'],
    ['a number', 42, '42'],
  ])(verifies('S1', 'may be %s, streamed or not'), async (_, content, text) => {
    const whole = await decoded(json(completion({ content })));
    const { response } = await streamed(sse([delta({ content }), finish('stop')]));
    expect(whole.output).toMatchObject([{ content: [{ type: 'output_text', text }] }]);
    expect(response.output).toEqual(whole.output);
  });

  test(verifies('S1', 'may hold images, which are kept as items, streamed or not'), async () => {
    const text = { type: 'text', text: 'See' };
    const whole = await decoded(json(completion({ content: [text, image] })));
    const { response } = await streamed(sse([delta({ content: [text] }), delta({ content: [image] }), finish('stop')]));
    expect(whole.output).toMatchObject([{ content: [{ text: 'See' }] }, { type: 'example.test:image', data: image }]);
    expect(response.output).toEqual(whole.output);
  });
});

describe('choices', () => {
  test('without numbers are one answer, as GitHub Copilot spreads it', async () => {
    const calls = ['a', 'b'].map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } }));
    const messages = [{ content: 'Looking.' }, ...calls.map((call) => ({ content: null, tool_calls: [call] }))];
    const choices = messages.map((message) => ({ finish_reason: 'tool_calls', message }));
    const reply = () => json({ id: 'c1', model: 'm', choices });
    const response = await decoded(reply());
    expect((await streamed(reply())).response.output).toEqual(response.output);
    expect(response.output).toMatchObject([
      { type: 'message', content: [{ text: 'Looking.' }] },
      { type: 'function_call', call_id: 'a' },
      { type: 'function_call', call_id: 'b' },
    ]);
    expect(response.stop.type).toBe('tool_calls');
  });

  test('are told by numbers of any spelling', async () => {
    const spelled = { id: 'c1', choices: [{ index: '0', delta: { content: 'Hi' }, finish_reason: 'stop' }] };
    expect((await streamed(sse([spelled]))).response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test('whose number counts the chunks are one', async () => {
    const counted = ['H', 'i'].map((content, index) => ({ choices: [{ index: index + 1, delta: { content } }] }));
    const { response } = await streamed(
      sse([...counted, { choices: [{ index: 3, delta: {}, finish_reason: 'length' }] }]),
    );
    expect(response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
    expect(response.stop.type).toBe('length');
  });

  test('that end in null written out have not ended', async () => {
    const open = { id: 'c1', choices: [{ index: 0, delta: { content: 'H' }, finish_reason: 'null' }] };
    await expect(streamed(sse([open], { done: false }))).rejects.toMatchObject({ kind: 'protocol', retryable: true });
    expect((await streamed(sse([open, finish('stop')]))).response.stop.raw).toBe('stop');
  });

  test('none in a stream that only ends is no answer', async () => {
    await expect(streamed(sse([]))).rejects.toMatchObject({ kind: 'protocol' });
  });

  test(verifies('E1', 'may hold the error that broke them off, in the words of the provider'), async () => {
    const error = { code: 502, message: 'Upstream idle timeout exceeded' };
    const broken = { index: 0, finish_reason: 'error', error };
    const failure = { kind: 'server', status: 502, message: expect.stringContaining(error.message) };
    await expect(decoded(json({ choices: [{ ...broken, message: { content: 'Hi' } }] }))).rejects.toMatchObject(
      failure,
    );
    await expect(
      streamed(sse([delta({ content: 'Hi' }), { choices: [{ ...broken, delta: {} }] }])),
    ).rejects.toMatchObject(failure);
  });

  test('may hold the usage', async () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
    const last = { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage }] };
    const { response } = await streamed(sse([delta({ content: 'Hi' }), last]));
    expect(response.usage).toMatchObject({ inputTokens: 5, outputTokens: 2, source: 'reported' });
  });
});

test.each([
  ['content_filter: PROHIBITED_CONTENT', 'content_filter'],
  ['function_call_filter: MALFORMED_FUNCTION_CALL', 'other'],
  ['model_context_window_exceeded', 'length'],
  ['max_output_tokens', 'length'],
  ['guardrail_intervened', 'content_filter'],
  ['RECITATION', 'content_filter'],
  ['stop_sequence', 'end'],
  ['end_turn', 'end'],
])(verifies('E1', 'the finish reason %s is %s'), async (reason, type) => {
  const { stop } = await decoded(json(completion({ content: 'Hi' }, reason)));
  expect(stop).toEqual({ type, raw: reason });
});

test('an empty error beside an answer is none', async () => {
  expect((await decoded(json({ ...completion({ content: 'Hi' }), error: {} }))).output).toHaveLength(1);
});

test('usage is read under the names of other wires', async () => {
  const usage = { input_tokens: 5, output_tokens: 2, prompt_tokens_details: { cache_creation_tokens: 3 } };
  const response = await decoded(json(completion({ content: 'Hi' }, 'stop', { usage })));
  expect(response.usage).toMatchObject({ inputTokens: 5, outputTokens: 2, totalTokens: 7, source: 'reported' });
  expect(response.usage.inputTokensDetails.cacheWriteTokens).toBe(3);
});

test('tokens written to and read from a cache are counted under the names of Anthropic, too', async () => {
  const usage = {
    prompt_tokens: 9,
    completion_tokens: 2,
    cache_read_input_tokens: 4,
    cache_creation_input_tokens: 3,
  };
  const response = await decoded(json(completion({ content: 'Hi' }, 'stop', { usage })));
  expect(response.usage.inputTokensDetails).toEqual({ cachedTokens: 4, cacheWriteTokens: 3 });
});
