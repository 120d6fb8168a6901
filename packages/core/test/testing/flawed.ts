import {
  ModelError,
  type Adaptation,
  type CallContext,
  type Model,
  type ModelEvent,
  type ModelRequest,
  type ModelResponse,
  type OutputItem,
} from '../../src/index.ts';
import { acme, type Address, type Body, type Turn } from './acme.ts';

/** The adapter with another reading of each item. */
export function decoded(change: (item: OutputItem) => object) {
  return (at: Address): Model =>
    acme(at, ({ decode }) => ({
      decode: (reply) => {
        const response = decode(reply);
        return {
          ...response,
          output: response.output.map((item) => (item.type === 'message' ? (change(item) as OutputItem) : item)),
        };
      },
    }));
}

export function message(change: (text: string) => string) {
  return (item: OutputItem): object => ({
    ...item,
    content: ((item as unknown as { content: { text?: string }[] }).content ?? []).map((part) =>
      part.text === undefined ? part : { ...part, text: change(part.text) },
    ),
  });
}

/** The adapter with other responses, streamed and unstreamed. */
export function answered(change: (response: ModelResponse) => ModelResponse) {
  return (at: Address): Model => {
    const model = acme(at);
    return changed(model, {
      getResponse: async (request, call) => change(await model.getResponse(request, call)),
      async *streamResponse(request, call) {
        for await (const event of model.streamResponse(request, call))
          yield event.type === 'polyrun:response_done' ? { ...event, response: change(event.response) } : event;
      },
    });
  };
}

export function mapped(response: ModelResponse, change: (item: OutputItem) => OutputItem): ModelResponse {
  return { ...response, output: response.output.map(change) };
}

/** Calls numbered from one in each response, as the wire of the fixtures does. */
export function numbered(): (item: OutputItem) => OutputItem {
  let calls = 0;
  return (item) => (item.type === 'function_call' ? { ...item, call_id: `c${++calls}` } : item);
}

export function streaming(change: (event: ModelEvent) => ModelEvent[]) {
  return (at: Address): Model => {
    const model = acme(at);
    return changed(model, {
      async *streamResponse(request, call) {
        for await (const event of model.streamResponse(request, call)) yield* change(event);
      },
    });
  };
}

/** The adapter with some events left out, the others numbered anew. */
export function renumbered(keep: (event: ModelEvent) => boolean) {
  return (at: Address): Model => {
    const model = acme(at);
    return changed(model, {
      async *streamResponse(request, call) {
        let number = 0;
        for await (const event of model.streamResponse(request, call))
          if (keep(event)) yield { ...event, sequence_number: number++ };
      },
    });
  };
}

/** Calls that are done, with what there is of their arguments, as soon as they have any. */
export function endedEarly(event: ModelEvent): ModelEvent[] {
  if (event.type !== 'response.function_call_arguments.delta') return [event];
  const { output_index, sequence_number, delta } = event;
  const item: OutputItem = { type: 'function_call', status: 'completed', call_id: 'c', name: 'look', arguments: delta };
  return [event, { type: 'response.output_item.done', sequence_number, output_index, item }];
}

/** Deltas and whole texts in other words, the final item in the right ones. */
export function renamed(event: ModelEvent): ModelEvent {
  if (event.type === 'response.output_text.delta') return { ...event, delta: event.delta.replace('üß', 'uess') };
  return event.type === 'response.output_text.done' ? { ...event, text: event.text.replace('üß', 'uess') } : event;
}

export function encoding(change: (body: Body, request: ModelRequest) => Body) {
  return (at: Address): Model =>
    acme(at, ({ encode }) => ({
      encode: (request) => {
        const { body, adaptations } = encode(request);
        return { body: change(body, request), adaptations };
      },
    }));
}

export function requested(change: (request: ModelRequest) => ModelRequest) {
  return (at: Address): Model => acme(at, ({ encode }) => ({ encode: (request) => encode(change(request)) }));
}

/** The same, around everything that the core does. */
export function asking(change: (request: ModelRequest) => ModelRequest) {
  return (at: Address): Model => {
    const model = acme(at);
    return changed(model, {
      getResponse: (request, call) => model.getResponse(change(request), call),
      streamResponse: (request, call) => model.streamResponse(change(request), call),
    });
  };
}

export function turns(change: (turn: Turn) => Turn) {
  return encoding((body) => ({ ...body, turns: body.turns.map(change) }));
}

export function reporting(keep: (adaptation: Adaptation) => boolean) {
  return (at: Address): Model =>
    acme(at, ({ encode }) => ({
      encode: (request) => {
        const { body, adaptations } = encode(request);
        return { body, adaptations: adaptations.filter(keep) };
      },
    }));
}

