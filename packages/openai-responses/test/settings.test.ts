import { UserError, type HostedToolSpec, type Item, type ModelSettings, type ToolSpec } from '@polyrun/core';
import { ask } from '@polyrun/wires/endpoint';
import { grammarProblems } from '@polyrun/wires/openai-responses';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';

const names = (adaptations: readonly { type: string; name: string }[]) =>
  adaptations.map(({ type, name }) => `${type} ${name}`);
const output = (more: object = {}): Item => ({ type: 'function_call_output', call_id: 'c1', output: 'ok', ...more });

describe('tools', () => {
  const tool = (parameters: object, strict = true): ToolSpec => ({
    type: 'function',
    name: 'f',
    description: 'F',
    parameters: parameters as never,
    strict,
  });
  const withTools = (tools: ToolSpec[], settings: ModelSettings = {}, model = 'gpt-5.6') =>
    encoded(ask({ tools, settings }), { model });

  test('of functions are strict where their schema has a strict form', async () => {
    const open = { type: 'object', properties: { a: { type: 'string' } } };
    const { body } = await withTools([
      tool({ ...open, required: ['a'], additionalProperties: false }),
      tool(open, false),
    ]);
    expect(body['tools']).toMatchObject([
      { type: 'function', name: 'f', description: 'F', strict: true },
      { strict: false, parameters: open },
    ]);
    const loose = await withTools([tool({ type: 'object', additionalProperties: { type: 'string' } })]);
    expect(loose.body['tools']).toMatchObject([{ strict: false }]);
    expect(names(loose.response.adaptations)).toEqual(['changed_schema f']);
  });

  test(
    verifies('T12', 'hosted ones are data, those that the server lacks are a UserError before the request'),
    async () => {
      const specs: HostedToolSpec[] = [
        { type: 'web_search', search_context_size: 'low' },
        { type: 'mcp', server_label: 's', server_url: 'https://e.test', require_approval: 'always' },
        { type: 'custom', name: 'sql', format: { type: 'text' } },
      ];
      expect((await withTools(specs)).body['tools']).toEqual(specs);
      await expect(withTools([{ type: 'anthropic:web_fetch' }])).rejects.toThrow(UserError);
      await expect(withTools([{ type: 'x_search' }])).rejects.toThrow(
        /no hosted tool 'x_search', only web_search.*capabilities\.hostedTools/,
      );
      const named = await encoded(ask({ tools: [{ type: 'x_search' }] }), {
        options: { capabilities: { hostedTools: ['x_search'] } },
      });
      expect(named.body['tools']).toEqual([{ type: 'x_search' }]);
      const elsewhere = { options: { name: 'some', baseURL: 'https://e.test' } };
      expect(
        (await encoded(ask({ tools: [{ type: 'anything' }, { type: 'some:own' }] }), elsewhere)).body['tools'],
      ).toEqual([{ type: 'anything' }, { type: 'own' }]);
      await expect(encoded(ask({ tools: [{ type: 'other:own' }] }), elsewhere)).rejects.toThrow(UserError);
    },
  );

  test.each<[ModelSettings['toolChoice'], unknown]>([
    ['auto', 'auto'],
    ['required', 'required'],
    [{ name: 'f' }, { type: 'function', name: 'f' }],
    [{ name: 'sql' }, { type: 'custom', name: 'sql' }],
    [{ name: 's' }, { type: 'mcp', server_label: 's' }],
    [{ name: 'web_search' }, { type: 'web_search' }],
  ])('the choice %j is %j', async (toolChoice, wanted) => {
    const tools = [
      tool({ type: 'object' }),
      { type: 'custom', name: 'sql' },
      { type: 'mcp', server_label: 's' },
      { type: 'web_search' },
    ] as ToolSpec[];
    expect((await withTools(tools, { toolChoice })).body['tool_choice']).toEqual(wanted);
  });

  test('without any, nothing is said of them', async () => {
    const { body } = await withTools([], { toolChoice: 'auto', parallelToolCalls: false });
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['tools']));
    expect(body['tool_choice'] ?? body['parallel_tool_calls']).toBeUndefined();
  });
});

