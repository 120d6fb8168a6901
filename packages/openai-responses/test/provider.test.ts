import { UserError } from '@polyrun/core';
import { all, ask, endpoint, json, sse } from '@polyrun/wires/endpoint';
import { OpenAI } from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dialectRows } from '../src/dialects.ts';
import { openaiResponses, type AdapterOptions } from '../src/index.ts';
import { response, said } from './support/endpoint.ts';

const variables = [
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'OPENAI_ORG_ID',
  'AZURE_OPENAI_API_KEY',
  'AZURE_OPENAI_ENDPOINT',
  'XAI_API_KEY',
];
beforeEach(() => variables.forEach((name) => vi.stubEnv(name, undefined)));
afterEach(() => vi.unstubAllEnvs());

async function call(options: AdapterOptions = {}, model = 'gpt-5.6') {
  const { sent, fetch } = endpoint(() => json(response([said('ok')])));
  await openaiResponses({ ...options, fetch })
    .getModel(model)
    .getResponse(ask());
  const [first] = sent;
  if (!first) throw new Error('nothing was sent');
  return first;
}

describe('places', () => {
  test.each<[AdapterOptions, string, string]>([
    [{}, 'openai', 'https://api.openai.com/v1/responses'],
    [{ name: 'xai' }, 'xai', 'https://api.x.ai/v1/responses'],
    [{ baseURL: 'https://api.x.ai/v1/' }, 'xai', 'https://api.x.ai/v1/responses'],
    [{ name: 'lmstudio' }, 'lmstudio', 'http://localhost:1234/v1/responses'],
    [{ baseURL: 'https://my.test/api?v=2' }, 'my.test', 'https://my.test/api/responses?v=2'],
    [{ baseURL: 'https://my.test/api', name: 'mine' }, 'mine', 'https://my.test/api/responses'],
    [{ baseURL: 'https://res.openai.azure.com' }, 'azure', 'https://res.openai.azure.com/openai/v1/responses'],
    [
      { baseURL: 'https://res.openai.azure.com/openai/v1/?api-version=preview' },
      'azure',
      'https://res.openai.azure.com/openai/v1/responses?api-version=preview',
    ],
    [
      { baseURL: 'https://bedrock-mantle.us-east-1.api.aws/v1' },
      'bedrock-mantle',
      'https://bedrock-mantle.us-east-1.api.aws/v1/responses',
    ],
  ])('%j is %s at %s', async (options, provider, url) => {
    expect(openaiResponses(options).getModel('m').provider).toBe(provider);
    expect((await call({ apiKey: 'k', ...options })).url).toBe(url);
  });

  test('the environment moves a known server', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'https://proxy.test/v1');
    expect((await call({ apiKey: 'k' })).url).toBe('https://proxy.test/v1/responses');
  });

  test.each([{ baseURL: 'localhost:9' }, { name: 'azure' }, { name: 'nobody' }])(
    '%j names no address',
    async (options) => {
      await expect(call({ apiKey: 'k', ...options })).rejects.toThrow(/^baseURL: /);
      await expect(call({ apiKey: 'k', ...options })).rejects.toThrow(UserError);
    },
  );

  test('a server by another name is known by its address', async () => {
    const model = openaiResponses({ baseURL: 'https://api.x.ai/v1', name: 'grok' }).getModel('grok-4');
    expect(model.provider).toBe('grok');
    expect(model.capabilities.serverState).toEqual(['previous_response']);
    const sent = await call({ baseURL: 'https://res.openai.azure.com', name: 'mine', apiKey: 'k' });
    expect(sent.headers.get('api-key')).toBe('k');
  });
});

describe('keys', () => {
  test('a missing one is named before any request', async () => {
    await expect(call()).rejects.toThrow(/OPENAI_API_KEY.*apiKey/);
    await expect(call({ name: 'xai' })).rejects.toThrow(/XAI_API_KEY/);
    await expect(call()).rejects.toThrow(UserError);
  });

  test('are read when a call is made, and are nobody else’s', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'secret');
    vi.stubEnv('OPENAI_ORG_ID', 'org');
    expect((await call()).headers.get('authorization')).toBe('Bearer secret');
    const elsewhere = await call({ baseURL: 'https://unknown.test/v1' });
    expect(JSON.stringify([...elsewhere.headers])).not.toMatch(/secret|"org"/);
    await expect(call({ name: 'xai' })).rejects.toThrow(UserError);
  });

  test('a function is asked at each call', async () => {
    let asked = 0;
    const { sent, fetch } = endpoint(() => json(response([said('ok')])));
    const model = openaiResponses({ fetch, apiKey: () => Promise.resolve(`key-${++asked}`) }).getModel('m');
    await model.getResponse(ask());
    await model.getResponse(ask());
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer key-1', 'Bearer key-2']);
  });

  test('headers go with every request, and one that authorizes takes the place of a key', async () => {
    const sent = await call({ headers: { Authorization: 'Token x', 'X-Title': 'app' } });
    expect([sent.headers.get('authorization'), sent.headers.get('x-title')]).toEqual(['Token x', 'app']);
  });

  test('Azure takes its key in a header of its own', async () => {
    vi.stubEnv('AZURE_OPENAI_ENDPOINT', 'https://res.openai.azure.com/');
    vi.stubEnv('AZURE_OPENAI_API_KEY', 'azure-key');
    const sent = await call({ name: 'azure' }, 'my-deployment');
    expect(sent.url).toBe('https://res.openai.azure.com/openai/v1/responses');
    expect([sent.headers.get('api-key'), sent.headers.has('authorization')]).toEqual(['azure-key', false]);
  });
});

