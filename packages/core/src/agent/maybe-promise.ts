/** A value that may still be on its way. */
export type MaybePromise<T> = T | Promise<T>;

/** True for promises of any make. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Goes on with a value: at once where it is there, else once it is. */
export function after<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Once all of these are there: at once, where none is a promise. */
export function all(values: readonly unknown[]): MaybePromise<void> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values).then(() => undefined) : undefined;
}
