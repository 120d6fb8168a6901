import { ModelError, ResponseEvents, type ModelEvent } from '@polyrun/core';
import { given } from '@polyrun/core/http';
import { todo } from './todo.ts';
import type { Chunk, Reply } from './wire.ts';

/** Adds the chunks of a stream up to the answer that an unstreamed call would have returned, and tells what each brings. */
export function accumulateReply(): { add(chunk: Chunk): readonly ModelEvent[]; end(): Reply } {
  const reply = new StreamedReply();
  return { add: (chunk) => reply.add(chunk), end: () => reply.end() };
}

class StreamedReply {
  readonly #events = new ResponseEvents();
  /** What the chunks add up to, spelled as an unstreamed answer. */
  readonly #data: { [field: string]: unknown } = {};
  #ended = false;
  #requestId: string | undefined;

  add({ data, requestId, whole }: Chunk): readonly ModelEvent[] {
    this.#requestId ??= requestId;
    // What a server did not stream has ended.
    if (whole) {
      this.#ended = true;
      Object.assign(this.#data, data);
      return [];
    }
    return todo('src/accumulate.ts, add: what one event of a stream brings', this.#events, data);
  }

  end(): Reply {
    const request = given({ requestId: this.#requestId });
    if (this.#ended) return { data: this.#data, ...request };
    const message = 'The stream ended before the answer did.';
    throw new ModelError({ kind: 'protocol', message, retryable: true, ...request });
  }
}
