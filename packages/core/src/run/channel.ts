type Read<T> = Promise<IteratorResult<T, undefined>>;

/**
 * A bounded queue between one producer and one consumer. `push` gives a promise while there is no room; the consumer sees every value,
 * then the end or the error.
 */
export class Channel<T> {
  #queue: T[] = [];
  #head = 0;
  /** Room for this many values before the producer has to wait. */
  #capacity = 64;
  /** What every read comes to once the last value has been read. */
  #end: (() => Read<T>) | undefined;
  #room: Promise<void> | undefined;
  #makeRoom: (() => void) | undefined;
  readonly #readers: ((result: IteratorResult<T, undefined> | Read<T>) => void)[] = [];

  push(value: T): void | Promise<void> {
    if (this.#capacity === 0 || this.#end) return undefined;
    const reader = this.#readers.shift();
    if (reader) {
      reader({ done: false, value });
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
    this.#finish(() => Promise.resolve({ done: true, value: undefined }));
  }

  fail(cause: unknown): void {
    this.#finish(() => Promise.reject(cause));
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

  next(): Read<T> {
    if (this.#head < this.#queue.length) return Promise.resolve({ done: false, value: this.#shift() });
    return this.#end?.() ?? new Promise((resolve) => this.#readers.push(resolve));
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

  #finish(end: () => Read<T>): void {
    this.#end ??= end;
    this.#tellRoom();
    for (const reader of this.#readers.splice(0)) reader(this.#end());
  }

  #tellRoom(): void {
    this.#makeRoom?.();
    this.#room = undefined;
  }
}
