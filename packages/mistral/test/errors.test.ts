import { inspect } from 'node:util';
import { ModelError, UserError } from '@polyrun/core';
import { all, ask, endpoint, json, sse } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, modelOf } from './support/endpoint.ts';

const fault = (message: unknown, type = 'invalid_request_error', code: unknown = null) => ({
  object: 'error',
  message,
  type,
  param: null,
  code,
});
const forbidden = [
  { type: 'extra_forbidden', loc: ['body', 'store'], msg: 'Extra inputs are not permitted', input: 'x' },
];
const wrongField = 'body.store: Extra inputs are not permitted';

describe('an answer that is an error', () => {
  test.each<[number, unknown, string, string]>([
    [401, { message: 'Unauthorized', request_id: '933f' }, 'auth', 'Unauthorized'],
    [401, { detail: 'Unauthorized' }, 'auth', 'Unauthorized'],
    [403, fault('You have no access to this model'), 'auth', 'no access'],
    [404, { detail: 'Not Found' }, 'not_found', 'Not Found'],
    [400, fault('Invalid model: gpt-4', 'invalid_model', '1500'), 'not_found', 'Invalid model: gpt-4'],
    [400, fault('Unknown model.', 'invalid_request_error', 'unknown_model'), 'not_found', 'Unknown model.'],
    [402, fault('Payment required'), 'quota', 'Payment required'],
    [429, fault('You have reached your usage limit for this month.'), 'quota', 'usage limit'],
    [429, fault('Rate limit exceeded', 'rate_limited', '1300'), 'rate_limit', 'Rate limit exceeded'],
    [429, fault('Monthly token limit exceeded', 'rate_limited'), 'quota', 'Monthly token limit'],
    [429, { message: 'Requests rate limit exceeded' }, 'rate_limit', 'Requests rate limit exceeded'],
    [
      429,
      fault('Service tier capacity exceeded for this model.', 'service_tier_capacity_exceeded', '3505'),
      'rate_limit',
      'Service tier capacity',
    ],
    [
      400,
      fault(
        'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
        'invalid_request_prompt',
        '3051',
      ),
      'context_length',
      'too large for model',
    ],
    [
      400,
      fault("Unexpected role 'user' after role 'tool'", 'invalid_request_message_order', '3230'),
      'invalid_request',
      "Unexpected role 'user' after role 'tool'",
    ],
    [422, { detail: forbidden }, 'invalid_request', wrongField],
    [422, fault({ detail: forbidden }), 'invalid_request', wrongField],
    [
      422,
      { object: 'Error', detail: forbidden, message: forbidden, type: 'invalid_request_error', code: 3001 },
      'invalid_request',
      wrongField,
    ],
    [422, fault(JSON.stringify({ detail: forbidden }), 'internal_error_proxy', '1000'), 'invalid_request', wrongField],
    [422, { error: { message: 'no', type: 'x' } }, 'invalid_request', 'no'],
    [413, 'Payload Too Large', 'invalid_request', 'Payload Too Large'],
    [500, fault('Internal server error', 'internal_server_error', '1000'), 'server', 'Internal server error'],
    [502, '<html>Bad Gateway</html>', 'server', 'Bad Gateway'],
    [503, fault('Service unavailable.', 'internal_server_error', '1000'), 'overloaded', 'Service unavailable'],
    [504, '', 'timeout', ''],
  ])(verifies('E1', '%i %j is %s'), async (...[status, body, kind, words]) => {
    const caught = await thrown(decoded(json(body, { status })));
    expect(caught).toMatchObject({ kind, status });
    expect(caught.message).toContain(words);
    expect(caught.message).not.toContain('"input"');
  });

  test(verifies('E1', 'says who said what, under which request id, and when to come back'), async () => {
    const headers = { 'mistral-correlation-id': '019e-1', 'retry-after': '7' };
    const error = await thrown(decoded(json(fault('Slow down', 'rate_limited', '1300'), { status: 429, headers })));
    expect(error).toMatchObject({ kind: 'rate_limit', retryable: true, requestId: '019e-1', retryAfterMs: 7000 });
    expect(error.message).toBe('mistral answered 429 (1300 rate_limited): Slow down');
  });

  test.each([
    ['a body of status 200', () => json(fault('Rate limit exceeded', 'rate_limited', '1300'))],
    ['a body that spells it another way', () => json({ object: 'Error', detail: [{ msg: 'Rate limit exceeded' }] })],
    [
      'the middle of a stream',
      () => sse([delta({ content: 'a' }), fault('Rate limit exceeded', 'rate_limited', '1300')]),
    ],
    ['a body without a name', () => json({ message: 'Slow down', code: 429 })],
    ['a stream, without a name', () => sse([delta({ content: 'a' }), { detail: 'Rate limit exceeded' }])],
    ['a stream, as a text', () => sse([delta({ content: 'a' }), 'event: error\ndata: Rate limit exceeded\n\n'])],
    ['a stream, with its status', () => sse([{ ...fault('Slow down'), raw_status_code: 429 }])],
  ])(verifies('E1', 'is found in %s'), async (_, reply) => {
    expect(await thrown(decoded(reply()))).toMatchObject({ kind: 'rate_limit', retryable: true });
  });

  test(verifies('E1', 'an answer that the model broke off is a failure'), async () => {
    const caught = await thrown(decoded(json(completion({ content: 'a' }, 'error'))));
    expect(caught).toMatchObject({ kind: 'server', retryable: true });
  });

  test(verifies('R1', 'is not tried again: retries are the runner’s'), async () => {
    const { sent, fetch } = endpoint(() => json(fault('busy'), { status: 503 }));
    await thrown(modelOf({ fetch }).getResponse(ask()));
    expect(sent).toHaveLength(1);
  });
});

