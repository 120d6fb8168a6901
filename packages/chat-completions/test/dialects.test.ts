import type { Capabilities, ModelRequest, ModelSettings } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { dialectRows } from '../src/dialects.ts';
import { chatCompletions } from '../src/index.ts';
import { ask } from '@polyrun/wires/endpoint';
import { encoded } from './support/endpoint.ts';

const parameters = { type: 'object', properties: {}, required: [], additionalProperties: false } as const;
const tool = { type: 'function', name: 'f', description: 'F', parameters, strict: true } as const;
const everything: ModelSettings = {
  temperature: 0.5,
  topP: 0.9,
  topK: 5,
  maxTokens: 100,
  stop: ['x'],
  seed: 7,
  frequencyPenalty: 0.1,
  presencePenalty: 0.2,
  parallelToolCalls: false,
  toolChoice: 'required',
  verbosity: 'low',
  store: true,
  metadata: { a: 'b' },
  serviceTier: 'auto',
};
const called: ModelRequest['input'] = [
  { type: 'message', role: 'user', content: 'Hello' },
  { type: 'function_call', call_id: 'call_with_a_long_id', name: 'f', arguments: '{}' },
  { type: 'function_call_output', call_id: 'call_with_a_long_id', output: 'done' },
  { type: 'message', role: 'user', content: 'And now?' },
];

type Fixture = {
  model: string;
  asked?: Partial<ModelRequest>;
  /** What the body must hold of this. */
  sent: { [field: string]: unknown };
  /** Fields that must not be in the body; the settings behind them are reported. */
  without?: string[];
  /** What the model can do and cannot. */
  facts?: Capabilities;
};

