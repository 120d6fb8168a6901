import {
  AgentsError,
  ContentFilterError,
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  LimitReachedError,
  MaxTurnsExceededError,
  ModelBehaviorError,
  ModelError,
  ModelRefusalError,
  OutputGuardrailTripwireTriggered,
  OutputTruncatedError,
  SessionBusyError,
  ToolCallError,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
  ToolTimeoutError,
  UserError,
} from '../errors.ts';
import type { Failure } from '../loop/state.ts';
import { isFields, toJson, type Fields } from '../protocol/json.ts';

/** What is kept of an error when a run is stored: enough to raise one of the same class in another process. */
export function failureOf(effectId: string, error: unknown): Failure {
  if (!(error instanceof Error)) return { effectId, name: 'Error', message: String(error) };
  const data = error instanceof AgentsError ? dataOf(error) : {};
  const failure = { effectId, name: error.name, message: error.message };
  return Object.keys(data).length === 0 ? failure : { ...failure, data: toJson(data) };
}

/** The error of a failure that another process met. */
export function rebuiltError({ name, message, data }: Failure): Error {
  const facts = isFields(data) ? data : {};
  if (name === 'ModelError') return new ModelError({ kind: 'unknown', ...facts, message });
  const type = classes.find(({ brand }) => brand === name) ?? AgentsError;
  return new type(message, facts);
}

/** What errors have beside their message, their class and what the run gave them. */
function dataOf(error: AgentsError): Fields {
  return Object.fromEntries(
    Object.entries(error).filter(([key]) => !['name', 'runData', 'state', 'body'].includes(key)),
  );
}

const classes: readonly (typeof AgentsError)[] = [
  UserError,
  MaxTurnsExceededError,
  LimitReachedError,
  ModelBehaviorError,
  ModelRefusalError,
  OutputTruncatedError,
  ContentFilterError,
  ToolTimeoutError,
  ToolCallError,
  GuardrailExecutionError,
  SessionBusyError,
  InputGuardrailTripwireTriggered,
  OutputGuardrailTripwireTriggered,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
];
