import { UserError } from '../errors.ts';

/** How a test framework is asked for tests; those of vitest, jest, mocha, bun and node:test fit. */
export type TestFramework = {
  describe: (name: string, body: () => void) => unknown;
  /** `timeoutMs` is what a slow check may take; a framework that knows no third argument ignores it. */
  test: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown;
};

/** A check that cannot pass, and why. */
export type Exclusion = { id: string; reason: string };

/** The global `describe` and `test`; `kit` is who asks. */
export function globalFramework(kit: string): TestFramework {
  const describe: unknown = Reflect.get(globalThis, 'describe');
  const test: unknown = Reflect.get(globalThis, 'test');
  if (isFunction(describe) && isFunction(test)) return { describe, test };
  throw new UserError(
    `${kit} framework: there is no global describe and test; pass them, for example { describe, test } of vitest.`,
  );
}

/** Fails when a check passes that is excluded: an exclusion ends with its reason. */
export async function mustFail(check: Promise<void>, id: string): Promise<void> {
  const passed = await check.then(
    () => true,
    () => false,
  );
  if (passed) throw new Error(`The check '${id}' is excluded, but it passes: take it off the list.`);
}

function isFunction(value: unknown): value is (...args: readonly unknown[]) => unknown {
  return typeof value === 'function';
}
