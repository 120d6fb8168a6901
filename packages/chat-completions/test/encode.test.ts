import { UserError, type Item, type Json, type ModelRequest } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { chatCompletions } from '../src/index.ts';
import { ask } from '@polyrun/wires/endpoint';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';

const user = (content: string): Item => ({ type: 'message', role: 'user', content });
const origin = { provider: 'openrouter', api: 'chat-completions', model: 'anthropic/claude-sonnet-4.5' };
const openrouter = {
  model: 'anthropic/claude-sonnet-4.5',
  options: { name: 'openrouter', baseURL: 'https://example.test/v1' },
};
const tool = { type: 'function', name: 'f', description: 'F', parameters: {}, strict: false } as const;

describe('messages', () => {
  test('instructions come first; system and developer messages keep their place', async () => {
    const { messages } = await encoded(
      ask({
        instructions: 'Be brief.',
        input: [user('a'), { type: 'message', role: 'developer', content: 'b' }, user('c')],
      }),
    );
    expect(messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'a' },
      { role: 'system', content: 'b' },
      { role: 'user', content: 'c' },
    ]);
  });

  test('a turn of the model is one message, its outputs follow in order', async () => {
    const { messages } = await encoded(
      ask({
        input: [
          user('go'),
          { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] },
          { type: 'message', role: 'assistant', content: 'Looking' },
          { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"x":1}' },
          { type: 'function_call', call_id: 'b', name: 'g', arguments: '' },
          { type: 'function_call_output', call_id: 'a', output: 'A' },
          { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: 'B' }] },
        ],
      }),
    );
    expect(messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: 'Looking',
        reasoning_content: 'Hm',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'A' },
      { role: 'tool', tool_call_id: 'b', content: 'B' },
    ]);
  });

  test(verifies('T9', 'media in outputs go to messages of the user behind all outputs'), async () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==' } as const;
    const { messages, response } = await encoded(
      ask({
        input: [
          user('go'),
          { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
          { type: 'function_call', call_id: 'b', name: 'f', arguments: '{}' },
          { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'see' }, image] },
          { type: 'function_call_output', call_id: 'b', output: [image] },
          user('so?'),
        ],
      }),
    );
    const sent = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
    expect(messages.slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'see' },
      { role: 'tool', tool_call_id: 'b', content: '(see the next user message)' },
      { role: 'user', content: [sent] },
      { role: 'user', content: [sent] },
      { role: 'user', content: 'so?' },
    ]);
    expect(response.adaptations.map(({ type }) => type)).toEqual(['moved_media', 'moved_media']);
  });

  test('parts of the user are sent as the wire spells them', async () => {
    const { messages } = await encoded(
      ask({
        input: [
          {
            type: 'message',
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is this?' },
              { type: 'input_image', image_url: 'https://a.test/a.png', detail: 'low' },
              { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
              { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
              { type: 'input_file', file_id: 'file-1' },
            ],
          },
        ],
      }),
    );
    expect(messages[0]?.['content']).toEqual([
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'https://a.test/a.png', detail: 'low' } },
      { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
      { type: 'file', file: { file_id: 'file-1' } },
    ]);
  });

  test('what has no place is told to the model and reported', async () => {
    const { messages, response } = await encoded(
      ask({
        input: [
          {
            type: 'message',
            role: 'user',
            content: [
              { type: 'input_image', file_id: 'file-1' },
              { type: 'input_file', file_url: 'https://a.test/b.pdf' },
            ],
          },
        ],
      }),
    );
    expect(messages[0]?.['content']).toBe('[image left out]\n[file left out: https://a.test/b.pdf]');
    expect(response.adaptations.map(({ name }) => name)).toEqual(['input_image', 'input_file']);
  });

  test('the user’s word on what a model reads wins', async () => {
    const content = [{ type: 'input_image', image_url: 'https://a.test/a.png' }] as const;
    const { messages } = await encoded(ask({ input: [{ type: 'message', role: 'user', content }] }), {
      options: { capabilities: { input: [] } },
    });
    expect(messages[0]?.['content']).toBe('[image left out]');
  });

  test('a refusal goes back as the model’s words, nothing empty goes at all', async () => {
    const { messages } = await encoded(
      ask({
        input: [
          user('go'),
          { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
          user(''),
          { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: '' }] },
          user('why?'),
        ],
      }),
    );
    expect(messages.map(({ content }) => content)).toEqual(['go', 'No.', 'why?']);
  });

  test('arguments that are no JSON object are sent as {} and reported', async () => {
    const { messages, response } = await encoded(
      ask({
        input: [
          user('go'),
          { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"cut' },
          { type: 'function_call_output', call_id: 'a', output: '' },
        ],
      }),
    );
    expect(messages[1]).toMatchObject({ tool_calls: [{ function: { arguments: '{}' } }] });
    expect(messages[2]).toMatchObject({ content: '(no output)' });
    expect(response.adaptations).toHaveLength(2);
  });

  test(verifies('X4', 'call ids that the wire would refuse are mapped, each to one of its own'), async () => {
    const long = (end: string) => 'x'.repeat(60) + end;
    const { messages } = await encoded(
      ask({
        input: [
          user('go'),
          { type: 'function_call', call_id: long('1'), name: 'f', arguments: '{}' },
          { type: 'function_call', call_id: long('2'), name: 'f', arguments: '{}' },
          { type: 'function_call_output', call_id: long('1'), output: 'A' },
          { type: 'function_call_output', call_id: long('2'), output: 'B' },
        ],
      }),
    );
    const [, turn = { tool_calls: [] }] = messages;
    const ids = (turn['tool_calls'] as { id: string }[]).map(({ id }) => id);
    expect(ids).toEqual([expect.stringMatching(/^call_\w{11}$/), expect.stringMatching(/^call_\w{11}$/)]);
    expect(new Set(ids).size).toBe(2);
    expect(messages.slice(2).map((message) => message['tool_call_id'])).toEqual(ids);
  });
});

