import type { ModelEvent, ModelRequest, ModelResponse } from '@polyrun/core';
import { all, ask, endpoint, json } from '@polyrun/wires/endpoint';
import { chatCompletions, type AdapterOptions } from '../../src/index.ts';

/** A chunk with one delta. */
export function delta(fields: object, more: object = {}): object {
  return { id: 'c1', model: 'm', choices: [{ index: 0, delta: fields, finish_reason: null, ...more }] };
}

export function finish(reason: string | null, more: object = {}): object {
  return { id: 'c1', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: reason }], ...more };
}

export function completion(message: object, reason: string | null = 'stop', more: object = {}): object {
  return {
    id: 'c1',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message, finish_reason: reason }],
    ...more,
  };
}

type Place = { model?: string; options?: AdapterOptions };

/** What the adapter sends for a request, and what it reports. */
export async function encoded(
  request: ModelRequest,
  { model = 'm', options = {} }: Place = {},
): Promise<{
  body: { [field: string]: unknown };
  messages: { [field: string]: unknown; role: string }[];
  response: ModelResponse;
}> {
  const { sent, fetch } = endpoint(() => json(completion({ content: 'ok' })));
  const place = options.name === undefined && !model.includes('/') ? { baseURL: 'https://example.test/v1' } : {};
  const response = await chatCompletions({ apiKey: 'test-key', ...place, ...options, fetch })
    .getModel(model)
    .getResponse(request);
  const body = sent[0]?.body ?? {};
  return { body, messages: body['messages'] as { role: string }[], response };
}

/** The adapter's reading of one reply, unstreamed. */
export async function decoded(reply: Response, options: AdapterOptions = {}): Promise<ModelResponse> {
  const { fetch } = endpoint(() => reply);
  return chatCompletions({ apiKey: 'test-key', baseURL: 'https://example.test/v1', ...options, fetch })
    .getModel('m')
    .getResponse(ask());
}

/** The adapter's reading of one reply, streamed: every event, and the response at the end. */
export async function streamed(
  reply: Response,
  options: AdapterOptions = {},
): Promise<{ events: ModelEvent[]; response: ModelResponse }> {
  const { fetch } = endpoint(() => reply);
  const model = chatCompletions({ apiKey: 'test-key', baseURL: 'https://example.test/v1', ...options, fetch }).getModel(
    'm',
  );
  const events = await all(model.streamResponse(ask()));
  const last = events.at(-1);
  if (last?.type !== 'polyrun:response_done') throw new Error('the stream ended without polyrun:response_done');
  return { events, response: last.response };
}