describe('settings', () => {
  const bodyFor = async (settings: ModelSettings, model = 'gpt-4.1', options = {}) => {
    const { body, response } = await encoded(ask({ settings }), { model, options });
    return { body, told: names(response.adaptations) };
  };

  test('have their fields', async () => {
    const { body, told } = await bodyFor({
      temperature: 0.2,
      topP: 0.5,
      maxTokens: 100,
      truncation: 'auto',
      metadata: { a: 'b' },
      serviceTier: 'flex',
      verbosity: 'low',
      cache: { ttl: '24h' },
    });
    expect(body).toMatchObject({
      temperature: 0.2,
      top_p: 0.5,
      max_output_tokens: 100,
      truncation: 'auto',
      metadata: { a: 'b' },
      service_tier: 'flex',
      text: { verbosity: 'low' },
      prompt_cache_retention: '24h',
    });
    expect(told).toEqual([]);
    expect(grammarProblems(body)).toEqual([]);
  });

  test('that OpenAI lacks are reported', async () => {
    const { body, told } = await bodyFor({
      topK: 1,
      stop: ['x'],
      seed: 1,
      frequencyPenalty: 1,
      presencePenalty: 1,
      cache: 'none',
    });
    expect(grammarProblems(body)).toEqual([]);
    expect(told).toEqual(
      ['topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty', 'cache'].map(
        (name) => `unsupported_setting ${name}`,
      ),
    );
  });

  test('of sampling are not for reasoning models, efforts not for others', async () => {
    const reasoning = await bodyFor({ temperature: 1, reasoning: { effort: 'max', summary: 'auto' } }, 'gpt-5.6');
    expect(reasoning.body).toMatchObject({ reasoning: { effort: 'xhigh', summary: 'auto' } });
    expect(reasoning.told).toEqual(['unsupported_setting temperature']);
    const plain = await bodyFor({ temperature: 1, reasoning: { effort: 'low' } }, 'gpt-4o');
    expect(plain.body['reasoning']).toBeUndefined();
    expect(plain.told).toEqual(['unsupported_setting reasoning']);
  });

  test('go to a server that nobody knows', async () => {
    const { body, told } = await bodyFor({ frequencyPenalty: 1, topK: 3, reasoning: { effort: 'low' } }, 'm', {
      name: 'some',
      baseURL: 'https://e.test',
    });
    expect(body).toMatchObject({ frequency_penalty: 1, reasoning: { effort: 'low' } });
    expect(told).toEqual(['unsupported_setting topK']);
  });

  test('of the provider’s own pass through, over ours and beside them', async () => {
    const { body } = await bodyFor(
      {
        verbosity: 'low',
        reasoning: { effort: 'low' },
        providerOptions: {
          openai: {
            prompt: { id: 'pmpt_1', variables: { a: 'b' } },
            include: ['web_search_call.action.sources', 'reasoning.encrypted_content'],
            reasoning: { context: 'all_turns' },
            text: { format: { type: 'json_object' } },
            context_management: [{ type: 'compaction', compact_threshold: 1000 }],
            safety_identifier: 'u1',
          },
          azure: { user: 'other' },
        },
      },
      'gpt-5.6',
    );
    expect(body).toMatchObject({
      prompt: { id: 'pmpt_1', variables: { a: 'b' } },
      include: ['reasoning.encrypted_content', 'web_search_call.action.sources'],
      reasoning: { effort: 'low', context: 'all_turns' },
      text: { verbosity: 'low', format: { type: 'json_object' } },
      context_management: [{ type: 'compaction', compact_threshold: 1000 }],
      safety_identifier: 'u1',
    });
    expect(body['user']).toBeUndefined();
  });

  test('ask for an output by its schema, or for any JSON object', async () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    };
    const { body } = await encoded(ask({ output: { name: 'final output', schema, strict: true } }));
    expect(body['text']).toEqual({ format: { type: 'json_schema', name: 'final_output', strict: true, schema } });
    expect((await encoded(ask({ output: { name: 'o', schema: true, strict: false } }))).body['text']).toEqual({
      format: { type: 'json_object' },
    });
  });
});

describe('what the server keeps', () => {
  test('a conversation or a response to go on from', async () => {
    const { body } = await encoded(ask({ conversationId: 'conv_1', instructions: 'Be brief.' }));
    expect(body).toMatchObject({ conversation: 'conv_1', store: true, instructions: 'Be brief.' });
    const chained = await encoded(
      ask({ previousResponseId: 'resp_1', input: [output({ call_id: `c${'x'.repeat(60)}` })] }),
    );
    expect(chained.body).toMatchObject({ previous_response_id: 'resp_1', store: true });
    expect(chained.input).toEqual([{ type: 'function_call_output', call_id: `c${'x'.repeat(60)}`, output: 'ok' }]);
    expect((await encoded(ask({ previousResponseId: 'r', settings: { store: false } }))).body['store']).toBe(false);
    expect((await encoded(ask({ conversationId: 'c', input: [] }))).input).toEqual([]);
  });

  test.each([
    ['openrouter', 'previousResponseId'],
    ['deepseek', 'conversationId'],
    ['xai', 'conversationId'],
  ] as const)(verifies('V2', '%s refuses a %s before the request'), async (name, field) => {
    const options = { name, baseURL: 'https://example.test' };
    await expect(encoded(ask({ [field]: 'x' }), { options })).rejects.toThrow(new RegExp(`^${field}: .*session`));
    await expect(encoded(ask({ [field]: 'x' }), { options })).rejects.toThrow(UserError);
  });

  test('work in the background is kept, so that it can be looked after', async () => {
    const { body } = await encoded(ask({ settings: { providerOptions: { openai: { background: true } } } }));
    expect(body).toMatchObject({ background: true, store: true });
  });
});
