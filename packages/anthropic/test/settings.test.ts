import { describe, expect, test } from 'vitest';
import { encoded, unmarked, user } from './support/endpoint.ts';
import { anthropic } from '../src/index.ts';

/** One model of each row of the table of families, and what a request to it looks like. */
const rows: readonly {
  model: string;
  max: number;
  none: unknown;
  high: unknown;
  effort?: string;
  sampling: readonly string[];
  output: string;
}[] = [
  {
    model: 'claude-3-opus-20240229',
    max: 4096,
    none: undefined,
    high: undefined,
    sampling: ['temperature', 'top_p', 'top_k'],
    output: 'none',
  },
  {
    model: 'claude-3-5-haiku-latest',
    max: 8192,
    none: undefined,
    high: undefined,
    sampling: ['temperature', 'top_p', 'top_k'],
    output: 'none',
  },
  {
    model: 'claude-3-7-sonnet-latest',
    max: 64_000,
    none: undefined,
    high: enabled(16_384),
    sampling: ['temperature', 'top_p', 'top_k'],
    output: 'none',
  },
  {
    model: 'claude-sonnet-4-20250514',
    max: 64_000,
    none: undefined,
    high: enabled(16_384),
    sampling: ['temperature', 'top_p', 'top_k'],
    output: 'none',
  },
  {
    model: 'claude-opus-4-20250514',
    max: 32_000,
    none: undefined,
    high: enabled(16_384),
    sampling: ['temperature', 'top_p', 'top_k'],
    output: 'none',
  },
  {
    model: 'claude-opus-4-1',
    max: 32_000,
    none: undefined,
    high: enabled(16_384),
    sampling: ['temperature', 'top_k'],
    output: 'with_tools',
  },
  {
    model: 'claude-sonnet-4-5-20250929',
    max: 64_000,
    none: undefined,
    high: enabled(16_384),
    sampling: ['temperature', 'top_k'],
    output: 'with_tools',
  },
  {
    model: 'claude-sonnet-4-6',
    max: 128_000,
    none: undefined,
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: ['temperature', 'top_k'],
    output: 'with_tools',
  },
  {
    model: 'claude-opus-4-7',
    max: 128_000,
    none: undefined,
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'claude-opus-4-8',
    max: 128_000,
    none: undefined,
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'claude-sonnet-5',
    max: 128_000,
    none: { type: 'disabled' },
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'claude-fable-5',
    max: 128_000,
    none: { type: 'adaptive' },
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'claude-mythos-preview',
    max: 128_000,
    none: { type: 'adaptive' },
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'claude-sonnet-5-5',
    max: 128_000,
    none: { type: 'between_tools' },
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'claude-opus-5-5',
    max: 128_000,
    none: { type: 'adaptive' },
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'claude-haiku-5-5',
    max: 128_000,
    none: { type: 'disabled' },
    high: { type: 'adaptive' },
    effort: 'high',
    sampling: [],
    output: 'with_tools',
  },
  {
    model: 'another-model',
    max: 32_000,
    none: undefined,
    high: enabled(16_384),
    sampling: ['temperature', 'top_p', 'top_k'],
    output: 'none',
  },
];

function enabled(budget_tokens: number): object {
  return { type: 'enabled', budget_tokens };
}

describe.each(rows)('$model', ({ model, max, none, high, effort, sampling, output }) => {
  test('has its most tokens, its way to think, its sampling', async () => {
    expect((await encoded({}, { model })).body).toMatchObject({ model, max_tokens: max });
    expect((await encoded({ settings: { reasoning: { effort: 'none' } } }, { model })).body['thinking']).toEqual(none);
    const asked = (await encoded({ settings: { reasoning: { effort: 'high' } } }, { model })).body;
    expect(asked['thinking']).toEqual(high);
    expect(asked['output_config']).toEqual(effort && { effort });
    const { body, sent, adaptations } = await encoded(
      { settings: { temperature: 0.5, topP: 0.9, topK: 3 } },
      { model },
    );
    expect(['temperature', 'top_p', 'top_k'].filter((field) => field in body)).toEqual(sampling);
    expect(adaptations).toHaveLength(3 - sampling.length);
    expect(sent.headers.get('anthropic-version')).toBe(sampling.length > 0 ? '2023-06-01' : '2026-10-21');
    expect(anthropic().getModel(model).capabilities.structuredOutput).toBe(output);
  });
});