describe('reasoning goes back to its own', () => {
  const details = [{ type: 'reasoning.text', text: 'Hm', signature: 'sig', index: 0 }];
  const history = (from: typeof origin): Item[] => [
    user('go'),
    {
      type: 'reasoning',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'Hm' }],
      origin: from,
      provider_data: { openrouter: { field: 'reasoning', reasoning_details: details } },
    },
    { type: 'message', role: 'assistant', content: 'Hi', origin: from },
    user('more'),
  ];

  test('details byte for byte, and not the text a second time', async () => {
    const { messages } = await encoded(ask({ input: history(origin) }), openrouter);
    expect(messages[1]).toEqual({ role: 'assistant', content: 'Hi', reasoning_details: details });
  });

  test.each([
    ['another provider', { ...origin, provider: 'groq' }],
    ['another wire', { ...origin, api: 'openai-responses' }],
  ])('not what %s made', async (_, from) => {
    const { messages, response } = await encoded(ask({ input: history(from) }), openrouter);
    expect(messages[1]).toEqual({ role: 'assistant', content: 'Hi' });
    expect(response.adaptations).toEqual([expect.objectContaining({ type: 'dropped_item', name: 'reasoning' })]);
  });

  test('behind a router, another vendor’s details are not sent', async () => {
    const { messages } = await encoded(ask({ input: history({ ...origin, model: 'openai/gpt-5' }) }), openrouter);
    expect(messages[1]).not.toHaveProperty('reasoning_details');
  });

  test('in the field it came in', async () => {
    const reasoning: Item = {
      type: 'reasoning',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'Hm' }],
      provider_data: { 'example.test': { field: 'reasoning' } },
    };
    const { messages } = await encoded(
      ask({ input: [user('go'), reasoning, { type: 'message', role: 'assistant', content: 'Hi' }, user('b')] }),
    );
    expect(messages[1]).toEqual({ role: 'assistant', content: 'Hi', reasoning: 'Hm' });
  });

  test('signatures of thought ride on their call', async () => {
    const extra_content = { google: { thought_signature: 'sig' } };
    const from = { provider: 'gemini', api: 'chat-completions', model: 'gemini-3-flash' };
    const { messages } = await encoded(
      ask({
        input: [
          user('go'),
          {
            type: 'function_call',
            call_id: 'a',
            name: 'f',
            arguments: '{}',
            origin: from,
            provider_data: { gemini: { extra_content } },
          },
          { type: 'function_call_output', call_id: 'a', output: 'A' },
        ],
      }),
      { model: 'gemini-3-flash', options: { name: 'gemini', baseURL: 'https://example.test/v1' } },
    );
    expect(messages[1]).toMatchObject({ tool_calls: [{ id: 'a', extra_content }] });
  });

  test('reasoning without anything it led to is left out', async () => {
    const { messages } = await encoded(ask({ input: [...history(origin).slice(0, 2), user('b')] }), openrouter);
    expect(messages.map(({ role }) => role)).toEqual(['user', 'user']);
  });

  test('a model that wants its reasoning back does not reason over calls that came without', async () => {
    const input: Item[] = [
      user('go'),
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: 'A' },
    ];
    const place = { model: 'deepseek-v4-pro', options: { name: 'deepseek', baseURL: 'https://example.test/v1' } };
    const { body, response } = await encoded(ask({ input }), place);
    expect(body['thinking']).toEqual({ type: 'disabled' });
    expect(response.adaptations).toEqual([expect.objectContaining({ type: 'reasoning_off' })]);
    const own: Item = { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] };
    const kept = await encoded(ask({ input: input.toSpliced(1, 0, own) }), place);
    expect(kept.body).not.toHaveProperty('thinking');
    expect(kept.messages[1]).toMatchObject({ reasoning_content: 'Hm' });
  });
});

