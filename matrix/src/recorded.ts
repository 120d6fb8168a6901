import { ModelError, type FunctionToolSpec, type Item } from '@polyrun/core';
import { answer, cassettesOf, providerName, type Cassette, type Exchange } from '@polyrun/wires/corpus';
import { ask } from '@polyrun/wires/endpoint';
import { modelAt, type Place, type Wire } from './wires.ts';

/** A conversation as one issuer left it. */
export type Log = {
  readonly name: string;
  readonly home: Place;
  readonly items: readonly Item[];
  readonly tools: readonly FunctionToolSpec[];
};
/** What a server said, as it came. */
export type Reply = { readonly provider: string; readonly streaming: boolean; response(): Response };
export type Recordings = { readonly logs: readonly Log[]; readonly replies: readonly Reply[] };

/**
 * The conversations of one wire with tools, reasoning or hosted work in them, and the replies. A conversation is a recorded request as
 * items, the recorded reply as the adapter reads it, and what would come next: the outputs of its calls, or a word of the user.
 * Of conversations that differ in their words alone, the first stands for all.
 */
export async function recordingsOf(wire: Wire): Promise<Recordings> {
  const logs = new Map<string, Log>();
  const replies = new Map<string, Reply>();
  for (const cassette of cassettesOf(wire.api))
    for (const exchange of cassette.exchanges.filter(wentWell)) {
      const home = { provider: providerName(cassette), model: cassette.model || 'any' };
      const { provider } = home;
      const reply = { provider, streaming: exchange.streaming, response: () => responseOf(exchange) };
      const said = await answer(
        modelAt(wire, home, async () => reply.response()),
        ask(),
        reply.streaming,
      );
      const output = said instanceof ModelError ? [] : said.output;
      if (isTelling(output)) keep(replies, `${provider} ${shapeOf(output)}`, reply);
      const log = logOf(wire, { cassette, exchange, home, output });
      if (log && isTelling(log.items)) keep(logs, shapeOf(log.items), log);
    }
  return { logs: [...logs.values()], replies: [...replies.values()] };
}

function wentWell({ request, response, expected }: Exchange): boolean {
  const { error, malformed, ambiguous } = expected;
  return request?.method !== 'GET' && response.status === 200 && !(error ?? malformed ?? ambiguous);
}

function responseOf({ response: { status, headers, body, sse, text } }: Exchange): Response {
  return new Response(sse ?? text ?? JSON.stringify(body), { status, headers });
}

type Recorded = { cassette: Cassette; exchange: Exchange; home: Place; output: readonly Item[] };

function logOf(wire: Wire, { cassette, exchange, home, output }: Recorded): Log | undefined {
  const request = exchange.request && wire.request(exchange.request.body, home);
  if (!request) return undefined;
  const tools = request.tools.filter((tool) => tool.type === 'function') as FunctionToolSpec[];
  const items = withNext([...request.input, ...output]);
  return { name: `${cassette.id}/${exchange.index}`, home, items, tools };
}

/** A conversation with what comes next on this side: outputs of the calls that wait, or the user's word. */
export function withNext(items: readonly Item[]): readonly Item[] {
  const answered = new Set(items.map((item) => (item.type === 'function_call_output' ? item.call_id : undefined)));
  const outputs = items.flatMap((item): Item[] =>
    item.type === 'function_call' && !answered.has(item.call_id)
      ? [{ type: 'function_call_output', call_id: item.call_id, output: 'done' }]
      : [],
  );
  return [
    ...items,
    ...(outputs.length > 0 ? outputs : [{ type: 'message', role: 'user', content: 'Go on.' } as const]),
  ];
}

/** True for more than words: calls, reasoning, hosted work, citations. */
function isTelling(items: readonly Item[]): boolean {
  return items.some((item) => item.type !== 'message' || JSON.stringify(item).includes('"annotations":[{'));
}

/** What a conversation looks like without its words. */
function shapeOf(items: readonly Item[]): string {
  return JSON.stringify(items, (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (/^(type|role|status|provider|api)$/.test(key)) return value;
    return value === '' ? '' : 'text';
  });
}

function keep<T>(all: Map<string, T>, shape: string, value: T): void {
  if (!all.has(shape)) all.set(shape, value);
}
