import type { ModelEvent, ModelRequest, ModelResponse } from '@polyrun/core';
import { all, ask, endpoint, json } from '@polyrun/wires/endpoint';
import { openaiResponses, type AdapterOptions } from '../../src/index.ts';

type Fields = { readonly [field: string]: unknown };

/** A whole response. */
export function response(output: readonly object[], more: object = {}): Fields {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: 'gpt-5.6-2026-01-01',
    output,
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 15,
    },
    ...more,
  };
}

export function said(text: string, more: object = {}): Fields {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return { type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content, ...more };
}

export function called(name: string, args: string, callId = 'call_1'): Fields {
  return { type: 'function_call', id: `fc_${callId}`, status: 'completed', call_id: callId, name, arguments: args };
}

type Place = { model?: string; options?: AdapterOptions };

/** What the adapter sends for a request, and what it reports. */
export async function encoded(
  request: ModelRequest,
  { model = 'gpt-5.6', options = {} }: Place = {},
): Promise<{ body: Fields; input: readonly Fields[]; response: ModelResponse }> {
  const { sent, fetch } = endpoint(() => json(response([said('ok')])));
  const answer = await openaiResponses({ apiKey: 'test-key', ...options, fetch })
    .getModel(model)
    .getResponse(request);
  const body = sent[0]?.body ?? {};
  return { body, input: body['input'] as Fields[], response: answer };
}

/** The adapter's reading of one reply, unstreamed. */
export async function decoded(reply: Response, options: AdapterOptions = {}): Promise<ModelResponse> {
  const { fetch } = endpoint(() => reply);
  return openaiResponses({ apiKey: 'test-key', ...options, fetch })
    .getModel('gpt-5.6')
    .getResponse(ask());
}

/** The adapter's reading of one reply, streamed: every event, and the response at the end. */
export async function streamed(
  reply: Response,
  options: AdapterOptions = {},
): Promise<{ events: ModelEvent[]; response: ModelResponse }> {
  const { fetch } = endpoint(() => reply);
  const model = openaiResponses({ apiKey: 'test-key', ...options, fetch }).getModel('gpt-5.6');
  const events = await all(model.streamResponse(ask()));
  const last = events.at(-1);
  if (last?.type !== 'polyrun:response_done') throw new Error('the stream ended without polyrun:response_done');
  return { events, response: last.response };
}
