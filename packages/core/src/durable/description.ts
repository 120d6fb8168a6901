import { AgentsError } from '../errors.ts';
import type { Failure, LoopState } from '../loop/state.ts';
import { isFields, parseJson, toJson } from '../protocol/json.ts';
import { isLoopState } from '../run/run-state.ts';

/** All that a step is performed from. `failure`: what ended the run, for its last step. */
export type Description = {
  readonly runId: string;
  readonly id: string;
  readonly opens: boolean;
  readonly state: LoopState;
  readonly failure: Failure | null;
};

/** A step as another process is told of it. */
export function described(step: Description): string {
  return JSON.stringify(toJson(step));
}

export function readDescription(text: string): Description {
  const { runId, id, opens, state, failure } = fieldsOf(text);
  if (typeof runId === 'string' && typeof id === 'string' && isLoopState(state))
    return { runId, id, opens: opens === true, state, failure: isFailure(failure) ? failure : null };
  throw new AgentsError('performStep: expected what DurableStep.describe gave.');
}

function fieldsOf(text: string): { readonly [key: string]: unknown } {
  const value = parseJson(text);
  return isFields(value) ? value : {};
}

export function isFailure(value: unknown): value is Failure {
  return isFields(value) && typeof value['name'] === 'string' && typeof value['message'] === 'string';
}
