/** What may end work before its own end. */
export type Limit = {
  /** Milliseconds; null or absent: no deadline. */
  readonly ms?: number | null | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The error of work that took longer. */
  readonly expired?: () => Error;
};

/** The longest delay that a timer of the platform can have, in milliseconds. */
export const longestDelay: number = 2 ** 31 - 1;

/**
 * Does work under a deadline and the caller's signal. Whatever ends first decides; when that is not the work itself, the signal that
 * the work was given is aborted and nobody waits for it any more.
 */
export async function bounded<T>(limit: Limit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { ms, signal, expired = () => new Error(`Nothing came within ${ms} ms.`) } = limit;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => {
      const reason: unknown = controller.signal.reason;
      reject(reason);
    });
  });
  const onAbort = () => controller.abort(signal?.reason);
  const onExpiry = () => controller.abort(expired());
  const timer = typeof ms === 'number' ? setTimeout(onExpiry, Math.min(ms, longestDelay)) : undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Work that its callers share: begun by the first, joined by the others, and aborted once none of them waits any more. */
export class Shared<T> {
  readonly #begin: (signal: AbortSignal) => Promise<T>;
  #work: { readonly result: Promise<T>; readonly controller: AbortController; waiting: number } | undefined;

  constructor(begin: (signal: AbortSignal) => Promise<T>) {
    this.#begin = begin;
  }

  async join(signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const work = (this.#work ??= this.#begun());
    work.waiting += 1;
    try {
      return await bounded({ signal }, () => work.result);
    } finally {
      work.waiting -= 1;
      if (work.waiting === 0 && this.#work === work)
        this.abandon(new DOMException('Nobody waits any more.', 'AbortError'));
    }
  }

  /** Aborts what is going on; those who wait for it get `reason`. */
  abandon(reason: unknown): void {
    const work = this.#work;
    this.#work = undefined;
    work?.controller.abort(reason);
  }

  #begun() {
    const controller = new AbortController();
    const result = bounded({ signal: controller.signal }, (signal) => this.#begin(signal));
    return { controller, result, waiting: 0 };
  }
}
