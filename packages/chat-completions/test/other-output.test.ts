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

describe('choices', () => {
  test('are told by numbers of any spelling', async () => {
    const spelled = { id: 'c1', choices: [{ index: '0', delta: { content: 'Hi' }, finish_reason: 'stop' }] };
    expect((await streamed(sse([spelled]))).response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
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
  ['model_context_window_exceeded', 'length'],
])(verifies('E1', 'the finish reason %s is %s'), async (reason, type) => {
  const { stop } = await decoded(json(completion({ content: 'Hi' }, reason)));
  expect(stop).toEqual({ type, raw: reason });
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
