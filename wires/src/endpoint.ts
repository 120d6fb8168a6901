import type { ModelEvent, ModelRequest, ModelResponse } from '@polyrun/core';

export type Sent = { url: string; headers: Headers; body: { [field: string]: unknown } };
type Responder = (sent: Sent) => Response | Promise<Response>;

/** An endpoint in memory: what it was sent, and a `fetch` that reaches it. */
export function endpoint(respond: Responder): { sent: Sent[]; fetch: typeof fetch } {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: async (input, init) => {
      const request = input instanceof Request ? input : undefined;
      const url = input instanceof Request ? input.url : new URL(input).href;
      const text = request ? await request.text() : (init?.body as string);
      const call = {
        url,
        headers: new Headers(request?.headers ?? init?.headers),
        body: JSON.parse(text) as Sent['body'],
      };
      sent.push(call);
      return respond(call);
    },
  };
}

export function json(body: unknown, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { ...init, headers });
}

/** A stream of events: objects become `data:` lines, strings go out as they are. */
export function sse(events: readonly unknown[], end: { done?: boolean; error?: Error } = {}): Response {
  const lines = events.map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`));
  if (end.done !== false && !end.error) lines.push('data: [DONE]\n\n');
  return sseText(lines.join(''), end.error);
}

export function sseText(text: string | Uint8Array, error?: Error): Response {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      if (!error) controller.close();
    },
    pull(controller) {
      if (error) controller.error(error);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export function ask(fields: Partial<ModelRequest> = {}): ModelRequest {
  return { input: [{ type: 'message', role: 'user', content: 'Hello' }], tools: [], settings: {}, ...fields };
}

/** Everything that an iterable brings. */
export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of source) found.push(value);
  return found;
}

/** The text of each item, put together from the deltas alone. */
export function folded(events: readonly ModelEvent[]): { type: string; text: string; refusal: string }[] {
  const items: { type: string; text: string; refusal: string }[] = [];
  for (const event of events) {
    if (event.type === 'response.output_item.added')
      items[event.output_index] = { type: event.item.type, text: '', refusal: '' };
    if (!('delta' in event)) continue;
    const item = items[event.output_index];
    if (!item) throw new Error(`${event.type} for an item that was not added`);
    if (event.type === 'response.refusal.delta') item.refusal += event.delta;
    else item.text += event.delta;
  }
  return items;
}

/** The same of the final items. */
export function flattened(response: ModelResponse): { type: string; text: string; refusal: string }[] {
  return response.output.map((item) => {
    if (item.type === 'function_call') return { type: item.type, text: item.arguments, refusal: '' };
    if (item.type === 'reasoning')
      return { type: item.type, text: (item.content ?? []).map(({ text }) => text).join(''), refusal: '' };
    const parts = item.type === 'message' && typeof item.content !== 'string' ? item.content : [];
    const text = parts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
    return {
      type: item.type,
      text,
      refusal: parts.map((part) => (part.type === 'refusal' ? part.refusal : '')).join(''),
    };
  });
}
