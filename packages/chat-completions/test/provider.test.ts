import { UserError } from '@polyrun/core';
import { OpenAI } from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { chatCompletions, presetNames, type AdapterOptions } from '../src/index.ts';
import { presets } from '../src/presets.ts';
import { all, ask, endpoint, json, sse } from '@polyrun/wires/endpoint';
import { completion, delta, finish } from './support/endpoint.ts';

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (/_(API_KEY|TOKEN|BASE_URL|API_BASE|ENDPOINT|VERSION)$/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

/** Where a call goes, with what. */
async function call(name: string | undefined, options: AdapterOptions = {}) {
  const { sent, fetch } = endpoint(() => json(completion({ content: 'ok' }), { headers: { 'x-request-id': 'req_1' } }));
  const model = chatCompletions({ ...options, ...(options.client ? {} : { fetch }) }).getModel(name);
  const response = await model.getResponse(ask());
  const [{ url, headers, body } = { url: '', headers: new Headers(), body: {} }] = sent;
  return { url, headers, body, model, response };
}

describe('names', () => {
  test.each([
    ['openai/gpt-4.1', 'OPENAI_API_KEY', 'https://api.openai.com/v1/chat/completions'],
    ['gpt-4.1', 'OPENAI_API_KEY', 'https://api.openai.com/v1/chat/completions'],
    ['mistral/mistral-small-latest', 'MISTRAL_API_KEY', 'https://api.mistral.ai/v1/chat/completions'],
    ['groq/openai/gpt-oss-120b', 'GROQ_API_KEY', 'https://api.groq.com/openai/v1/chat/completions'],
    ['deepseek/deepseek-chat', 'DEEPSEEK_API_KEY', 'https://api.deepseek.com/chat/completions'],
    ['together/meta-llama/Llama-3.3', 'TOGETHER_API_KEY', 'https://api.together.ai/v1/chat/completions'],
    ['together_ai/meta-llama/Llama-3.3', 'TOGETHERAI_API_KEY', 'https://api.together.ai/v1/chat/completions'],
    ['fireworks_ai/accounts/x', 'FIREWORKS_AI_API_KEY', 'https://api.fireworks.ai/inference/v1/chat/completions'],
    ['openrouter/openai/gpt-4o', 'OPENROUTER_API_KEY', 'https://openrouter.ai/api/v1/chat/completions'],
    ['xai/grok-4', 'XAI_API_KEY', 'https://api.x.ai/v1/chat/completions'],
    ['cerebras/gpt-oss-120b', 'CEREBRAS_API_KEY', 'https://api.cerebras.ai/v1/chat/completions'],
    ['perplexity/sonar', 'PERPLEXITY_API_KEY', 'https://api.perplexity.ai/chat/completions'],
    ['moonshot/kimi-k3', 'MOONSHOT_API_KEY', 'https://api.moonshot.ai/v1/chat/completions'],
    ['zai/glm-4.7', 'ZAI_API_KEY', 'https://api.z.ai/api/paas/v4/chat/completions'],
    [
      'alibaba/qwen3-max',
      'DASHSCOPE_API_KEY',
      'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions',
    ],
    [
      'dashscope/qwen3-max',
      'DASHSCOPE_API_KEY',
      'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions',
    ],
    ['huggingface/Qwen/Qwen3', 'HF_TOKEN', 'https://router.huggingface.co/v1/chat/completions'],
    ['nvidia/meta/llama', 'NVIDIA_API_KEY', 'https://integrate.api.nvidia.com/v1/chat/completions'],
    [
      'gemini/gemini-3-flash',
      'GEMINI_API_KEY',
      'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    ],
    [
      'google/gemini-3-flash',
      'GOOGLE_API_KEY',
      'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    ],
    ['sambanova/Llama', 'SAMBANOVA_API_KEY', 'https://api.sambanova.ai/v1/chat/completions'],
  ])('%s reads %s and calls %s', async (name, variable, url) => {
    vi.stubEnv(variable, 'from-env');
    const sent = await call(name);
    expect(sent.url).toBe(url);
    expect(sent.headers.get('authorization')).toBe('Bearer from-env');
    expect(sent.body['model']).toBe(name.includes('/') ? name.slice(name.indexOf('/') + 1) : name);
    expect(sent.response.requestId).toBe('req_1');
  });

  test.each([
    ['ollama/llama3.2', 'http://localhost:11434/v1/chat/completions'],
    ['lm_studio/local', 'http://localhost:1234/v1/chat/completions'],
    ['hosted_vllm/Qwen/Qwen3', 'http://localhost:8000/v1/chat/completions'],
    ['litellm_proxy/my-model', 'http://localhost:4000/chat/completions'],
  ])('%s needs no key and calls %s', async (name, url) => {
    const sent = await call(name);
    expect(sent.url).toBe(url);
    expect(sent.headers.has('authorization')).toBe(false);
  });

  test.each(Object.keys(presets))('%s is the provider of its models', (name) => {
    const model = chatCompletions().getModel(`${name}/some-model`);
    expect(model).toMatchObject({ provider: name, name: 'some-model' });
  });

  test('an unknown prefix names the known ones and the way out', () => {
    const attempt = () => chatCompletions().getModel('acme/gpt-4');
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(/acme\/gpt-4.*openai.*groq.*baseURL/s);
  });

  test('no name at all is an error unless there is a default', async () => {
    expect(() => chatCompletions().getModel()).toThrow(UserError);
    const sent = await call(undefined, { apiKey: 'k', defaultModel: 'groq/llama' });
    expect(sent.body['model']).toBe('llama');
  });

  test('with a base URL, names are sent as they are', async () => {
    const sent = await call('openai/gpt-oss-20b', { baseURL: 'http://localhost:8080/v1/' });
    expect(sent.url).toBe('http://localhost:8080/v1/chat/completions');
    expect(sent.body['model']).toBe('openai/gpt-oss-20b');
    expect(sent.model.provider).toBe('localhost:8080');
    expect(sent.headers.has('authorization')).toBe(false);
  });

  test('a base URL of a known provider is known', async () => {
    vi.stubEnv('OPENROUTER_API_KEY', 'from-env');
    const sent = await call('openai/gpt-4o', { baseURL: 'https://openrouter.ai/api/v1' });
    expect(sent.model.provider).toBe('openrouter');
    expect(sent.body['model']).toBe('openai/gpt-4o');
    expect(sent.headers.get('authorization')).toBe('Bearer from-env');
  });

  test('a preset as the name needs no prefix; another name is only a name', async () => {
    expect(await call('groq/compound', { name: 'groq', apiKey: 'k' })).toMatchObject({
      url: 'https://api.groq.com/openai/v1/chat/completions',
      body: { model: 'groq/compound' },
      model: { provider: 'groq' },
    });
    expect(await call('m', { name: 'acme', baseURL: 'https://acme.test/v1' })).toMatchObject({
      model: { provider: 'acme' },
    });
  });

  test('an address may come from the environment, for every preset', async () => {
    vi.stubEnv('OLLAMA_BASE_URL', 'http://gpu:11434/v1');
    vi.stubEnv('LITELLM_PROXY_API_BASE', 'http://proxy:4000');
    expect((await call('ollama/llama3.2')).url).toBe('http://gpu:11434/v1/chat/completions');
    expect((await call('litellm_proxy/x')).url).toBe('http://proxy:4000/chat/completions');
  });

  test('the same name gives the same model', () => {
    const provider = chatCompletions();
    expect(provider.getModel('groq/a')).toBe(provider.getModel('groq/a'));
    expect(provider.getModel('groq/a')).not.toBe(provider.getModel('groq/b'));
  });
});

describe('keys', () => {
  test('a missing key is named before any request', async () => {
    await expect(call('groq/llama')).rejects.toThrow(UserError);
    await expect(call('groq/llama')).rejects.toThrow(/GROQ_API_KEY.*apiKey/);
  });

  test('OpenAI’s key is not sent to an unknown endpoint', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'secret');
    vi.stubEnv('OPENAI_ORG_ID', 'org');
    const sent = await call('m', { baseURL: 'https://unknown.test/v1' });
    expect(JSON.stringify([...sent.headers])).not.toMatch(/secret|"org"/);
  });

  test('a function is asked at each call', async () => {
    const { sent, fetch } = endpoint(() => json(completion({ content: 'ok' })));
    let calls = 0;
    const model = chatCompletions({ fetch, apiKey: () => Promise.resolve(`key-${++calls}`) }).getModel('groq/llama');
    await model.getResponse(ask());
    await model.getResponse(ask());
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer key-1', 'Bearer key-2']);
  });

  test('a key that the environment gets later counts', async () => {
    const { sent, fetch } = endpoint(() => json(completion({ content: 'ok' })));
    const model = chatCompletions({ fetch }).getModel('groq/llama');
    await expect(model.getResponse(ask())).rejects.toThrow(UserError);
    vi.stubEnv('GROQ_API_KEY', 'late');
    await model.getResponse(ask());
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer late');
  });

  test('many providers with many keys do not mix', async () => {
    const { sent, fetch } = endpoint(({ headers }) => json(completion({ content: headers.get('authorization') })));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        chatCompletions({ apiKey: `k${n}`, fetch })
          .getModel('groq/llama')
          .getResponse(ask()),
      ),
    );
    expect(answers.map(({ output }) => output)).toEqual(
      Array.from({ length: 200 }, (_, n) => [
        expect.objectContaining({ content: [expect.objectContaining({ text: `Bearer k${n}` })] }),
      ]),
    );
    expect(sent).toHaveLength(200);
  });

  test('headers are sent with every request and may hold the key', async () => {
    const sent = await call('groq/llama', { headers: { Authorization: 'Token x', 'X-Title': 'app' } });
    expect(sent.headers.get('authorization')).toBe('Token x');
    expect(sent.headers.get('x-title')).toBe('app');
  });
});