describe('settings', () => {
  test('the rest of them, field by field', async () => {
    const { body, adaptations } = await encoded({
      settings: {
        maxTokens: 100,
        stop: ['END', '\n'],
        metadata: { user_id: 'u', trace: 't' },
        serviceTier: 'default',
        seed: 1,
        verbosity: 'low',
        store: false,
        truncation: 'disabled',
      },
    });
    expect(body).toMatchObject({
      max_tokens: 100,
      stop_sequences: ['END'],
      metadata: { user_id: 'u' },
      service_tier: 'standard_only',
    });
    expect(adaptations.map(({ name }) => name).sort()).toEqual(['metadata', 'seed', 'stop', 'verbosity']);
  });

  test('sampling gives way to thinking, and temperature ends at 1', async () => {
    const { body, adaptations } = await encoded({
      settings: { temperature: 0, topP: 0.97, topK: 3, reasoning: { effort: 'low' } },
    });
    expect(body).not.toHaveProperty('temperature');
    expect(body).not.toHaveProperty('top_k');
    expect(body['top_p']).toBe(0.97);
    expect(adaptations.map(({ name }) => name)).toEqual(['temperature', 'topK']);
    expect((await encoded({ settings: { temperature: 1.5 } })).body['temperature']).toBe(1);
  });

  test('a budget leaves room for the answer, or there is no thinking', async () => {
    const budget = async (maxTokens: number) =>
      (await encoded({ settings: { maxTokens, reasoning: { effort: 'max' } } })).body['thinking'];
    expect(await budget(10_000)).toEqual(enabled(7500));
    expect(await budget(1300)).toEqual(enabled(1024));
    expect(await budget(1024)).toBeUndefined();
  });

  test('a summary is asked for where thinking is not shown by itself', async () => {
    const { body } = await encoded({ settings: { reasoning: { summary: 'auto' } } }, { model: 'claude-opus-4-7' });
    expect(body['thinking']).toEqual({ type: 'adaptive', display: 'summarized' });
  });

  test('an output type goes as a format beside the effort', async () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    } as const;
    const { body } = await encoded(
      { output: { name: 'o', schema, strict: true }, settings: { reasoning: { effort: 'low' } } },
      { model: 'claude-opus-4-6' },
    );
    expect(body['output_config']).toEqual({ effort: 'low', format: { type: 'json_schema', schema } });
  });

  test('the user’s own options go into the body, last', async () => {
    const { body, sent } = await encoded({
      settings: {
        providerOptions: {
          anthropic: { container: 'c_1', thinking: { type: 'enabled', budget_tokens: 2000 } },
          other: { x: 1 },
        },
      },
    });
    expect(body).toMatchObject({ container: 'c_1', thinking: { type: 'enabled', budget_tokens: 2000 } });
    expect(body).not.toHaveProperty('x');
    expect(sent.headers.get('anthropic-beta')).toBeNull();
  });
});

describe('cache marks', () => {
  const f = { type: 'function', name: 'f', description: '', parameters: { type: 'object' }, strict: false } as const;
  const request = {
    instructions: 'A',
    tools: [f, { type: 'anthropic:custom', name: 'later', input_schema: { type: 'object' }, defer_loading: true }],
    input: [
      user('1'),
      { type: 'message', role: 'assistant', content: 'x' } as const,
      user('2'),
      { type: 'message', role: 'assistant', content: 'y' } as const,
      user('3'),
    ],
  };

  test('behind the tools, the instructions and the last two messages of the user', async () => {
    const { body, messages } = await encoded(request);
    const marked = (blocks: unknown) =>
      (blocks as { cache_control?: unknown }[]).map(({ cache_control }) => cache_control !== undefined);
    expect(marked(body['tools'])).toEqual([true, false]);
    expect(marked(body['system'])).toEqual([true]);
    expect(messages.map(({ content }) => marked(content)[0])).toEqual([false, false, true, false, true]);
  });

  test('none, or for as long as is asked', async () => {
    expect(JSON.stringify((await encoded({ ...request, settings: { cache: 'none' } })).body)).not.toContain(
      'cache_control',
    );
    expect((await encoded({ ...request, settings: { cache: { ttl: '1h' } } })).body['system']).toMatchObject([
      { cache_control: { type: 'ephemeral', ttl: '1h' } },
    ]);
    const own = await encoded({
      ...request,
      settings: { providerOptions: { anthropic: { cache_control: { type: 'ephemeral' } } } },
    });
    expect(unmarked(own.body['system'])).toEqual(own.body['system']);
    expect(own.body['cache_control']).toEqual({ type: 'ephemeral' });
  });
});
