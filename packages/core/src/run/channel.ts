type Reader<T> = { resolve: (result: IteratorResult<T, undefined>) => void; reject: (error: unknown) => void };

/**
 * A bounded queue between one producer and one consumer. `push` gives a promise while there is no room; the consumer sees every value,
 * then the end or the error.
 */
export class Channel<T> {
  #queue: T[] = [];
  #head = 0;
  /** Room for this many values before the producer has to wait. */
  #capacity = 64;
  #end: { error?: unknown; failed: boolean } | undefined;
  #room: Promise<void> | undefined;
  #makeRoom: (() => void) | undefined;
  readonly #readers: Reader<T>[] = [];

  push(value: T): void | Promise<void> {
    if (this.#capacity === 0 || this.#end) return undefined;
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value });
      return undefined;
    }
    this.#queue.push(value);
    if (this.#queue.length - this.#head < this.#capacity) return undefined;
    this.#room ??= new Promise((resolve) => {
      this.#makeRoom = resolve;
    });
    return this.#room;
  }

  close(): void {
    this.#finish({ failed: false });
  }

  fail(error: unknown): void {
    this.#finish({ failed: true, error });
  }

  /** The producer is to stop, which it cannot while it waits for room: from now on it never does. */
  unbind(): void {
    if (this.#capacity > 0) this.#capacity = Infinity;
    this.#tellRoom();
  }

  /** Nobody reads: what comes is dropped. */
  discard(): void {
    this.#capacity = 0;
    this.#queue = [];
    this.#head = 0;
    this.#tellRoom();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#head < this.#queue.length) return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#end)
      return this.#end.failed ? Promise.reject(this.#end.error) : Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  #shift(): T {
    const value = this.#queue[this.#head++];
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    if (this.#queue.length - this.#head < this.#capacity) this.#tellRoom();
    // The caller has made sure that there is one.
    return value as T;
  }

  #finish(end: { error?: unknown; failed: boolean }): void {
    this.#end ??= end;
    this.#tellRoom();
    for (const reader of this.#readers.splice(0)) {
      if (end.failed) reader.reject(end.error);
      else reader.resolve({ done: true, value: undefined });
    }
  }

  #tellRoom(): void {
    this.#makeRoom?.();
    this.#room = undefined;
  }
}
