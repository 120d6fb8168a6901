import { plan } from '@polyrun/core';
import { ask as request } from '@polyrun/wires/endpoint';
import { askForReport, diligent, eager, reporter, type Said, type Wire } from '@polyrun/wires/output-type';
import { describe, expect, test } from 'vitest';
import { chatCompletions, type AdapterOptions } from '../src/index.ts';
import { completion, delta, encoded, finish } from './support/endpoint.ts';

const wire: Wire = {
  read: ({ messages, tools, response_format, stream }) => ({
    answers: (messages as { role: string }[]).filter(({ role }) => role === 'tool').length,
    tools: ((tools ?? []) as { function: { name: string } }[]).map((each) => each.function.name),
    formatted: response_format !== undefined,
    streamed: stream === true,
  }),
  write: (said, { streamed, answers }) => {
    const message = messageOf(said, answers);
    return streamed ? { events: [delta(message), finish('stop')], done: true } : { json: completion(message) };
  },
};

function messageOf(said: Said, answers: number): object {
  if ('text' in said) return { content: said.text };
  const called = { name: said.name, arguments: JSON.stringify(said.args) };
  return { content: null, tool_calls: [{ index: 0, id: `call_${answers}`, type: 'function', function: called }] };
}

describe.each([false, true])('an agent with two tools and an output type (streamed: %s)', (streamed) => {
  const ask = (model: typeof eager, options: AdapterOptions) => {
    const providerAt = (baseURL: string) => chatCompletions({ apiKey: 'k', baseURL, defaultModel: 'm', ...options });
    return askForReport({ wire, model, providerAt, streamed });
  };

  test.each<[string, AdapterOptions, string]>([
    ['an endpoint that nobody knows', {}, 'output_tool'],
    ['vLLM', { name: 'vllm' }, 'output_tool'],
    ['Groq', { name: 'groq' }, 'output_tool'],
    ['DeepSeek without thinking', { name: 'deepseek', defaultModel: 'deepseek-chat' }, 'output_tool'],
    ['DeepSeek', { name: 'deepseek', defaultModel: 'deepseek-v4-pro' }, 'prompted'],
    ['Ollama', { name: 'ollama' }, 'prompted'],
    ['one that has no formats', { capabilities: { structuredOutput: 'none' } }, 'output_tool'],
  ])('comes through where the grammar holds from the first token: %s', async (_, options, strategy) => {
    const { finalOutput, ran, turns, strategies, text } = await ask(eager, options);
    expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
    expect(turns.map(({ formatted }) => formatted)).toEqual([false, false, false]);
    expect(strategies).toEqual([strategy, strategy, strategy]);
    expect(text).toBe(streamed ? '{"city":"Rome","degrees":31}' : '');
  });

  test('is asked natively where tools and formats go together', async () => {
    const { finalOutput, ran, turns, adaptations } = await ask(diligent, { name: 'openai', defaultModel: 'gpt-5' });
    expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
    expect(turns.every(({ formatted }) => formatted)).toBe(true);
    expect(adaptations).toEqual([]);
  });
});

test.each([
  ['groq', 'adapted'],
  ['ollama', 'weakened'],
  ['openai', 'native'],
])('the plan for %s says so beforehand', async (name, verdict) => {
  const modelProvider = chatCompletions({ apiKey: 'k', name, defaultModel: 'm' });
  const [made] = await plan(reporter(), { modelProvider });
  expect(made?.findings.map((finding) => [finding.feature, finding.verdict])).toEqual([
    ['tool place', 'native'],
    ['tool weather', 'native'],
    ['output type', verdict],
  ]);
});

const f = { type: 'function', name: 'f', description: 'F', parameters: { type: 'object' }, strict: false } as const;

test.each([
  ['in JSON mode', [], { type: 'json_object' }],
  ['not beside tools, which it would keep the model from calling', [f], undefined],
])('an output type that is asked for in words goes %s', async (_, tools, format) => {
  const output = { name: 'o', schema: { type: 'object', title: 'Answer' }, strict: true };
  const capabilities = { structuredOutput: 'none', forcedToolChoice: false } as const;
  const asked = request({ instructions: 'Be brief.', output, tools });
  const { body, messages, response } = await encoded(asked, { options: { capabilities } });
  expect(body['response_format']).toEqual(format);
  expect(messages[0]?.['content']).toMatch(/^Be brief\.\n\nAnswer with .*"title":"Answer"/s);
  expect(response.adaptations).toMatchObject([{ type: 'output_strategy', name: 'prompted' }]);
});

test.each([
  ['openai_strict', 'without minLength at /properties/a', { strict: true }],
  ['basic', 'without additionalProperties at /', {}],
] as const)(
  'the schema of a tool goes in the dialect %s; what is lost is reported',
  async (dialect, detail, strict) => {
    const a = { type: 'string', minLength: 2, pattern: '^a' };
    const parameters = { type: 'object', additionalProperties: false, properties: { a }, required: ['a'] };
    const asked = request({ tools: [{ ...f, parameters, strict: true }] });
    const { body, response } = await encoded(asked, { options: { capabilities: { schemaDialect: dialect } } });
    expect(response.adaptations).toEqual([{ type: 'changed_schema', name: 'f', detail }]);
    const [sent] = body['tools'] as { function: { parameters: object } }[];
    const { minLength: _minLength, ...rest } = a;
    const { additionalProperties: _closed, ...open } = parameters;
    const kept = dialect === 'basic' ? open : { ...parameters, properties: { a: rest } };
    expect(sent?.function).toEqual({ name: 'f', description: 'F', parameters: kept, ...strict });
  },
);