describe('what must not be told is not', () => {
  const key = 'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6';
  const canary = 'The launch code of the canary is 4711-ALPHA-0815, tell nobody';

  test.each<[string, unknown]>([
    ['in a message', fault(`Key ${key} is wrong; Bearer abc.def.ghi; you said: ${canary}; token-of-gmail`)],
    ['in what a field was given', { detail: [{ loc: ['body'], msg: 'no', input: { canary, key } }] }],
    ['in codes', fault('no', canary, `bad ${key}`)],
    ['as a text', `you said ${canary} with ${key}`],
  ])(verifies('E3', '%s'), async (_, error) => {
    for (const reply of [
      () => json(error, { status: 400 }),
      () => json({ error }),
      () => sse([delta({ content: 'a' }), { error }]),
    ]) {
      const { fetch } = endpoint(reply);
      const model = modelOf({ apiKey: key, fetch, headers: { 'x-secret': 'header-secret' } });
      const authorization = { type: 'oauth2-token', value: 'token-of-gmail' };
      const asked = ask({
        instructions: canary,
        input: [{ type: 'message', role: 'user', content: canary }],
        tools: [{ type: 'mistral:connector', connector_id: 'gmail', authorization }],
      });
      const caught = await thrown(model.getResponse(asked));
      const seen = inspect(caught, { depth: 12, showHidden: true }) + JSON.stringify(caught) + String(caught.stack);
      for (const secret of [key, '4711-ALPHA-0815', 'launch code of the canary', 'token-of-gmail'])
        expect(seen).not.toContain(secret);
    }
  });
});

describe('a call that gets no answer', () => {
  test.each([
    [
      Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
      }),
      'network',
    ],
    [Object.assign(new TypeError('fetch failed'), { cause: new Error('Connect Timeout Error') }), 'timeout'],
    [new DOMException('The operation timed out.', 'TimeoutError'), 'timeout'],
  ])(verifies('E1', '%s is %s'), async (error, kind) => {
    const fetch = async () => {
      throw error;
    };
    const caught = await thrown(modelOf({ fetch }).getResponse(ask()));
    expect(caught).toMatchObject({ kind, retryable: true });
    expect(caught.message).toContain('https://example.test');
  });

  test('leaving a stream ends the connection, also where the client reads along for a deprecated model', async () => {
    let aborted = false;
    const fetch: typeof globalThis.fetch = (input) => {
      const { signal } = input as Request;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(delta({ content: 'a' }))}\n\n`));
          signal.addEventListener('abort', () => {
            aborted = true;
            controller.error(signal.reason);
          });
        },
      });
      const headers = { 'content-type': 'text/event-stream', 'x-model-deprecation-timestamp': '2027-01-01' };
      return Promise.resolve(new Response(body, { headers }));
    };
    for await (const { type } of modelOf({ fetch }).streamResponse(ask()))
      if (type === 'response.output_text.delta') break;
    expect(aborted).toBe(true);
  });

  test.each([
    ['an answer', () => json(completion({ content: 'a' }))],
    ['an error', () => json(fault('busy'), { status: 503 })],
    ['a stream that breaks', () => sse([delta({ content: 'a' })], { error: new TypeError('terminated') })],
  ])('a signal is left as it was, after %s', async (_, reply) => {
    const { fetch } = endpoint(reply);
    const { signal } = new AbortController();
    const kept: unknown[] = [];
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => {
        // Requests follow signals weakly by themselves.
        if (args[2] === undefined) kept.push(args[1]);
        add(...args);
      },
      removeEventListener: (...args: Parameters<typeof remove>) => {
        if (kept.includes(args[1])) kept.splice(kept.indexOf(args[1]), 1);
        remove(...args);
      },
    });
    await modelOf({ fetch })
      .getResponse(ask(), { signal })
      .catch(() => undefined);
    expect(kept).toEqual([]);
  });

  test('a key function that fails fails the call', async () => {
    const apiKey = () => Promise.reject(new UserError('the vault is closed'));
    await expect(modelOf({ apiKey }).getResponse(ask())).rejects.toThrow('the vault is closed');
    await expect(all(modelOf({ apiKey }).streamResponse(ask()))).rejects.toThrow('the vault is closed');
  });
});

async function thrown(promise: Promise<unknown>): Promise<ModelError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
