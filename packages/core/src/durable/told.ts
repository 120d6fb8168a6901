import type { MaybePromise } from '../agent/maybe-promise.ts';
import { parseJson } from '../protocol/json.ts';
import { failureOf, rebuiltError } from '../run/failure.ts';
import { isFailure } from './description.ts';

/** What a hook came to, as JSON text. */
export async function told(hook: () => MaybePromise<void> | undefined): Promise<string> {
  try {
    await hook();
    return 'null';
  } catch (error) {
    return JSON.stringify(failureOf('', error));
  }
}

/** Throws what the hook threw. */
export function raiseTold(text: string): void {
  const failure = parseJson(text);
  if (isFailure(failure)) throw rebuiltError(failure);
}
