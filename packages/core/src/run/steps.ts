import { isThenable, type MaybePromise } from '../agent/maybe-promise.ts';

/**
 * Work written once for any driver: a generator that yields what may be a promise and is given back its value. A driver may await
 * promises, as `proceed` does, or refuse them; work without any promise costs no tick.
 */
export type Steps<T> = Generator<unknown, T, unknown>;

/** Inside steps: the value, once it is there. `const x = yield* wait(mayBePromise)`. */
export function* wait<T>(value: MaybePromise<T>): Steps<T> {
  // The driver gives back what the promise came to, which only this line knows the type of.
  return isThenable(value) ? ((yield value) as T) : value;
}

/** Told once what steps came to. */
export type End<T> = { readonly done: (value: T) => void; readonly failed: (error: unknown) => void };

/** Runs steps to their end: before it returns when nothing in them is a promise. */
export function proceed<T>(steps: Steps<T>, end: End<T>): void {
  const go = (value?: unknown) => on(() => steps.next(value));
  const fail = (error: unknown) => on(() => steps.throw(error));
  const on = (step: () => IteratorResult<unknown, T>) => {
    try {
      let next = step();
      while (next.done !== true) {
        if (isThenable(next.value)) return void next.value.then(go, fail);
        next = steps.next(next.value);
      }
      end.done(next.value);
    } catch (error) {
      end.failed(error);
    }
  };
  go();
}

/** What steps come to: a promise only where one of theirs has to be waited for. */
export function settle<T>(steps: Steps<T>): MaybePromise<T> {
  const at: { once?: { value: T }; done: (value: T) => void; failed: (error: unknown) => void } = {
    done: (value) => void (at.once = { value }),
    failed: (error) => {
      throw error;
    },
  };
  proceed(steps, { done: (value) => at.done(value), failed: (error) => at.failed(error) });
  if (at.once) return at.once.value;
  return new Promise((done, failed) => {
    at.done = done;
    at.failed = failed;
  });
}

/** Inside steps: all values, the calls having been made at once. */
export function* waitAll<T>(values: readonly MaybePromise<T>[]): Steps<T[]> {
  if (!values.some(isThenable)) return yield* wait<T[]>(values.filter((value): value is T => !isThenable(value)));
  return yield* wait(Promise.all(values));
}
