/**
 * The sandbox of workflows has no `performance`, and `AbortSignal` only as what an `AbortController` has. The clock of a workflow is the
 * same in every replay.
 */
export function completeSandbox(): void {
  define('performance', { now: () => Date.now() });
  define('AbortSignal', new AbortController().signal.constructor);
}

function define(name: string, value: unknown): void {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
}