/** What each row of the table makes of a request: one fixture per row, under the provider and the models that it is for. */
const fixtures: { [row: string]: Fixture } = {
  openai: {
    model: 'gpt-4.1',
    sent: { max_completion_tokens: 100, verbosity: 'low', store: true, metadata: { a: 'b' }, tool_choice: 'required' },
    without: ['topK'],
  },
  azure: { model: 'my-deployment', sent: { max_completion_tokens: 100 }, without: ['topK'] },
  'openai /^(o\\d|gpt-[5-9](?!.*chat))/': {
    model: 'gpt-5-mini',
    asked: { instructions: 'Be brief.', settings: { temperature: 1, maxTokens: 9, reasoning: { effort: 'max' } } },
    sent: {
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      max_completion_tokens: 9,
      reasoning_effort: 'xhigh',
    },
    without: ['temperature'],
    facts: { reasoning: 'always', schemaDialect: 'openai_strict' },
  },
  'openai /^(o3(?!-mini)|o4|gpt-[5-9](?!.*chat))/': {
    model: 'o4-mini',
    asked: { settings: { stop: ['x'] } },
    sent: {},
    without: ['stop'],
  },
  'openai /^o1-(mini|preview)/': {
    model: 'o1-mini',
    asked: { instructions: 'Be brief.', settings: { stop: ['x'] } },
    sent: {
      messages: [
        { role: 'user', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      stop: ['x'],
    },
  },
  'openai /^(o\\d|gpt-(?!.*(audio|realtime)))/': {
    model: 'gpt-4.1',
    asked: {
      input: [
        {
          type: 'message',
          role: 'user',
          content: [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }],
        },
      ],
    },
    sent: { messages: [{ role: 'user', content: '[audio left out]' }] },
    facts: { input: ['image', 'file'] },
  },
  'openai /^gpt-(3|4(-|$))/': {
    model: 'gpt-4-turbo',
    asked: { output: { name: 'o', schema: { type: 'object' }, strict: true } },
    sent: {
      tools: [
        {
          type: 'function',
          function: { name: 'final_output', description: expect.any(String) as string, parameters: { type: 'object' } },
        },
      ],
      tool_choice: 'required',
    },
    facts: { structuredOutput: 'none' },
  },
  'openai /-search-/': {
    model: 'gpt-4o-search-preview',
    asked: {
      tools: [
        { type: 'web_search', search_context_size: 'low', user_location: { type: 'approximate', city: 'Utrecht' } },
      ],
    },
    sent: {
      web_search_options: {
        search_context_size: 'low',
        user_location: { type: 'approximate', approximate: { city: 'Utrecht' } },
      },
    },
  },
  mistral: {
    model: 'mistral-small-latest',
    asked: { input: called, tools: [tool], settings: { seed: 7, toolChoice: 'required', topK: 3 } },
    sent: {
      random_seed: 7,
      tool_choice: 'any',
      messages: [
        { role: 'user', content: 'Hello' },
        expect.objectContaining({
          tool_calls: [expect.objectContaining({ id: expect.stringMatching(/^[a-zA-Z0-9]{9}$/) })],
        }),
        { role: 'tool', tool_call_id: expect.stringMatching(/^[a-zA-Z0-9]{9}$/), content: 'done' },
        { role: 'assistant', content: 'OK.' },
        { role: 'user', content: 'And now?' },
      ],
    },
    without: ['topK'],
  },
  groq: {
    model: 'openai/gpt-oss-120b',
    asked: { tools: [{ type: 'browser_search' }, { type: 'code_interpreter' }], settings: { store: true } },
    sent: { tools: [{ type: 'browser_search' }, { type: 'code_interpreter' }] },
    without: ['store'],
    facts: { structuredOutput: 'without_tools', hostedTools: ['browser_search', 'code_interpreter'] },
  },
  deepseek: {
    model: 'deepseek-v4-pro',
    asked: { tools: [tool], settings: { reasoning: { effort: 'medium' }, seed: 1 } },
    sent: {
      thinking: { type: 'enabled' },
      reasoning_effort: 'high',
      tools: [{ type: 'function', function: { name: 'f', description: 'F', parameters } }],
    },
    without: ['seed'],
  },
  'deepseek /^(?!deepseek-chat)/': {
    model: 'deepseek-v4-flash',
    asked: { tools: [tool], settings: { toolChoice: 'required' } },
    sent: {},
    without: ['toolChoice'],
    facts: { structuredOutput: 'none', forcedToolChoice: false, jsonMode: true },
  },
  'moonshot /^kimi-k(2\\.\\d|2-thinking|[3-9])/': {
    model: 'kimi-k2.6',
    asked: { tools: [tool], settings: { toolChoice: 'required' } },
    sent: {},
    without: ['toolChoice'],
    facts: { forcedToolChoice: false },
  },
  'moonshot /^kimi-/': {
    model: 'kimi-k2.6',
    asked: { input: called },
    sent: { thinking: { type: 'disabled' } },
    facts: { reasoningReplay: 'required' },
  },
  openrouter: {
    model: 'google/gemini-2.5-flash',
    asked: {
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_file', file_url: 'https://a.test/b.pdf' }] }],
      tools: [{ type: 'web_search', max_results: 3 }, { type: 'openrouter:web_search' }],
      settings: { reasoning: { effort: 'low' }, store: true },
    },
    sent: {
      reasoning: { effort: 'low' },
      messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: 'https://a.test/b.pdf' } }] }],
      tools: [{ type: 'openrouter:web_search', parameters: { max_results: 3 } }, { type: 'openrouter:web_search' }],
    },
    without: ['store'],
  },
  snowflake: {
    model: 'claude-sonnet-4-6',
    asked: { settings: { maxTokens: 5, reasoning: { effort: 'low' }, store: true } },
    sent: { max_completion_tokens: 5, reasoning: { effort: 'low' } },
    without: ['store'],
  },
  zai: {
    model: 'glm-4.7',
    asked: { tools: [tool], settings: { reasoning: { effort: 'none' }, toolChoice: 'required', seed: 1 } },
    sent: {
      thinking: { type: 'disabled' },
      tools: [{ type: 'function', function: { name: 'f', description: 'F', parameters } }],
    },
    without: ['seed', 'toolChoice'],
    facts: { forcedToolChoice: false, structuredOutput: 'none' },
  },
  moonshot: {
    model: 'kimi-k2.6',
    asked: { settings: { maxTokens: 5, reasoning: { effort: 'none' }, seed: 1 } },
    sent: { max_completion_tokens: 5, thinking: { type: 'disabled' } },
    without: ['seed'],
  },
  'moonshot /^kimi-k[3-9]/': {
    model: 'kimi-k3',
    asked: { settings: { reasoning: { effort: 'medium' } } },
    sent: { reasoning_effort: 'high' },
    without: ['reasoning.effort'],
  },
  alibaba: {
    model: 'qwen3-max',
    asked: {
      tools: [{ type: 'web_search' }],
      settings: { topK: 4, reasoning: { effort: 'high' }, frequencyPenalty: 1 },
    },
    sent: { top_k: 4, enable_thinking: true, enable_search: true },
    without: ['frequencyPenalty'],
    facts: { forcedToolChoice: false, structuredOutput: 'without_tools' },
  },
  xai: { model: 'grok-4', sent: { max_completion_tokens: 100, stop: ['x'] }, without: ['topK', 'verbosity', 'store'] },
  'xai /^grok-[4-9]/': {
    model: 'grok-4',
    asked: { tools: [tool], output: { name: 'o', schema: { type: 'object' }, strict: false } },
    sent: {
      response_format: { type: 'json_schema', json_schema: { name: 'o', schema: { type: 'object' }, strict: false } },
    },
    facts: { structuredOutput: 'with_tools' },
  },
  'gemini /^gemini-[3-9]/': {
    model: 'gemini-3-flash-preview',
    asked: { tools: [tool], output: { name: 'o', schema: { type: 'object' }, strict: false } },
    sent: {
      response_format: { type: 'json_schema', json_schema: { name: 'o', schema: { type: 'object' }, strict: false } },
    },
    facts: { structuredOutput: 'with_tools' },
  },
  gemini: {
    model: 'gemini-3-flash-preview',
    sent: { max_tokens: 100, seed: 7 },
    without: ['topK', 'parallelToolCalls', 'metadata'],
  },
  cerebras: {
    model: 'gpt-oss-120b',
    sent: { max_completion_tokens: 100, seed: 7 },
    without: ['frequencyPenalty', 'presencePenalty', 'topK'],
  },
  perplexity: {
    model: 'sonar',
    asked: {
      input: [
        { type: 'message', role: 'user', content: 'Hello' },
        { type: 'message', role: 'assistant', content: 'Hi' },
      ],
      settings: { topK: 3, seed: 1 },
    },
    sent: {
      top_k: 3,
      messages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi' },
        { role: 'user', content: 'Continue.' },
      ],
    },
    without: ['seed'],
  },
  ollama: {
    model: 'gpt-oss:20b',
    sent: { max_tokens: 100, seed: 7 },
    without: ['topK', 'parallelToolCalls', 'store', 'toolChoice'],
    facts: { forcedToolChoice: false },
  },
  sambanova: {
    model: 'Llama-4-Maverick-17B-128E-Instruct',
    sent: { top_k: 5, max_tokens: 100 },
    without: ['seed', 'frequencyPenalty', 'store'],
  },
};

