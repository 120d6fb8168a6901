/** Room for this many events before the producer has to wait. */
const capacity = 64;

/**
 * A bounded queue between one producer and one consumer. `push` gives a promise while there is no room; the consumer sees every value,
 * then the end or the error.
 */
export class Channel<T> {
  #queue: T[] = [];
  #head = 0;
  #end: { error?: unknown; failed: boolean } | undefined;
  #room: { promise: Promise<void>; resolve: () => void } | undefined;
  #waiting: { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void } | undefined;
  #discarding = false;

  push(value: T): void | Promise<void> {
    if (this.#discarding || this.#end) return undefined;
    if (this.#waiting) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve({ done: false, value });
      return undefined;
    }
    this.#queue.push(value);
    if (this.#queue.length - this.#head < capacity) return undefined;
    this.#room ??= newRoom();
    return this.#room.promise;
  }

  close(): void {
    this.#finish({ failed: false });
  }

  fail(error: unknown): void {
    this.#finish({ failed: true, error });
  }

  /** Nobody reads: what comes is dropped, and the producer never waits. */
  discard(): void {
    this.#discarding = true;
    this.#queue = [];
    this.#head = 0;
    this.#makeRoom();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#head < this.#queue.length) return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#end)
      return this.#end.failed ? Promise.reject(this.#end.error) : Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #shift(): T {
    const value = this.#queue[this.#head++];
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    if (this.#queue.length - this.#head < capacity) this.#makeRoom();
    // The caller has made sure that there is one.
    return value as T;
  }

  #finish(end: { error?: unknown; failed: boolean }): void {
    if (this.#end) return;
    this.#end = end;
    this.#makeRoom();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (end.failed) waiting?.reject(end.error);
    else waiting?.resolve({ done: true, value: undefined });
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

function newRoom(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