describe('azure', () => {
  const host = 'https://res.openai.azure.com';

  test.each([
    [host, undefined, `${host}/openai/v1/chat/completions`],
    [`${host}/`, undefined, `${host}/openai/v1/chat/completions`],
    [`${host}/openai`, undefined, `${host}/openai/v1/chat/completions`],
    [`${host}/openai/v1/`, undefined, `${host}/openai/v1/chat/completions`],
    [host, '2024-10-21', `${host}/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21`],
    [
      `${host}?api-version=2024-10-21`,
      undefined,
      `${host}/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21`,
    ],
    [
      `${host}/openai/deployments/other?api-version=2024-10-21`,
      undefined,
      `${host}/openai/deployments/other/chat/completions?api-version=2024-10-21`,
    ],
  ])('%s with version %s calls %s', async (endpointURL, version, url) => {
    vi.stubEnv('AZURE_OPENAI_ENDPOINT', endpointURL);
    vi.stubEnv('AZURE_OPENAI_API_KEY', 'azure-key');
    vi.stubEnv('OPENAI_API_VERSION', version);
    const sent = await call('azure/my-gpt');
    expect(sent.url).toBe(url);
    expect(sent.headers.get('api-key')).toBe('azure-key');
    expect(sent.headers.has('authorization')).toBe(false);
  });

  test('without an address it says what to set', async () => {
    await expect(call('azure/my-gpt', { apiKey: 'k' })).rejects.toThrow(/baseURL.*AZURE_OPENAI/);
  });
});

