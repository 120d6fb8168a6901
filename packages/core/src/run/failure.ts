import { AgentsError, ModelError } from '../errors.ts';
import type { Failure, LoopState } from '../loop/state.ts';
import { isFields, toJson } from '../protocol/json.ts';

/** What is kept of an error when a run is stored: enough to raise one of the same class in another process. */
export function failureOf(effectId: string, error: unknown): Failure {
  if (!(error instanceof Error)) return { effectId, name: 'Error', message: String(error) };
  const failure = { effectId, name: error.name, message: error.message };
  // JSON leaves out what is undefined: what every error has, what the run gave it, and what may be long.
  const rest = { name: undefined, runData: undefined, state: undefined, body: undefined };
  const data = toJson(error instanceof AgentsError ? Object.assign({}, error, rest) : {});
  return JSON.stringify(data) === '{}' ? failure : { ...failure, data };
}

/** What ended a run, or kept its last items from the session. */
export function failureIn({ end, saves }: LoopState): Failure | undefined {
  return end?.type === 'failed' ? end.failure : saves?.failure;
}

/** The error of a failure that another process met. */
export function rebuiltError({ name, message, data }: Failure): Error {
  const facts = isFields(data) ? data : {};
  if (name === 'ModelError') return new ModelError({ kind: 'unknown', ...facts, message });
  return new AgentsError(message, { ...facts, name });
}