test('a client that is given is used as it is, with retries off', async () => {
  let count = 0;
  const { sent, fetch } = endpoint(() =>
    ++count === 1 ? json({ error: { message: 'busy' } }, { status: 503 }) : json(response([said('ok')])),
  );
  const client = new OpenAI({ apiKey: 'mine', baseURL: 'https://gateway.test/v1', maxRetries: 5, fetch });
  const model = openaiResponses({ client }).getModel('vendor/model');
  await expect(model.getResponse(ask())).rejects.toMatchObject({ kind: 'overloaded' });
  await model.getResponse(ask());
  expect(sent).toHaveLength(2);
  expect(sent[1]).toMatchObject({ url: 'https://gateway.test/v1/responses', body: { model: 'vendor/model' } });
  expect(sent[1]?.headers.get('authorization')).toBe('Bearer mine');
  expect(model.provider).toBe('gateway.test');
});

test('models are one object per name; none is an error that says what to do', () => {
  const provider = openaiResponses({ defaultModel: 'gpt-5.6' });
  expect(provider.getModel('a')).toBe(provider.getModel('a'));
  expect(provider.getModel().name).toBe('gpt-5.6');
  expect(() => openaiResponses().getModel()).toThrow(/defaultModel/);
});

test('a provider that can travel says how', () => {
  const options = { apiKey: 'k', name: 'xai' };
  expect(openaiResponses(options).reference).toEqual({
    module: '@polyrun/openai-responses',
    export: 'openaiResponses',
    options,
  });
  expect(openaiResponses({ apiKey: () => 'k' }).reference).toBeUndefined();
  expect(openaiResponses({ fetch }).reference).toBeUndefined();
});

test('only streams ask for a stream, and a tap sees all', async () => {
  const { sent, fetch } = endpoint(({ body }) =>
    body['stream'] === true
      ? sse([
          { type: 'response.created', response: {} },
          { type: 'response.completed', response: response([said('a')]) },
        ])
      : json(response([said('a')])),
  );
  const model = openaiResponses({ apiKey: 'k', fetch }).getModel('m');
  const seen: string[] = [];
  const tap = { onWire: ({ kind }: { kind: string }) => void seen.push(kind) };
  await all(model.streamResponse(ask(), tap));
  await model.getResponse(ask(), tap);
  expect(sent.map(({ body }) => body['stream'])).toEqual([true, undefined]);
  expect(seen).toEqual(['request', 'chunk', 'chunk', 'chunk', 'request', 'response']);
});

describe('each row of the table of quirks', () => {
  const facts = (name: string, model: string) =>
    openaiResponses({ name, baseURL: 'https://e.test' }).getModel(model).capabilities;
  /** What the row of that provider and model shows in what a caller can see of it. */
  const shown: { readonly [row: string]: () => void } = {
    openai: () => expect(facts('openai', 'm').settings).not.toContain('frequencyPenalty'),
    'openai o': () => expect(facts('openai', 'o4-mini')).toMatchObject({ reasoning: 'always' }),
    'openai gpt-4': () => expect(facts('openai', 'ft:gpt-4o:me').reasoning).toBe('none'),
    azure: () => expect(facts('azure', 'dep').settings).toContain('cache'),
    'azure o': () => expect(facts('azure', 'gpt-5-mini').settings).not.toContain('temperature'),
    'azure gpt-4': () => expect(facts('azure', 'gpt-5-chat').reasoning).toBe('none'),
    xai: () => expect(facts('xai', 'grok-4').serverState).toEqual(['previous_response']),
    openrouter: () => expect(facts('openrouter', 'm').serverState).toEqual([]),
    deepseek: () => expect(facts('deepseek', 'm').hostedTools).toEqual([]),
    groq: () => expect(facts('groq', 'm').serverState).toEqual([]),
    lmstudio: () => expect(facts('lmstudio', 'm').serverState).toEqual(['previous_response']),
    ollama: () => expect(facts('ollama', 'm').serverState).toEqual([]),
  };

  test.each(Object.entries(shown))('%s', (_, check) => check());

  test('has a fixture', () => {
    const rows = dialectRows.map(({ provider, models }) =>
      models ? `${provider} ${models.test('o4') ? 'o' : 'gpt-4'}` : provider,
    );
    expect(Object.keys(shown)).toEqual(rows);
  });

  test('and what nobody knows is permitted', () => {
    expect(facts('some', 'm')).toMatchObject({
      jsonMode: true,
      serverState: ['conversation', 'previous_response'],
    });
    expect(facts('some', 'm').hostedTools).toBeUndefined();
    expect(facts('some', 'm').settings).toContain('frequencyPenalty');
  });
});