const wireNames: { [setting: string]: string } = {
  topK: 'top_k',
  parallelToolCalls: 'parallel_tool_calls',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  serviceTier: 'service_tier',
  toolChoice: 'tool_choice',
};

describe('dialects', () => {
  const rows = dialectRows.map(({ provider, models }) => `${provider}${models ? ` ${String(models)}` : ''}`);

  test('every row has a fixture and every fixture a row', () => {
    expect(Object.keys(fixtures).toSorted()).toEqual(rows.toSorted());
  });

  test.each(rows)('%s', async (row) => {
    const { model, asked, sent, without = [], facts = {} } = fixtures[row] ?? { model: '', sent: { row } };
    const provider = row.split(' ')[0] ?? '';
    const request = asked ? ask(asked) : ask({ tools: [tool], settings: everything });
    const options = { name: provider, baseURL: 'https://example.test/v1' };
    const { body, response } = await encoded(request, { model, options });
    expect(chatCompletions(options).getModel(model).capabilities).toMatchObject(facts);
    expect(body).toMatchObject({ model, ...sent });
    for (const setting of without) expect(body).not.toHaveProperty(wireNames[setting] ?? setting);
    const reported = response.adaptations.map(({ name }) => name);
    expect(reported).toEqual(expect.arrayContaining(without));
  });

  test('an endpoint that nobody knows gets everything as it was asked', async () => {
    const { body, response } = await encoded(ask({ tools: [tool], settings: everything }));
    expect(body).toMatchObject({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      max_tokens: 100,
      stop: ['x'],
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      parallel_tool_calls: false,
      tool_choice: 'required',
      verbosity: 'low',
      store: true,
      metadata: { a: 'b' },
      service_tier: 'auto',
    });
    expect(body).toHaveProperty('tools.0.function.strict', true);
    expect(response.adaptations).toEqual([]);
  });
});
