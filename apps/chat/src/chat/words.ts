import { ModelError, UserError, type ModelErrorKind } from '@polyrun/core';

/** What to look at when a provider fails in this way. */
const advice: { readonly [K in ModelErrorKind]?: string } = {
  auth: 'Check the key.',
  network: 'Is the server running, and is the address right?',
  not_found: 'Check the model and the address.',
  protocol: 'Check the address.',
  rate_limit: 'Wait, or go on with another: /provider.',
  quota: 'Go on with another: /provider.',
  overloaded: 'Wait, or go on with another: /provider.',
  context_length: 'Take /session new, or a model that holds more.',
};

/** An error in one line, with what to do. */
export function messageOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  const line = said
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[^.!?]$/, '$&.');
  const next = error instanceof ModelError ? advice[error.kind] : undefined;
  return next === undefined ? line : `${line} ${next}`;
}

/** An error that the person can do something about; of any other a developer wants to see the stack. */
export function isExpected(error: unknown): error is UserError {
  return error instanceof UserError;
}
