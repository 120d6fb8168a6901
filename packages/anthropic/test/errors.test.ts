import { ModelError } from '@polyrun/core';
import { ask, endpoint, json, sse, sseText } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { anthropic } from '../src/index.ts';

const failure = (type: string, message: string, more: object = {}) => ({
  type: 'error',
  error: { type, message },
  request_id: 'req_1',
  ...more,
});

describe('errors', () => {
  test.each([
    [400, 'invalid_request_error', 'messages: text content blocks must be non-empty', 'invalid_request', false],
    [400, 'invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum', 'context_length', false],
    [
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000',
      'context_length',
      false,
    ],
    [
      400,
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
      'quota',
      false,
    ],
    [401, 'authentication_error', 'invalid x-api-key', 'auth', false],
    [402, 'billing_error', 'payment required', 'quota', false],
    [403, 'permission_error', 'not allowed', 'auth', false],
    [404, 'not_found_error', 'model: claude-0', 'not_found', false],
    [413, 'request_too_large', 'Request exceeds the maximum size', 'invalid_request', false],
    [429, 'rate_limit_error', 'This request would exceed the rate limit', 'rate_limit', true],
    [500, 'api_error', 'Internal server error', 'server', true],
    [504, 'timeout_error', 'Request timed out', 'timeout', true],
    [529, 'overloaded_error', 'Overloaded', 'overloaded', true],
  ] as const)(verifies('E1', '%i %s (%s) is %s'), async (...row) => {
    const [status, type, message, kind, retryable] = row;
    const { sent, fetch } = endpoint(() =>
      json(failure(type, message), { status, headers: { 'request-id': 'req_9', 'retry-after': '7' } }),
    );
    for (const streaming of [false, true]) {
      const error = await failed(anthropic({ apiKey: 'k', fetch }).getModel('m'), streaming);
      expect(error).toMatchObject({ kind, retryable, status, requestId: 'req_9', retryAfterMs: 7000 });
      expect(error.message).toContain(message.slice(0, 20));
      expect(error.body).toMatchObject({ error: { type } });
    }
    expect(sent).toHaveLength(2);
  });

  test.each([
    ['permission_error', 'auth', false],
    ['not_found_error', 'not_found', false],
    ['timeout_error', 'timeout', true],
    ['request_too_large', 'invalid_request', false],
    ['billing_error', 'quota', false],
    ['conflict_error', 'invalid_request', false],
    ['api_error', 'server', true],
    ['rate_limit_error', 'rate_limit', true],
    ['invalid_request_error', 'invalid_request', false],
    ['authentication_error', 'auth', false],
    ['overloaded_error', 'overloaded', true],
  ] as const)(verifies('E1', '%s in a stream is %s'), async (type, kind, retryable) => {
    const { fetch } = endpoint(() => sse([failure(type, 'Words')], { done: false }));
    const error = await failed(anthropic({ apiKey: 'k', fetch }).getModel('m'), true);
    expect(error).toMatchObject({ kind, retryable, message: expect.stringContaining('Words') });
  });

  test.each([
    ['in the place of a stream', JSON.stringify(failure('overloaded_error', 'Busy'))],
    ['over several lines', JSON.stringify(failure('overloaded_error', 'Busy'), null, 2)],
    ['in words alone', 'event: error\ndata: Busy: overloaded\n\n'],
  ])(verifies('E1', 'an error %s is told by its kind'), async (_, text) => {
    const { fetch } = endpoint(() => sseText(text));
    const error = await failed(anthropic({ apiKey: 'k', fetch }).getModel('m'), true);
    expect(error).toMatchObject({ kind: 'overloaded', message: expect.stringContaining('Busy') });
  });

  test(verifies('E1', 'throttling by Bedrock, which counts tokens, is no prompt that is too long'), async () => {
    const reply = { message: 'Too many tokens, please wait before trying again.' };
    const { fetch } = endpoint(() => json(reply, { status: 429, headers: { 'x-amzn-requestid': 'amz_1' } }));
    const error = await failed(anthropic({ apiKey: 'k', fetch }).getModel('m'), false);
    expect(error).toMatchObject({ kind: 'rate_limit', requestId: 'amz_1' });
  });

  test(verifies('R1', 'the client tries nothing again'), async () => {
    const { sent, fetch } = endpoint(() => json(failure('overloaded_error', 'Overloaded'), { status: 529 }));
    await failed(anthropic({ apiKey: 'k', fetch }).getModel('m'), false);
    expect(sent).toHaveLength(1);
  });

  test(verifies('E3', 'neither the key nor what was said is in them'), async () => {
    const key = 'sk-ant-canary-1234567890';
    const words = 'a canary sings in the coal mine';
    const { fetch } = endpoint(() =>
      json(failure('invalid_request_error', `bad: ${words}, key ${key}`), { status: 400 }),
    );
    const model = anthropic({ apiKey: key, fetch }).getModel('m');
    const error = await model
      .getResponse(ask({ instructions: words }))
      .catch((caught: unknown) => caught as ModelError);
    expect(JSON.stringify([error, (error as ModelError).message, (error as ModelError).body])).not.toMatch(/canary/);
  });

  test.each([
    ['a page', new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['another JSON', json({ hello: 1 })],
    ['nothing', json({})],
  ])('%s in the place of an answer is a protocol error', async (_name, reply) => {
    const { fetch } = endpoint(() => reply);
    expect(await failed(anthropic({ apiKey: 'k', fetch }).getModel('m'), false)).toMatchObject({
      kind: 'protocol',
      retryable: false,
    });
  });

  test('a connection that fails and one that is aborted', async () => {
    const down = anthropic({ apiKey: 'k', fetch: () => Promise.reject(new TypeError('fetch failed')) }).getModel('m');
    expect(await failed(down, false)).toMatchObject({ kind: 'network', retryable: true });
    const controller = new AbortController();
    controller.abort();
    const aborted = anthropic({ apiKey: 'k', fetch: () => new Promise(() => undefined) }).getModel('m');
    await expect(aborted.getResponse(ask(), { signal: controller.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });
});

async function failed(
  model: ReturnType<ReturnType<typeof anthropic>['getModel']>,
  streaming: boolean,
): Promise<ModelError> {
  try {
    if (streaming) for await (const _ of model.streamResponse(ask())) continue;
    else await model.getResponse(ask());
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