describe('a client that is given', () => {
  test('is used as it is, with retries off', async () => {
    let count = 0;
    const { sent, fetch } = endpoint(() =>
      ++count === 1 ? json({ error: { message: 'busy' } }, { status: 503 }) : json(completion({ content: 'ok' })),
    );
    const client = new OpenAI({ apiKey: 'mine', baseURL: 'https://gateway.test/v1', maxRetries: 5, fetch });
    const model = chatCompletions({ client }).getModel('vendor/model');
    await expect(model.getResponse(ask())).rejects.toMatchObject({ kind: 'overloaded' });
    await model.getResponse(ask());
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ url: 'https://gateway.test/v1/chat/completions', body: { model: 'vendor/model' } });
    expect(sent[1]?.headers.get('authorization')).toBe('Bearer mine');
    expect(model.provider).toBe('gateway.test');
  });
});

describe('streams', () => {
  test('ask for usage where that is known, and not where it is refused', async () => {
    const { sent, fetch } = endpoint(() => sse([delta({ content: 'a' }), finish('stop')]));
    const provider = chatCompletions({ apiKey: 'k', fetch });
    for (const name of ['openai/gpt-4.1', 'mistral/mistral-small-latest'])
      await all(provider.getModel(name).streamResponse(ask()));
    expect(sent.map(({ body }) => [body['stream'], body['stream_options']])).toEqual([
      [true, { include_usage: true }],
      [true, undefined],
    ]);
  });

  test('a tap sees the request and the chunks', async () => {
    const { fetch } = endpoint(() => sse([delta({ content: 'a' }), finish('stop')]));
    const seen: string[] = [];
    const model = chatCompletions({ apiKey: 'k', fetch }).getModel('openai/gpt-4.1');
    await all(model.streamResponse(ask(), { onWire: ({ kind }) => void seen.push(kind) }));
    expect(seen).toEqual(['request', 'chunk', 'chunk', 'chunk']);
  });
});

test('an address without its scheme is refused before any request', async () => {
  await expect(call('m', { baseURL: 'localhost:9' })).rejects.toThrow(/^baseURL: localhost:9 .*https:/);
});

test('a provider by a name that nobody knows does not become OpenAI', () => {
  expect(() => chatCompletions({ name: 'grok', apiKey: 'k' }).getModel('llama')).toThrow(/names no known provider/);
  expect(presetNames).toContain('groq');
});

test('a provider that can travel says how', () => {
  const options = { apiKey: 'k', name: 'groq' };
  const { reference } = chatCompletions(options);
  expect(reference).toEqual({ module: '@polyrun/chat-completions', export: 'chatCompletions', options });
  expect(chatCompletions({ apiKey: () => 'k' }).reference).toBeUndefined();
  expect(chatCompletions({ fetch }).reference).toBeUndefined();
});

test('where there is no process, the environment is empty and keys may be given', async () => {
  vi.stubGlobal('process', undefined);
  try {
    await expect(call('groq/llama')).rejects.toThrow(UserError);
    expect((await call('groq/llama', { apiKey: 'k' })).headers.get('authorization')).toBe('Bearer k');
  } finally {
    vi.unstubAllGlobals();
  }
});
