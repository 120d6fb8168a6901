/** Something that is to happen unless it is cancelled before its time. */
export type Deadline = { at: number; expire: () => void };

/**
 * The deadlines of one run under a single timer. Deadlines are nearly always cancelled long before their time, so the timer is
 * armed for the earliest and only looked after when it fires.
 */
export class Deadlines {
  readonly #pending = new Set<Deadline>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;

  /** Calls `expire` in `ms` milliseconds, unless cancelled. */
  set(ms: number, expire: () => void): Deadline {
    const deadline = { at: now() + ms, expire };
    this.#pending.add(deadline);
    if (deadline.at < this.#firesAt) this.#arm(deadline.at);
    return deadline;
  }

  cancel(deadline: Deadline): void {
    this.#pending.delete(deadline);
  }

  /** Ends the timer; pending deadlines never expire. */
  close(): void {
    this.#pending.clear();
    this.#disarm();
  }

  #arm(at: number): void {
    this.#disarm();
    this.#firesAt = at;
    // Longer delays than this overflow a timer, which would then fire at once.
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(at - now(), 0), 2 ** 31 - 1));
  }

  /** In the sandboxes of workflow engines it is an error to clear a timer that does not run. */
  #disarm(): void {
    if (this.#firesAt < Infinity) clearTimeout(this.#timer);
    this.#firesAt = Infinity;
  }

  #fire(): void {
    this.#firesAt = Infinity;
    const time = now();
    let earliest = Infinity;
    for (const deadline of this.#pending) {
      if (deadline.at > time) earliest = Math.min(earliest, deadline.at);
      else if (this.#pending.delete(deadline)) deadline.expire();
    }
    if (earliest < this.#firesAt) this.#arm(earliest);
  }
}

/** Milliseconds on a clock that never goes back. */
export function now(): number {
  return performance.now();
}
