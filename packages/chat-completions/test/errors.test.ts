import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { ModelError, UserError } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { chatCompletions, type AdapterOptions } from '../src/index.ts';
import { all, ask, endpoint, json, sse } from '@polyrun/wires/endpoint';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, streamed } from './support/endpoint.ts';

const failed = (status: number, error: unknown, headers: { [name: string]: string } = {}) =>
  thrown(decoded(json(typeof error === 'string' ? error : { error }, { status, headers })));

describe('an answer that is an error', () => {
  test.each<[number, object | string, string]>([
    [401, { message: 'Incorrect API key provided', code: 'invalid_api_key' }, 'auth'],
    [403, { message: 'Country not supported' }, 'auth'],
    [400, { message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' }, 'auth'],
    [404, { message: 'The model `x` does not exist', code: 'model_not_found' }, 'not_found'],
    [400, { message: 'The model `x` has been decommissioned', code: 'model_decommissioned' }, 'not_found'],
    [
      429,
      { message: 'Rate limit reached for gpt-4o. Please try again in 20s. Visit /account/billing', type: 'tokens' },
      'rate_limit',
    ],
    [429, { message: 'You exceeded your current quota, please check your plan', code: 'insufficient_quota' }, 'quota'],
    [429, { message: 'You exceeded your current quota. Please retry in 34.07s.' }, 'rate_limit'],
    [402, { message: 'Insufficient Balance' }, 'quota'],
    [
      400,
      { message: 'Output data may contain inappropriate content.', code: 'data_inspection_failed' },
      'content_filter',
    ],
    [403, { message: 'Your team has used all available credits' }, 'quota'],
    [
      400,
      { message: "This model's maximum context length is 128000 tokens", code: 'context_length_exceeded' },
      'context_length',
    ],
    [400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }, 'context_length'],
    [413, { message: 'Request too large for model, TPM limit', code: 'rate_limit_exceeded' }, 'rate_limit'],
    [413, 'Payload Too Large', 'invalid_request'],
    [400, { message: 'The response was filtered due to the prompt', code: 'content_filter' }, 'content_filter'],
    [403, { message: 'Your input was flagged', metadata: { provider_name: 'OpenAI' } }, 'content_filter'],
    [400, { message: "Unsupported parameter: 'max_tokens'", code: 'unsupported_parameter' }, 'invalid_request'],
    [422, { message: 'extra fields not permitted' }, 'invalid_request'],
    [408, 'Request Timeout', 'timeout'],
    [500, { message: 'The server had an error', type: 'server_error' }, 'server'],
    [502, '<html>Bad Gateway</html>', 'server'],
    [503, { message: 'The engine is busy' }, 'overloaded'],
    [504, '', 'timeout'],
    [529, { message: 'Overloaded', type: 'overloaded_error' }, 'overloaded'],
    [418, '', 'invalid_request'],
    [429, { message: 'You exceeded your current token quota: 0', type: 'exceeded_current_quota_error' }, 'quota'],
    [400, { message: 'Access denied, your account is not in good standing.', code: 'Arrearage' }, 'quota'],
    [403, { message: 'The free tier has been exhausted.', code: 'AllocationQuota.FreeTierOnly' }, 'quota'],
    [400, { message: 'Budget has been exceeded! Current cost: 10', type: 'budget_exceeded' }, 'quota'],
    [400, { message: 'litellm.ContentPolicyViolationError: AzureException' }, 'content_filter'],
    [400, { message: 'the request exceeds the available size', type: 'exceed_context_size_error' }, 'context_length'],
    [400, { message: 'Range of input length should be [1, 30720]' }, 'context_length'],
    [400, { message: 'Your request exceeded model token limit: 8192' }, 'context_length'],
    [400, { message: 'The input token count (9) exceeds the maximum number of tokens allowed (8).' }, 'context_length'],
  ])(verifies('E1', '%i %j is %s'), async (status, error, kind) => {
    const caught = await failed(status, error);
    expect(caught).toBeInstanceOf(ModelError);
    expect(caught).toMatchObject({ kind, status });
  });

  test(verifies('E1', 'says who said what, under which request id, and when to come back'), async () => {
    const headers = { 'x-request-id': 'req_1', 'retry-after': '7' };
    const error = await failed(429, { message: 'Slow down', code: 'rate_limit_exceeded', type: 'requests' }, headers);
    expect(error).toMatchObject({ kind: 'rate_limit', retryable: true, requestId: 'req_1', retryAfterMs: 7000 });
    expect(error.message).toBe('example.test answered 429 (rate_limit_exceeded requests): Slow down');
    expect(error.body).toEqual({
      error: { message: 'Slow down', code: 'rate_limit_exceeded', type: 'requests', param: '' },
    });
  });

  test('retry-after-ms beats retry-after, which may be a date', async () => {
    const exact = await failed(429, { message: 'x' }, { 'retry-after-ms': '1500', 'retry-after': '9' });
    expect(exact.retryAfterMs).toBe(1500);
    const date = new Date(Date.now() + 60_000).toUTCString();
    const dated = await failed(503, { message: 'x' }, { 'retry-after': date });
    expect(dated.retryAfterMs).toBeGreaterThan(50_000);
    expect(dated.retryAfterMs).toBeLessThan(61_000);
    expect((await failed(503, { message: 'x' }, { 'retry-after': 'soon' })).retryAfterMs).toBeUndefined();
  });

  test.each<[string, unknown, string]>([
    ['FastAPI', { detail: [{ loc: ['body', 'n'], msg: 'too small' }] }, 'body.n: too small'],
    ['a proxy of FastAPI', { detail: { error: { message: 'no such thing' } } }, 'no such thing'],
    ['Google', [{ error: { code: 400, message: 'no such thing' } }], 'no such thing'],
    ['Bedrock', { Message: 'no such thing' }, 'no such thing'],
    ['Z.AI', { code: 400, msg: 'no such thing', success: false }, 'no such thing'],
    ['Baidu', { error_code: 17, error_msg: 'no such thing' }, 'no such thing'],
    ['Cloudflare', { success: false, errors: [{ code: 7, message: 'no such thing' }], result: null }, 'no such thing'],
    ['Hugging Face', { error: ['no such', 'thing'], error_type: 'validation' }, 'no such; thing'],
    ['xAI', { code: 'Client error', error: 'no such thing' }, 'no such thing'],
  ])(verifies('E1', 'tells the words of %s'), async (_, body, words) => {
    const error = await thrown(decoded(json(body, { status: 400 })));
    expect(error).toMatchObject({ kind: 'invalid_request', status: 400 });
    expect(error.message).toMatch(new RegExp(`: ${words}$`));
  });

  test('tells what the provider behind a router said, also in an object', async () => {
    const raw = { error: { message: 'prompt is too long: 9 tokens', type: 'x' } };
    const error = await failed(400, { code: 400, message: 'Provider returned error', metadata: { raw } });
    expect(error).toMatchObject({ kind: 'context_length' });
    expect(error.message).toContain('Provider returned error prompt is too long: 9 tokens');
  });

  test('tells what the provider behind a router said', async () => {
    const error = await failed(429, {
      code: 429,
      message: 'Provider returned error',
      metadata: { raw: 'free is limited upstream' },
    });
    expect(error.message).toContain('Provider returned error free is limited upstream');
  });

  test(verifies('R1', 'asks once: retries are the runner’s'), async () => {
    const { sent, fetch } = endpoint(() => json({ error: { message: 'busy' } }, { status: 503 }));
    await thrown(modelOf({ fetch }).getResponse(ask()));
    expect(sent).toHaveLength(1);
  });
});

describe('what must not be told is not', () => {
  const key = 'sk-live-abcdefghijklmnop';
  const canary = 'The launch code of the canary is 4711-ALPHA-0815, tell nobody';

  test.each([
    ['in a message', { message: `Key ${key} is wrong; Bearer abc.def.ghi; you said: ${canary}` }],
    ['in an unusual place', { detail: [{ msg: canary, input: { key } }] }],
    ['in codes', { message: 'no', code: `bad ${key}`, type: canary }],
    ['shortened', { message: `unexpected token at 4711-ALPHA-0815 … ${canary.slice(4, 40)}` }],
    ['as a text', `you said ${canary} with ${key}`],
  ])(verifies('E3', '%s'), async (_, error) => {
    for (const reply of [
      () => json(typeof error === 'string' ? error : { error }, { status: 400 }),
      () => json({ error }),
      () => sse([delta({ content: 'a' }), { error }]),
    ]) {
      const { fetch } = endpoint(reply);
      const model = modelOf({ apiKey: key, fetch, headers: { 'x-secret': 'header-secret' } });
      const asked = ask({ instructions: canary, input: [{ type: 'message', role: 'user', content: canary }] });
      const caught = await thrown(model.getResponse(asked));
      const seen = inspect(caught, { depth: 12, showHidden: true }) + JSON.stringify(caught) + String(caught.stack);
      expect(seen).not.toContain(key);
      expect(seen).not.toContain('4711-ALPHA-0815');
      expect(seen).not.toContain('launch code of the canary');
    }
  });

  test('the provider’s own words stay', async () => {
    const caught = await failed(400, {
      message: "Unsupported value: 'temperature' does not support 0.2 with this model.",
    });
    expect(caught.message).toContain("Unsupported value: 'temperature' does not support 0.2 with this model.");
  });

  test('encoded data and tokens are taken out', async () => {
    const data = Buffer.from('x'.repeat(60)).toString('base64').replaceAll('4', '5');
    const caught = await failed(400, {
      message: `bad image data:image/png;base64,${data}1 and eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0`,
    });
    expect(caught.message).not.toContain(data.slice(0, 30));
    expect(caught.message).not.toContain('eyJzdWIi');
  });
});

describe('a call that gets no answer', () => {
  test('is a network error when nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const caught = await thrown(modelOf({ baseURL: `http://127.0.0.1:${port}/v1` }).getResponse(ask()));
    expect(caught).toMatchObject({ kind: 'network', retryable: true });
    expect(String(caught)).toMatch(/at http:\/\/127\.0\.0\.1:\d+.* ECONNREFUSED/);
    expect(caught.status).toBeUndefined();
  });

  test.each([
    [
      Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
      }),
      'network',
    ],
    [Object.assign(new TypeError('fetch failed'), { cause: new Error('Connect Timeout Error') }), 'timeout'],
  ])('%s is %s', async (error, kind) => {
    const fetch = async () => {
      throw error;
    };
    expect(await thrown(modelOf({ fetch }).getResponse(ask()))).toMatchObject({ kind, retryable: true });
  });

  test.each(['getResponse', 'streamResponse'] as const)(
    '%s is aborted by the signal, before and during',
    async (method) => {
      for (const early of [true, false]) {
        const controller = new AbortController();
        if (early) controller.abort();
        const fetch: typeof globalThis.fetch = (_, init) =>
          new Promise((_resolve, reject) => {
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
            setImmediate(() => controller.abort());
          });
        const model = modelOf({ fetch });
        const call = { signal: controller.signal };
        const going =
          method === 'getResponse' ? model.getResponse(ask(), call) : all(model.streamResponse(ask(), call));
        expect(await thrown(going)).toMatchObject({ kind: 'aborted', retryable: false });
      }
    },
  );

  test('an abort in mid-stream is an abort', async () => {
    const controller = new AbortController();
    const fetch: typeof globalThis.fetch = (_, init) => Promise.resolve(endless({ signal: init?.signal }));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { type } of modelOf({ fetch }).streamResponse(ask(), { signal: controller.signal })) {
        seen.push(type);
        if (type === 'response.output_text.delta') controller.abort();
      }
    })();
    expect(await thrown(reading)).toMatchObject({ kind: 'aborted' });
    expect(seen).toContain('response.output_text.delta');
  });

  test('leaving a stream ends the connection', async () => {
    let left = false;
    const fetch = () => Promise.resolve(endless({ cancel: () => void (left = true) }));
    for await (const { type } of modelOf({ fetch }).streamResponse(ask()))
      if (type === 'response.output_text.delta') break;
    expect(left).toBe(true);
  });
});

/** A stream that says one word and then nothing more. */
function endless({ signal, cancel }: { signal?: AbortSignal | null | undefined; cancel?: () => void }): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(delta({ content: 'a' }))}\n\n`));
      signal?.addEventListener('abort', () => controller.error(signal.reason));
    },
    cancel: () => cancel?.(),
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

test('a completion with an error of null is a completion', async () => {
  const response = await decoded(json({ ...completion({ content: 'ok' }), error: null }));
  expect(response.output).toHaveLength(1);
  const stream = await streamed(sse([{ ...delta({ content: 'ok' }), error: null }]));
  expect(stream.response.output).toHaveLength(1);
});

test('a key function that fails fails the call, not the process', async () => {
  const apiKey = () => Promise.reject(new UserError('the vault is closed'));
  await expect(modelOf({ apiKey }).getResponse(ask())).rejects.toThrow('the vault is closed');
});

function modelOf(options: AdapterOptions) {
  return chatCompletions({ apiKey: 'test-key', baseURL: 'https://example.test/v1', ...options }).getModel('m');
}

async function thrown(promise: Promise<unknown>): Promise<ModelError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
