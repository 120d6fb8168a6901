import type { Item, ModelEvent, ModelRequest, ModelResponse } from '@polyrun/core';
import { all, ask, endpoint, json, sse, type Sent } from '@polyrun/wires/endpoint';
import { anthropic, type AdapterOptions } from '../../src/index.ts';

export type Block = { [field: string]: unknown; type: string };
export type Message = { role: string; content: Block[] };

export const origin = { provider: 'anthropic', api: 'anthropic-messages', model: 'claude-sonnet-4-5' };

/** A reply that was not streamed. */
export function message(content: unknown[], more: object = {}): object {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
    ...more,
  };
}

/** The events of a stream: its beginning, those of the blocks, its end. */
export function events(
  blocks: object[],
  { stop = 'end_turn', usage = {} }: { stop?: string; usage?: object } = {},
): object[] {
  const { content: _, ...start } = message([], { content: [], stop_reason: null }) as { content: unknown };
  return [
    { type: 'message_start', message: { ...start, content: [] } },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason: stop }, usage: { output_tokens: 7, ...usage } },
    { type: 'message_stop' },
  ];
}

/** The events of one block: its start, deltas, and its end. */
export function block(index: number, content_block: object, deltas: object[] = []): object[] {
  return [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

export function textDelta(text: string): object {
  return { type: 'text_delta', text };
}

export function stream(parts: readonly unknown[]): Response {
  return sse(parts, { done: false });
}

type Place = { model?: string; options?: AdapterOptions };

/** What the adapter sends for a request, and what it reports. */
export async function encoded(
  request: Partial<ModelRequest>,
  { model = 'claude-sonnet-4-5', options = {} }: Place = {},
): Promise<{
  sent: Sent;
  body: { [field: string]: unknown };
  messages: Message[];
  adaptations: ModelResponse['adaptations'];
}> {
  const { sent, fetch } = endpoint(() => json(message([{ type: 'text', text: 'ok' }])));
  const { adaptations } = await anthropic({ apiKey: 'test-key', ...options, fetch })
    .getModel(model)
    .getResponse(ask(request));
  const [first] = sent;
  if (!first) throw new Error('nothing was sent');
  return { sent: first, body: first.body, messages: first.body['messages'] as Message[], adaptations };
}

/** The adapter's reading of one reply, unstreamed. */
export async function decoded(reply: Response, options: AdapterOptions = {}): Promise<ModelResponse> {
  const { fetch } = endpoint(() => reply);
  return anthropic({ apiKey: 'test-key', ...options, fetch })
    .getModel('claude-sonnet-4-5')
    .getResponse(ask());
}

/** The adapter's reading of one reply, streamed: every event, and the response at the end. */
export async function streamed(reply: Response): Promise<{ told: ModelEvent[]; response: ModelResponse }> {
  const { fetch } = endpoint(() => reply);
  const told = await all(anthropic({ apiKey: 'test-key', fetch }).getModel('claude-sonnet-4-5').streamResponse(ask()));
  const last = told.at(-1);
  if (last?.type !== 'polyrun:response_done') throw new Error('the stream ended without polyrun:response_done');
  return { told, response: last.response };
}

/** Blocks without the marks that tell how far to cache. */
export function unmarked<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (key, entry: unknown) => (key === 'cache_control' ? undefined : entry))) as T;
}

/** What comes back from storage. */
export function stored(items: readonly Item[]): Item[] {
  return JSON.parse(JSON.stringify(items)) as Item[];
}

export function user(content: string): Item {
  return { type: 'message', role: 'user', content };
}