describe('tools, output and settings', () => {
  test('a forced tool is named, and nothing about tools is sent without tools', async () => {
    const settings = { toolChoice: { name: 'f' }, parallelToolCalls: true } as const;
    const forced = await encoded(ask({ tools: [tool], settings }));
    expect(forced.body['tool_choice']).toEqual({ type: 'function', function: { name: 'f' } });
    const none = await encoded(ask({ settings }));
    expect(none.body).not.toHaveProperty('tool_choice');
    expect(none.body).not.toHaveProperty('parallel_tool_calls');
  });

  test('an output type is a JSON schema with a legal name', async () => {
    const schema = { type: 'object', properties: {}, required: [], additionalProperties: false };
    const { body } = await encoded(ask({ output: { name: 'my output!', schema, strict: true } }));
    expect(body['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'my_output_', schema, strict: true },
    });
  });

  test('a schema goes out in strict form where it has one, else as it is, and that is reported', async () => {
    const optional = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false };
    const open = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: true };
    const made = (name: string, parameters: Json) =>
      ({ type: 'function', name, description: '', parameters, strict: true }) as const;
    const { body, response } = await encoded(ask({ tools: [made('closed', optional), made('open', open)] }));
    expect(body['tools']).toMatchObject([
      {
        function: {
          strict: true,
          parameters: { required: ['a'], properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] } } },
        },
      },
      { function: { parameters: open } },
    ]);
    expect(body).not.toHaveProperty('tools.1.function.strict');
    expect(response.adaptations).toMatchObject([{ type: 'changed_schema', name: 'open' }]);
  });

  test('what Chat Completions does not have is reported, what it does anyway is not', async () => {
    const asked = ask({
      settings: { truncation: 'auto', cache: { ttl: '1h' }, reasoning: { summary: 'auto' } },
    });
    expect((await encoded(asked)).response.adaptations.map(({ name }) => name)).toEqual([
      'truncation',
      'cache',
      'reasoning.summary',
    ]);
    const usual = ask({ settings: { truncation: 'disabled', cache: 'auto', temperature: undefined } });
    expect((await encoded(usual)).response.adaptations).toEqual([]);
  });

  test('the user’s list of settings wins over what is known of a model', async () => {
    const request = ask({ settings: { temperature: 0.3 } });
    const place = { model: 'gpt-5', options: { name: 'openai', baseURL: 'https://example.test/v1' } };
    expect((await encoded(request, place)).body).not.toHaveProperty('temperature');
    const capabilities = { settings: ['temperature'] } as const;
    const { body } = await encoded(request, { ...place, options: { ...place.options, capabilities } });
    expect(body['temperature']).toBe(0.3);
  });

  test('provider options go into the body as they are, those of others do not', async () => {
    const providerOptions = { groq: { reasoning_format: 'parsed' }, openai: { user: 'x' } };
    const { body } = await encoded(ask({ settings: { providerOptions } }), {
      model: 'qwen/qwen3-32b',
      options: { name: 'groq', baseURL: 'https://example.test/v1' },
    });
    expect(body).toMatchObject({ reasoning_format: 'parsed' });
    expect(body).not.toHaveProperty('user');
  });

  test.each<[string, Partial<ModelRequest>, RegExp]>([
    [verifies('V2', 'a conversation on the server'), { conversationId: 'conv_1' }, /conversationId.*session/],
    [verifies('V2', 'a previous response'), { previousResponseId: 'resp_1' }, /previousResponseId.*session/],
    [
      verifies('T12', 'a hosted tool that the endpoint lacks'),
      { tools: [{ type: 'file_search' }] },
      /file_search.*capabilities\.hostedTools/,
    ],
    [
      verifies('T13', 'a tool that the endpoint defines and the client answers'),
      { tools: [{ type: 'computer_use_preview', display_width: 9, display_height: 9, environment: 'browser' }] },
      /computer_use_preview.*capabilities\.hostedTools/,
    ],
  ])('%s is refused before any request', async (_, fields, words) => {
    const fetch = () => Promise.reject(new Error('there must be no request'));
    const model = chatCompletions({ apiKey: 'k', baseURL: 'https://example.test/v1', fetch }).getModel('m');
    await expect(model.getResponse(ask(fields))).rejects.toThrow(UserError);
    await expect(model.getResponse(ask(fields))).rejects.toThrow(words);
  });

  test('tools of a model that has none are refused', async () => {
    await expect(encoded(ask({ tools: [tool] }), { options: { capabilities: { tools: false } } })).rejects.toThrow(
      UserError,
    );
  });

  test('a hosted tool that the user vouches for is sent as it is', async () => {
    const spec = { type: 'x_search', mode: 'on' };
    const { body } = await encoded(ask({ tools: [spec] }), {
      options: { capabilities: { hostedTools: ['x_search'] } },
    });
    expect(body['tools']).toEqual([spec]);
  });
});
