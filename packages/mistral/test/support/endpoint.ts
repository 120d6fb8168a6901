import type { ModelEvent, ModelRequest, ModelResponse } from '@polyrun/core';
import { all, ask, endpoint, json } from '@polyrun/wires/endpoint';
import { mistral, type AdapterOptions } from '../../src/index.ts';

/** A chunk with one delta. */
export function delta(fields: object, more: object = {}): object {
  return { id: 'c1', model: 'm', choices: [{ index: 0, delta: fields, finish_reason: null, ...more }] };
}

export function finish(reason: string | null, more: object = {}): object {
  return { id: 'c1', model: 'm', choices: [{ index: 0, delta: { content: '' }, finish_reason: reason }], ...more };
}

export function completion(message: object, reason: string | null = 'stop', more: object = {}): object {
  const said = Array.isArray(message) ? { messages: message } : { message };
  return {
    id: 'c1',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, ...said, finish_reason: reason }],
    ...more,
  };
}

export function modelOf(options: AdapterOptions = {}, name = 'm') {
  return mistral({ apiKey: 'test-key', baseURL: 'https://example.test/v1', ...options }).getModel(name);
}

type Place = { model?: string; options?: AdapterOptions };
export type WireMessage = { [field: string]: unknown; role: string };

/** What the adapter sends for a request, and what it reports. */
export async function encoded(
  request: ModelRequest,
  { model = 'm', options = {} }: Place = {},
): Promise<{ body: { [field: string]: unknown }; messages: WireMessage[]; response: ModelResponse }> {
  const { sent, fetch } = endpoint(() => json(completion({ content: 'ok' })));
  const response = await modelOf({ ...options, fetch }, model).getResponse(request);
  const body = sent[0]?.body ?? {};
  return { body, messages: body['messages'] as WireMessage[], response };
}

/** The adapter's reading of one reply, unstreamed. */
export async function decoded(reply: Response, request: ModelRequest = ask()): Promise<ModelResponse> {
  const { fetch } = endpoint(() => reply);
  return modelOf({ fetch }).getResponse(request);
}

/** The adapter's reading of one reply, streamed: every event, and the response at the end. */
export async function streamed(
  reply: Response,
  request: ModelRequest = ask(),
): Promise<{ events: ModelEvent[]; response: ModelResponse }> {
  const { fetch } = endpoint(() => reply);
  const events = await all(modelOf({ fetch }).streamResponse(request));
  const last = events.at(-1);
  if (last?.type !== 'polyrun:response_done') throw new Error('the stream ended without polyrun:response_done');
  return { events, response: last.response };
}
