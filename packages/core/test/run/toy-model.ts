import {
  defineModel,
  ModelError,
  ResponseEvents,
  usageOf,
  type CallContext,
  type Capabilities,
  type Codec,
  type Json,
  type MessageItem,
  type Model,
  type ModelEvent,
  type ModelRequest,
  type OutputItem,
  type ReasoningItem,
  type StopType,
} from '../../src/index.ts';

/** The wire of a small made-up provider: what its stream is made of. */
export type Chunk =
  | { type: 'text' | 'refusal' | 'reasoning'; delta: string }
  | { type: 'summary'; delta: string; part: number }
  | { type: 'call'; id: string; name: string }
  | { type: 'arguments'; id: string; delta: string }
  | { type: 'next' }
  | { type: 'ping' }
  | { type: 'failure'; message: string }
  | { type: 'end'; stop: StopType };
type Body = ModelRequest;
type Reply = { output: OutputItem[]; stop: StopType | undefined };
export type ToyTransport = {
  open: (body: Body, call: CallContext) => AsyncIterable<Chunk>;
  toError?: (error: unknown) => ModelError;
  name?: string;
  capabilities?: Capabilities;
};

/** A model over any source of chunks, made as an adapter makes one. */
export function toyModel({ open, toError = asNetworkError, name = 'toy-1', capabilities = {} }: ToyTransport): Model {
  return defineModel<Body, Reply, Chunk>({ provider: 'toy', api: 'toy', name, capabilities }, toyCodec, {
    open,
    toError,
    send: async (body, call) => {
      const reply = toyCodec.accumulate();
      for await (const chunk of open(body, call)) reply.add(chunk);
      return reply.end();
    },
  });
}

function asNetworkError(cause: unknown): ModelError {
  return new ModelError({ kind: 'network', message: 'The connection broke.', cause });
}

const toyCodec: Codec<Body, Reply, Chunk> = {
  encode: (request, { settings }) => ({
    body: request,
    adaptations: Object.keys(request.settings)
      .filter((name) => settings?.some((known) => known === name) === false)
      .map((name) => ({ type: 'unsupported_setting', name, detail: 'there is no such setting here' })),
  }),
  decode: ({ output, stop }) => {
    if (stop === undefined)
      throw new ModelError({ kind: 'protocol', message: 'The stream ended before its end mark.', retryable: true });
    return {
      model: 'toy-1',
      output,
      usage: usageOf({ inputTokens: 10, outputTokens: 5 }),
      stop: { type: stop, raw: stop },
    };
  },
  accumulate: () => new Assembly(),
};

class Assembly {
  readonly #events = new ResponseEvents();
  readonly #reply: Reply = { output: [], stop: undefined };
  #message: MessageItem | undefined;
  #reasoning: ReasoningItem | undefined;

  add(chunk: Chunk): readonly ModelEvent[] {
    switch (chunk.type) {
      case 'text':
        this.#openMessage({ type: 'output_text', text: chunk.delta, annotations: [] });
        return this.#events.text(chunk.delta);
      case 'refusal':
        this.#openMessage({ type: 'refusal', refusal: chunk.delta });
        return this.#events.refusal(chunk.delta);
      case 'reasoning':
      case 'summary':
        return this.#reason(chunk);
      case 'call':
        this.#reply.output.push({ type: 'function_call', call_id: chunk.id, name: chunk.name, arguments: '' });
        return this.#events.call(chunk.id, { callId: chunk.id, name: chunk.name });
      case 'arguments':
        this.#extendCall(chunk.id, chunk.delta);
        return this.#events.callArguments(chunk.id, chunk.delta);
      case 'next':
        this.#message = undefined;
        this.#reasoning = undefined;
        this.#events.close();
        return [];
      case 'ping':
        return [];
      case 'failure':
        throw new ModelError({ kind: 'server', message: chunk.message });
      case 'end':
        this.#reply.stop = chunk.stop;
        return [];
    }
  }

  end(): Reply {
    return this.#reply;
  }

  #openMessage(part: Extract<MessageItem['content'], readonly unknown[]>[number]): void {
    const content = this.#message && typeof this.#message.content !== 'string' ? [...this.#message.content] : [];
    const at = content.findIndex(({ type }) => type === part.type);
    const known = content[at];
    if (known?.type === 'output_text' && part.type === 'output_text')
      content[at] = { ...known, text: known.text + part.text };
    else if (known?.type === 'refusal' && part.type === 'refusal')
      content[at] = { ...known, refusal: known.refusal + part.refusal };
    else content.push(part);
    this.#message = this.#replace(this.#message, { type: 'message', role: 'assistant', status: 'completed', content });
  }

  #reason(chunk: Extract<Chunk, { type: 'text' | 'refusal' | 'reasoning' | 'summary' }>): readonly ModelEvent[] {
    const { summary = [], content } = this.#reasoning ?? {};
    if (chunk.type !== 'summary') {
      const text = (content?.[0]?.text ?? '') + chunk.delta;
      const next: ReasoningItem = { type: 'reasoning', summary, content: [{ type: 'reasoning_text', text }] };
      this.#reasoning = this.#replace(this.#reasoning, next);
      return this.#events.reasoning(chunk.delta);
    }
    const parts = [...summary];
    const text = (parts[chunk.part]?.text ?? '') + chunk.delta;
    parts[chunk.part] = { type: 'summary_text', text };
    const next: ReasoningItem = { type: 'reasoning', summary: parts, ...(content ? { content } : {}) };
    this.#reasoning = this.#replace(this.#reasoning, next);
    return this.#events.reasoningSummary(chunk.delta, chunk.part);
  }

  #replace<T extends OutputItem>(old: T | undefined, next: T): T {
    const { output } = this.#reply;
    if (old === undefined) output.push(next);
    else output[output.indexOf(old)] = next;
    return next;
  }

  #extendCall(id: string, delta: string): void {
    const { output } = this.#reply;
    const at = output.findIndex((item) => item.type === 'function_call' && item.call_id === id);
    const call = output[at];
    if (call?.type === 'function_call') output[at] = { ...call, arguments: call.arguments + delta };
  }
}

/** The chunks of a whole answer of text. */
export function spoken(text: string, size = 4): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at < text.length; at += size) chunks.push({ type: 'text', delta: text.slice(at, at + size) });
  return [...chunks, { type: 'end', stop: 'end' }];
}

/** The chunks of a whole answer of calls. */
export function calling(...calls: readonly { name: string; id?: string; args?: Json }[]): Chunk[] {
  const chunks = calls.flatMap(({ name, id = `call_${name}`, args = {} }): Chunk[] => [
    { type: 'call', id, name },
    { type: 'arguments', id, delta: JSON.stringify(args) },
  ]);
  return [...chunks, { type: 'end', stop: 'tool_calls' }];
}

/** A model that answers its first call with a call of `act`, then in words; `sent` and `aborted` tell how far it came. */
export function acting() {
  const seen = { opened: 0, sent: 0, aborted: false };
  const model = toyModel({
    async *open(_body, { signal }) {
      signal?.addEventListener('abort', () => (seen.aborted = true));
      seen.opened += 1;
      const chunks: Chunk[] =
        seen.opened === 1 ? [{ type: 'text', delta: 'Let me see.' }, ...calling({ name: 'act' })] : spoken('Seen.');
      for (const chunk of chunks) {
        yield chunk;
        seen.sent += 1;
      }
    },
  });
  return { model, seen };
}