export function withIds(body: Body, input: ModelRequest['input']): Body {
  const ids = input.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : []));
  const outputs = [...ids];
  return {
    ...body,
    turns: body.turns.map((turn) => {
      if (turn.who === 'tool') return { ...turn, answers: outputs.shift() };
      return turn['call'] ? { ...turn, call: { ...turn['call'], id: ids.shift() } } : turn;
    }),
  };
}

export function tapping(keep: (tap: { kind: string }) => boolean) {
  return (at: Address): Model => {
    const model = acme(at);
    const without = ({ onWire, ...call }: CallContext = {}): CallContext =>
      onWire ? { ...call, onWire: (tap) => keep(tap) && onWire(tap) } : call;
    return changed(model, {
      getResponse: (request, call) => model.getResponse(request, without(call)),
      streamResponse: (request, call) => model.streamResponse(request, without(call)),
    });
  };
}

/** The adapter with other errors. */
export function failing(change: (error: ModelError, request: ModelRequest) => ModelError) {
  return (at: Address): Model => {
    const model = acme(at);
    const rethrow = (error: unknown, request: ModelRequest): never => {
      throw error instanceof ModelError && error.status !== undefined ? change(error, request) : error;
    };
    return changed(model, {
      getResponse: (request, call) =>
        model.getResponse(request, call).catch((error: unknown) => rethrow(error, request)),
      async *streamResponse(request, call) {
        try {
          yield* model.streamResponse(request, call);
        } catch (error) {
          rethrow(error, request);
        }
      },
    });
  };
}

export function remade(error: ModelError, facts: object): ModelError {
  const { kind, message, status, requestId, retryAfterMs, body } = error;
  return new ModelError({ kind, message, status, requestId, retryAfterMs, body, ...facts } as never);
}

export function toErrors(unknown: RegExp) {
  return (at: Address): Model =>
    acme(at, ({ toError }) => ({
      toError: (error) => {
        const made = toError(error);
        return unknown.test(made.message) ? new ModelError({ kind: 'unknown', message: made.message }) : made;
      },
    }));
}

/** While two streams are open, each gets what is meant for the other. */
export function mixing(at: Address): Model {
  let open = 0;
  return acme(at, ({ accumulate }) => ({
    accumulate: () => {
      const { add, end } = accumulate();
      open++;
      let alone = true;
      return {
        add: (chunk) => {
          alone &&= open === 1;
          return add(chunk);
        },
        end: () => {
          open--;
          const reply = end();
          return alone ? reply : { data: { ...reply.data, text: 'another answer' } };
        },
      };
    },
  }));
}

export function piecewise(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform: (piece, to) => to.enqueue(new TextEncoder().encode(new TextDecoder().decode(piece))),
  });
}

export async function* naiveLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    const events = (rest + piece).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) if (event.startsWith('data: ')) yield event.slice('data: '.length);
  }
}

/** Reads lines well, but leaves the body open when nobody wants the rest. */
export async function* looseLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (let done = false; !done;) {
    const read = await reader.read();
    done = read.done;
    const lines = (rest + decoder.decode(read.value, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data:')) yield line.slice('data:'.length).trim();
  }
}

export function isStreamed(body: unknown): boolean {
  return !Object.hasOwn(Object(body), 'request_id') || (body as { code?: string }).code === 'server_error';
}

/** Resolves when a few requests have had the time to arrive. */
export async function later(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => void setImmediate(resolve));
}

/** Ends a stream as if it were whole when the signal is aborted. */
export function quiet(at: Address): Model {
  return acme(at, ({ lines }) => ({
    async *lines(body) {
      try {
        yield* lines(body);
      } catch {
        yield '{"t":"end","stop":"done"}';
      }
    },
  }));
}

/** Refuses to answer once a signal that it was given is aborted. */
export function remembering(at: Address): Model {
  const model = acme(at);
  let aborted = false;
  return changed(model, {
    getResponse: (request, call) => {
      call?.signal?.addEventListener('abort', () => (aborted = true));
      if (aborted) throw new ModelError({ kind: 'aborted', message: 'aborted' });
      return model.getResponse(request, call);
    },
  });
}

/** A model that does what `model` does, but for what is given. */
export function changed(model: Model, change: Partial<Model>): Model {
  return {
    ...model,
    getResponse: (request, call) => model.getResponse(request, call),
    streamResponse: (request, call) => model.streamResponse(request, call),
    ...change,
  };
}
