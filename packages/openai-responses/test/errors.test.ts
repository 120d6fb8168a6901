import { inspect } from 'node:util';
import { ModelError } from '@polyrun/core';
import { all, ask, endpoint, json, sse } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { openaiResponses, type AdapterOptions } from '../src/index.ts';
import { decoded, response, said, streamed } from './support/endpoint.ts';

const failed = (status: number, error: unknown, headers: { [name: string]: string } = {}) =>
  thrown(decoded(json(typeof error === 'string' ? error : { error }, { status, headers })));

async function thrown(promise: Promise<unknown>): Promise<ModelError> {
  const result = await promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
  if (result instanceof ModelError) return result;
  throw new Error(`expected a ModelError, got ${String(result)}`);
}

describe('an answer that is an error', () => {
  test.each<[number, object | string, string]>([
    [401, { message: 'Incorrect API key provided', code: 'invalid_api_key' }, 'auth'],
    [404, { message: 'The model `x` does not exist', code: 'model_not_found' }, 'not_found'],
    [429, { message: 'Rate limit reached', code: 'rate_limit_exceeded' }, 'rate_limit'],
    [429, { message: 'You exceeded your current quota', code: 'insufficient_quota' }, 'quota'],
    [
      400,
      { message: 'Your input exceeds the context window of this model.', code: 'context_length_exceeded' },
      'context_length',
    ],
    [400, { message: 'The prompt was flagged', code: 'content_filter' }, 'content_filter'],
    [400, { message: "Unsupported parameter: 'temperature'", code: 'unsupported_parameter' }, 'invalid_request'],
    [
      400,
      { message: "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false." },
      'invalid_request',
    ],
    [500, { message: 'The server had an error', type: 'server_error' }, 'server'],
    [503, { message: 'busy' }, 'overloaded'],
    [504, '', 'timeout'],
  ])(verifies('E1', '%i %j is %s'), async (status, error, kind) => {
    expect(await failed(status, error)).toMatchObject({ kind, status });
  });

  test(verifies('E1', 'says who said what, under which request id, and when to come back'), async () => {
    const headers = { 'x-request-id': 'req_1', 'retry-after': '7' };
    const error = await failed(429, { message: 'Slow down', code: 'rate_limit_exceeded' }, headers);
    expect(error).toMatchObject({ kind: 'rate_limit', retryable: true, requestId: 'req_1', retryAfterMs: 7000 });
    expect(error.message).toBe('openai answered 429 (rate_limit_exceeded): Slow down');
  });

  test(verifies('R1', 'is asked for once: retries are the runner’s'), async () => {
    const { sent, fetch } = endpoint(() => json({ error: { message: 'busy' } }, { status: 503 }));
    await thrown(openaiResponses({ apiKey: 'k', fetch }).getModel('m').getResponse(ask()));
    expect(sent).toHaveLength(1);
  });
});

describe('a response that failed', () => {
  const failure = response([], {
    status: 'failed',
    error: { code: 'rate_limit_exceeded', message: 'Too many' },
    usage: null,
  });
  const created = { type: 'response.created', response: response([], { status: 'in_progress' }) };

  test.each<[string, () => Promise<unknown>, object]>([
    ['whole', () => decoded(json(failure)), { kind: 'rate_limit', retryable: true }],
    ['without a reason', () => decoded(json({ ...failure, error: null })), { kind: 'server', retryable: true }],
    [
      'in a stream',
      () => streamed(sse([created, { type: 'response.failed', response: failure }])),
      { kind: 'rate_limit' },
    ],
    [
      'by an error event',
      () => streamed(sse([created, { type: 'error', code: 'server_error', message: 'Oh', param: null }])),
      { kind: 'server', retryable: true },
    ],
    [
      'by a nested error event',
      () => streamed(sse([created, { type: 'error', error: { code: 'insufficient_quota', message: 'Oh' } }])),
      { kind: 'quota', retryable: false },
    ],
    [
      'by an error without a type',
      () => streamed(sse([created, { error: { message: 'Oh', code: 503 } }])),
      { kind: 'overloaded' },
    ],
  ])(verifies('E1', '%s is an error of its kind'), async (_, call, facts) => {
    expect(await thrown(call())).toMatchObject(facts);
  });

  test.each([
    ['bio_policy', 'content_filter', false],
    ['cyber_policy', 'content_filter', false],
    ['misalignment_policy_violation', 'content_filter', false],
    ['image_content_policy_violation', 'content_filter', false],
    ['context_length_exceeded', 'context_length', false],
    ['usage_not_included', 'quota', false],
    ['invalid_prompt', 'invalid_request', false],
    ['image_too_large', 'invalid_request', false],
    ['failed_to_download_image', 'invalid_request', false],
    ['data_residency_mismatch', 'invalid_request', false],
    ['previous_response_not_found', 'invalid_request', false],
    ['server_is_overloaded', 'overloaded', true],
    ['slow_down', 'overloaded', true],
    ['vector_store_timeout', 'timeout', true],
    ['server_error', 'server', true],
  ])(verifies('E1', '%s in a stream is %s'), async (code, kind, retryable) => {
    const error = { code, message: 'Words' };
    for (const event of [
      { type: 'response.failed', response: response([], { status: 'failed', error }) },
      { type: 'error', ...error },
    ])
      expect(await thrown(streamed(sse([created, event])))).toMatchObject({ kind, retryable });
  });

  test.each<[string, Response, object]>([
    ['a failure without a reason or output', json({ ...failure, error: null, output: null }), { kind: 'server' }],
    [
      'a failure without a reason in a stream',
      sse([created, { type: 'response.failed', response: { ...failure, error: null } }]),
      { kind: 'server', retryable: true },
    ],
    ['words alone', sse(['event: error\ndata: upstream overloaded\n\n']), { kind: 'overloaded' }],
    [
      'an error in the place of a stream',
      sse([JSON.stringify({ error: { message: 'Busy', code: 503 } }, null, 2)], { done: false }),
      { kind: 'overloaded' },
    ],
  ])(verifies('E1', '%s is an error of its kind'), async (_, reply, facts) => {
    expect(await thrown(streamed(reply))).toMatchObject(facts);
  });

  test.each<[string, Response, object]>([
    ['a page', json('<html>', { headers: { 'content-type': 'text/html' } }), { kind: 'protocol', retryable: false }],
    ['a completion of another wire', json({ id: 'c', choices: [] }), { kind: 'protocol' }],
    ['an event that is no JSON', sse(['data: {"a\n\n']), { kind: 'protocol', retryable: true }],
    ['a stream of nothing', sse([]), { kind: 'protocol', retryable: true }],
  ])('%s is no answer', async (_, reply, facts) => {
    expect(await thrown(decoded(reply))).toMatchObject(facts);
  });
});

