import { UserError, type ModelSettings } from '@polyrun/core';
import { ask } from '@polyrun/wires/endpoint';
import { grammarProblems } from '@polyrun/wires/mistral';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';

const tool = { type: 'function', name: 'f', description: 'F', parameters: { type: 'object' }, strict: false } as const;

describe('settings', () => {
  test('are the fields of the body', async () => {
    const settings: ModelSettings = {
      temperature: 0.2,
      topP: 0.9,
      maxTokens: 100,
      stop: ['END'],
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      parallelToolCalls: false,
      metadata: { a: 'b' },
      serviceTier: 'auto',
      toolChoice: 'required',
      reasoning: { effort: 'high' },
      providerOptions: { mistral: { safe_prompt: true, prompt_cache_key: 'k' }, openai: { user: 'x' } },
    };
    const { body, response } = await encoded(ask({ settings, tools: [tool] }));
    const { messages: _, model: _model, tools: _tools, ...rest } = body;
    expect(rest).toEqual({
      temperature: 0.2,
      top_p: 0.9,
      max_tokens: 100,
      stop: ['END'],
      random_seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      parallel_tool_calls: false,
      metadata: { a: 'b' },
      service_tier: 'auto',
      tool_choice: 'any',
      reasoning_effort: 'high',
      safe_prompt: true,
      prompt_cache_key: 'k',
    });
    expect(response.adaptations).toEqual([]);
    expect(grammarProblems(body)).toEqual([]);
  });

  test.each<[ModelSettings, string]>([
    [{ topK: 5 }, 'topK'],
    [{ verbosity: 'low' }, 'verbosity'],
    [{ truncation: 'auto' }, 'truncation'],
    [{ store: true }, 'store'],
    [{ cache: { ttl: '1h' } }, 'cache'],
    [{ reasoning: { summary: 'auto' } }, 'reasoning.summary'],
  ])('%j has no place, and is reported', async (settings, name) => {
    const { body, response } = await encoded(ask({ settings }));
    expect(Object.keys(body)).toEqual(['model', 'messages']);
    expect(response.adaptations).toMatchObject([{ type: 'unsupported_setting', name }]);
  });

  test('what the wire does anyway is no adaptation', async () => {
    const settings: ModelSettings = { cache: 'auto', truncation: 'disabled', store: false };
    expect((await encoded(ask({ settings }))).response.adaptations).toEqual([]);
  });

  test('are idle without tools', async () => {
    const { body } = await encoded(ask({ settings: { toolChoice: 'required', parallelToolCalls: true } }));
    expect(Object.keys(body)).toEqual(['model', 'messages']);
  });

  test.each([
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'any'],
    [{ name: 'f' }, { type: 'function', function: { name: 'f' } }],
  ] as const)('tool choice %j', async (toolChoice, sent) => {
    const { body } = await encoded(ask({ tools: [tool], settings: { toolChoice } }));
    expect(body['tool_choice']).toEqual(sent);
  });
});

describe('schemas', () => {
  const schema = {
    type: 'object',
    properties: { city: { type: 'string' }, zip: { type: 'string' } },
    required: ['city'],
  };
  const exact = {
    type: 'object',
    properties: { city: { type: 'string' }, zip: { type: ['string', 'null'] } },
    required: ['city', 'zip'],
    additionalProperties: false,
  };

  test('an output type is a JSON schema', async () => {
    const { body } = await encoded(ask({ output: { name: 'a city', schema, strict: true } }));
    const { json_schema } = body['response_format'] as { json_schema: object };
    expect(body['response_format']).toMatchObject({
      type: 'json_schema',
      json_schema: { name: 'a_city', strict: true },
    });
    expect(json_schema).toMatchObject({ schema: { required: exact.required, additionalProperties: false } });
    expect(grammarProblems(body)).toEqual([]);
  });

  test('a schema without a strict form goes as it is, and that is reported', async () => {
    const open = { type: 'object', additionalProperties: { type: 'string' } };
    const { body, response } = await encoded(ask({ output: { name: 'o', schema: open, strict: true } }));
    expect(body['response_format']).toMatchObject({ json_schema: { schema: open, strict: false } });
    expect(response.adaptations).toMatchObject([{ type: 'changed_schema', name: 'o' }]);
  });

  test('any JSON object is JSON mode', async () => {
    const { body } = await encoded(ask({ output: { name: 'o', schema: true, strict: false } }));
    expect(body['response_format']).toEqual({ type: 'json_object' });
  });

  test('together with tools the API takes no format, so the core finds another way', async () => {
    const { body, response } = await encoded(ask({ tools: [tool], output: { name: 'o', schema, strict: true } }));
    expect(grammarProblems(body)).toEqual([]);
    expect(body).not.toHaveProperty('response_format');
    expect(response.adaptations).toMatchObject([{ type: 'output_strategy' }]);
  });

  test('of tools are strict where that is asked for', async () => {
    const { body } = await encoded(ask({ tools: [{ ...tool, parameters: schema, strict: true }, tool] }));
    expect(body['tools']).toMatchObject([
      { type: 'function', function: { name: 'f', strict: true, parameters: { required: exact.required } } },
      { type: 'function', function: { name: 'f', description: 'F', parameters: { type: 'object' } } },
    ]);
  });
});

describe('tools that Mistral runs', () => {
  test(verifies('T12', 'are sent as data, without what they do not have'), async () => {
    const { body, response } = await encoded(
      ask({
        tools: [
          tool,
          { type: 'web_search', search_context_size: 'low' },
          { type: 'code_interpreter', container: { type: 'auto' } },
          { type: 'image_generation' },
          { type: 'mistral:web_search_premium' },
          { type: 'mistral:document_library', library_ids: ['l1'] },
          {
            type: 'mistral:connector',
            connector_id: 'gmail',
            authorization: { type: 'oauth2-token', value: 'secret' },
          },
        ],
      }),
    );
    expect((body['tools'] as object[]).slice(1)).toEqual([
      { type: 'web_search' },
      { type: 'code_interpreter' },
      { type: 'image_generation' },
      { type: 'web_search_premium' },
      { type: 'document_library', library_ids: ['l1'] },
      { type: 'connector', connector_id: 'gmail', authorization: { type: 'oauth2-token', value: 'secret' } },
    ]);
    expect(response.adaptations.map(({ name }) => name)).toEqual([
      'web_search.search_context_size',
      'code_interpreter.container',
    ]);
    expect(grammarProblems(body)).toEqual([]);
  });

  test.each(['file_search', 'computer', 'mcp', 'anthropic:web_fetch'])(
    verifies('T12', '%s is refused before the request'),
    async (type) => {
      const attempt = encoded(ask({ tools: [{ type }] }));
      await expect(attempt).rejects.toThrow(UserError);
      await expect(encoded(ask({ tools: [{ type }] }))).rejects.toThrow(
        new RegExp(`tools: mistral/m has no hosted tool '${type}', only web_search.*capabilities\\.hostedTools`),
      );
    },
  );

  test('a new one can be named', async () => {
    const capabilities = { hostedTools: ['mistral:new_tool'] };
    const { body } = await encoded(ask({ tools: [{ type: 'mistral:new_tool', depth: 2 }] }), {
      options: { capabilities },
    });
    expect(body['tools']).toEqual([{ type: 'new_tool', depth: 2 }]);
  });

  test('a model without tools is told by the user', async () => {
    const attempt = encoded(ask({ tools: [tool] }), { options: { capabilities: { tools: false } } });
    await expect(attempt).rejects.toThrow(/tools: mistral\/m has none; leave out 'f'/);
  });
});
