import { HTTPClient, Mistral } from '@mistralai/mistralai';
import { UserError } from '@polyrun/core';
import { all, ask, endpoint, json, sse } from '@polyrun/wires/endpoint';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { mistral, type AdapterOptions } from '../src/index.ts';
import { completion, delta, finish, modelOf } from './support/endpoint.ts';

beforeEach(() => void vi.stubEnv('MISTRAL_API_KEY', undefined));
afterEach(() => vi.unstubAllEnvs());

const reply = () => json(completion({ content: 'ok' }), { headers: { 'mistral-correlation-id': 'req_1' } });

/** Where a call goes, with what. */
async function call(options: AdapterOptions = {}, name: string | undefined = 'mistral-small-latest') {
  const { sent, fetch } = endpoint(reply);
  const model = mistral({ ...options, fetch }).getModel(name);
  const response = await model.getResponse(ask());
  const [{ url, headers, body } = { url: '', headers: new Headers(), body: {} }] = sent;
  return { url, headers, body, model, response };
}

describe('a call', () => {
  test('goes to Mistral, with the key of the environment, which is read when it is made', async () => {
    const model = mistral({ fetch: endpoint(reply).fetch }).getModel('mistral-small-latest');
    vi.stubEnv('MISTRAL_API_KEY', 'from-env');
    await model.getResponse(ask());
    const sent = await call();
    expect(sent.url).toBe('https://api.mistral.ai/v1/chat/completions');
    expect(sent.headers.get('authorization')).toBe('Bearer from-env');
    expect(sent.headers.get('user-agent')).toContain('mistral-client-typescript');
    expect(sent.headers.get('content-type')).toBe('application/json');
    expect(sent.body['model']).toBe('mistral-small-latest');
    expect(sent.model).toMatchObject({ provider: 'mistral', name: 'mistral-small-latest' });
    expect(sent.response).toMatchObject({ id: 'c1', model: 'm', requestId: 'req_1' });
    expect(sent.response.output[0]?.origin).toEqual({ provider: 'mistral', api: 'mistral', model: 'm' });
  });

  test.each([
    ['https://eu.example.test', 'https://eu.example.test/v1/chat/completions'],
    ['https://eu.example.test/v1/', 'https://eu.example.test/v1/chat/completions'],
    ['http://localhost:8080/mistral', 'http://localhost:8080/mistral/v1/chat/completions'],
  ])('with the base URL %s goes to %s', async (baseURL, url) => {
    expect((await call({ baseURL, apiKey: 'k' })).url).toBe(url);
  });

  test('takes keys from functions, headers, and options of its own name', async () => {
    let keys = 0;
    const options: AdapterOptions = {
      apiKey: () => Promise.resolve(`key-${++keys}`),
      headers: { 'X-Team': 'a' },
      name: 'eu',
    };
    const { sent, fetch } = endpoint(reply);
    const model = mistral({ ...options, fetch }).getModel('m');
    const settings = { providerOptions: { eu: { safe_prompt: true }, mistral: { safe_prompt: false } } };
    await model.getResponse(ask({ settings }));
    await model.getResponse(ask());
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer key-1', 'Bearer key-2']);
    expect(sent[0]?.headers.get('x-team')).toBe('a');
    expect(sent[0]?.body['safe_prompt']).toBe(true);
    expect(model.provider).toBe('eu');
  });

  test('a header that authorizes takes the place of a key', async () => {
    const sent = await call({ headers: { authorization: 'Basic abc' } });
    expect(sent.headers.get('authorization')).toBe('Basic abc');
  });

  test(verifies('E2', 'without a key is refused before any request, with the option and the variable'), async () => {
    const { sent, fetch } = endpoint(reply);
    const attempt = mistral({ fetch }).getModel('m').getResponse(ask());
    await expect(attempt).rejects.toThrow(UserError);
    await expect(mistral({ fetch }).getModel('m').getResponse(ask())).rejects.toThrow(/MISTRAL_API_KEY.*apiKey/);
    expect(sent).toEqual([]);
  });

  test('a server of one’s own may do without a key', async () => {
    const sent = await call({ baseURL: 'http://localhost:8000/v1' });
    expect(sent.headers.has('authorization')).toBe(false);
  });

  test(verifies('E2', 'an address without its scheme is refused before any request'), async () => {
    await expect(call({ baseURL: 'localhost:9', apiKey: 'k' })).rejects.toThrow(/^baseURL: localhost:9\. .*https:/);
  });

  test('where there is no process, the environment is empty and keys may be given', async () => {
    vi.stubGlobal('process', undefined);
    try {
      await expect(call()).rejects.toThrow(UserError);
      expect((await call({ apiKey: 'k' })).headers.get('authorization')).toBe('Bearer k');
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('models', () => {
  test('need a name, or a default', async () => {
    expect(() => mistral().getModel()).toThrow(/model: none was named.*defaultModel/);
    expect((await call({ apiKey: 'k', defaultModel: 'codestral-latest' }, undefined)).body['model']).toBe(
      'mistral-small-latest',
    );
    expect(mistral({ defaultModel: 'codestral-latest' }).getModel().name).toBe('codestral-latest');
  });

  test('of one name are one model', () => {
    const provider = mistral();
    expect(provider.getModel('a')).toBe(provider.getModel('a'));
    expect(provider.getModel('a')).not.toBe(provider.getModel('b'));
  });
});

describe('a client that is given', () => {
  test('is used as it is, with retries off', async () => {
    let count = 0;
    const { sent, fetch } = endpoint(() => (++count === 1 ? json({ message: 'busy' }, { status: 503 }) : reply()));
    const client = new Mistral({
      apiKey: async () => 'mine',
      serverURL: 'https://gateway.test/proxy',
      retryConfig: { strategy: 'backoff' },
      httpClient: new HTTPClient({ fetcher: fetch }),
    });
    const model = mistral({ client }).getModel('m');
    await expect(model.getResponse(ask())).rejects.toMatchObject({ kind: 'overloaded' });
    await model.getResponse(ask());
    expect(sent).toHaveLength(2);
    expect(sent[1]?.url).toBe('https://gateway.test/proxy/v1/chat/completions');
    expect(sent[1]?.headers.get('authorization')).toBe('Bearer mine');
  });

  test('does its hooks', async () => {
    const { sent, fetch } = endpoint(reply);
    const httpClient = new HTTPClient({ fetcher: fetch });
    httpClient.addHook('beforeRequest', (request) => {
      request.headers.set('x-hook', 'yes');
      return request;
    });
    await mistral({ client: new Mistral({ apiKey: 'k', httpClient }) })
      .getModel('m')
      .getResponse(ask());
    expect(sent[0]?.headers.get('x-hook')).toBe('yes');
  });
});

describe('streams', () => {
  test('are asked for, and a tap sees the request and the chunks', async () => {
    const { sent, fetch } = endpoint(() => sse([delta({ content: 'a' }), finish('stop')]));
    const seen: string[] = [];
    await all(modelOf({ fetch }).streamResponse(ask(), { onWire: ({ kind }) => void seen.push(kind) }));
    expect(sent[0]?.body['stream']).toBe(true);
    expect(sent[0]?.headers.get('accept')).toBe('text/event-stream');
    expect(seen).toEqual(['request', 'chunk', 'chunk', 'chunk']);
  });
});

test('a provider that can travel says how', () => {
  const options = { apiKey: 'k', defaultModel: 'm' };
  expect(mistral(options).reference).toEqual({ module: '@polyrun/mistral', export: 'mistral', options });
  expect(mistral({ apiKey: () => 'k' }).reference).toBeUndefined();
  expect(mistral({ fetch }).reference).toBeUndefined();
  expect(mistral({ client: new Mistral() }).reference).toBeUndefined();
});