describe('what must not be told is not', () => {
  const key = 'sk-live-abcdefghijklmnop';
  const canary = 'The launch code of the canary is 4711-ALPHA-0815, tell nobody';
  const modelOf = (options: AdapterOptions) => openaiResponses({ apiKey: key, ...options }).getModel('gpt-5.6');

  test.each([
    ['in a message', { message: `Key ${key} is wrong; Bearer abc.def.ghi; you said: ${canary}` }],
    ['in an unusual place', { detail: [{ msg: canary, input: { key } }] }],
    ['in codes', { message: 'no', code: `bad ${key}`, type: canary }],
    ['shortened', { message: `unexpected token at 4711-ALPHA-0815 … ${canary.slice(4, 40)}` }],
  ])(verifies('E3', '%s'), async (_, error) => {
    for (const reply of [
      () => json({ error }, { status: 400 }),
      () => json(response([], { status: 'failed', error })),
      () =>
        sse([
          { type: 'response.created', response: response([]) },
          { type: 'error', error },
        ]),
    ]) {
      const { fetch } = endpoint(reply);
      const model = modelOf({ fetch, headers: { 'x-secret': 'header-secret' } });
      const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: JSON.stringify({ canary }) } as const;
      const output = { type: 'function_call_output', call_id: 'c', output: canary } as const;
      const asked = ask({
        instructions: canary,
        input: [{ type: 'message', role: 'user', content: canary }, call, output],
      });
      for (const run of [() => model.getResponse(asked), () => all(model.streamResponse(asked))]) {
        const caught = await thrown(run());
        const seen = inspect(caught, { depth: 12, showHidden: true }) + JSON.stringify(caught) + String(caught.stack);
        for (const secret of [key, '4711-ALPHA-0815', 'launch code of the canary', 'header-secret'])
          expect(seen).not.toContain(secret);
      }
    }
  });

  test('the provider’s own words and the ids of things stay', async () => {
    const message = `Item 'rs_${'68c42de0'.repeat(6)}' of type 'reasoning' was provided without its required following item: function_call_output`;
    const { fetch } = endpoint(() => json({ error: { message } }, { status: 400 }));
    const output = { type: 'function_call_output', call_id: 'c', output: 'x' } as const;
    const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' } as const;
    const caught = await thrown(modelOf({ fetch }).getResponse(ask({ input: [call, output] })));
    expect(caught.message).toContain(message);
  });
});

test('a call that gets no answer is a network error', async () => {
  const fetch = () =>
    Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: new Error('read ECONNRESET') }));
  const caught = await thrown(openaiResponses({ apiKey: 'k', fetch }).getModel('m').getResponse(ask()));
  expect(caught).toMatchObject({ kind: 'network', retryable: true });
  expect(caught.message).toContain('api.openai.com');
});

test('a stream that is left is cancelled', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) =>
      controller.enqueue(
        new TextEncoder().encode(
          `data: ${JSON.stringify({ type: 'response.created', response: response([said('a')]) })}\n\n`,
        ),
      ),
    cancel: () => void (cancelled = true),
  });
  const { fetch } = endpoint(() => new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  for await (const _ of openaiResponses({ apiKey: 'k', fetch }).getModel('m').streamResponse(ask())) break;
  expect(cancelled).toBe(true);
});
