import { isThenable, type MaybePromise } from '../agent/maybe-promise.ts';

/**
 * Work written once for both drivers: a generator that yields what may be a promise and is given back its value. The asynchronous
 * driver awaits promises, a synchronous one refuses them; work without any promise costs neither of them a tick.
 */
export type Steps<T> = Generator<unknown, T, unknown>;

/** Inside steps: the value, once it is there. `const x = yield* wait(mayBePromise)`. */
export function* wait<T>(value: MaybePromise<T>): Steps<T> {
  // The driver gives back what the promise came to, which only this line knows the type of.
  return isThenable(value) ? ((yield value) as T) : value;
}

/** Runs steps to their end: at once when nothing in them is a promise. */
export function settle<T>(steps: Steps<T>): MaybePromise<T> {
  let next = steps.next();
  while (next.done !== true) {
    if (isThenable(next.value)) return settleLater(steps, next.value);
    next = steps.next(next.value);
  }
  return next.value;
}

async function settleLater<T>(steps: Steps<T>, first: PromiseLike<unknown>): Promise<T> {
  let pending: unknown = first;
  for (;;) {
    let value: unknown;
    let failed = false;
    try {
      value = await pending;
    } catch (error) {
      failed = true;
      value = error;
    }
    const next = failed ? steps.throw(value) : steps.next(value);
    if (next.done === true) return next.value;
    pending = next.value;
  }
}

/** Inside steps: all values, the calls having been made at once. */
export function* waitAll<T>(values: readonly MaybePromise<T>[]): Steps<T[]> {
  if (!values.some(isThenable)) return yield* wait<T[]>(values.filter((value): value is T => !isThenable(value)));
  return yield* wait(Promise.all(values));
}
