import { isThenable, type MaybePromise } from '../agent/maybe-promise.ts';

/**
 * Work written once for any driver: a generator that yields what may be a promise and is given back its value. A driver may await
 * promises, as `settle` does, or refuse them; work without any promise costs no tick.
 */
export type Steps<T> = Generator<unknown, T, unknown>;

/** Inside steps: the value, once it is there. `const x = yield* wait(mayBePromise)`. */
export function* wait<T>(value: MaybePromise<T>): Steps<T> {
  // The driver gives back what the promise came to, which only this line knows the type of.
  return isThenable(value) ? ((yield value) as T) : value;
}

/** Goes on until steps are done, or a promise has to be waited for. */
export function proceed<T>(
  steps: Pick<Path<T>, 'next'>,
  from: IteratorResult<unknown, T> = steps.next(undefined),
): IteratorResult<PromiseLike<unknown>, T> {
  let next = from;
  while (next.done !== true) {
    const { value } = next;
    if (isThenable(value)) return { done: false, value };
    next = steps.next(value);
  }
  return next;
}

/** What steps come to: a promise only where one of theirs has to be waited for. */
export function settle<T>(steps: Steps<T>): MaybePromise<T> {
  const { done, value } = proceed(steps);
  return done ? value : new Promise((done, failed) => new Walk(steps, { done, failed }).waitFor(value));
}

/** Who is told of the end of a walk. */
export type Walker<T> = { done(value: T): void; failed(error: unknown): void };

/** Steps as a walk takes them: what it is given, whatever that is, goes on to them. */
type Path<T> = {
  next(value: unknown): IteratorResult<unknown, T>;
  throw(error: unknown): IteratorResult<unknown, T>;
  return(value: unknown): IteratorResult<unknown, T>;
};

/** Steps that wait: on their way from promise to promise to their end. */
export class Walk<T> {
  readonly #steps: Path<T>;
  readonly #walker: Walker<T>;
  #pending: PromiseLike<unknown> | undefined;

  constructor(steps: Steps<T>, walker: Walker<T>) {
    this.#steps = steps;
    this.#walker = walker;
  }

  waitFor(pending: PromiseLike<unknown>): void {
    this.#pending = pending;
    pending.then(
      (value) => this.#pending === pending && this.#go('next', value),
      (error: unknown) => this.#pending === pending && this.#go('throw', error),
    );
  }

  /** Ends the wait with an error, which the steps may handle. */
  interrupt(error: unknown): void {
    this.#go('throw', error);
  }

  /** Ends the steps where they wait. */
  end(value: T): void {
    this.#go('return', value);
  }

  #go(how: keyof Path<T>, given: unknown): void {
    this.#pending = undefined;
    try {
      const { done, value } = proceed(this.#steps, this.#steps[how](given));
      if (done) this.#walker.done(value);
      else this.waitFor(value);
    } catch (error) {
      this.#walker.failed(error);
    }
  }
}

/** Inside steps: all values, the calls having been made at once. */
export function* waitAll<T>(values: readonly MaybePromise<T>[]): Steps<T[]> {
  if (!values.some(isThenable)) return yield* wait<T[]>(values.filter((value): value is T => !isThenable(value)));
  return yield* wait(Promise.all(values));
}
