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
import type { ModelErrorKind } from '../protocol/response.ts';
import type { GuardrailResult, ToolGuardrailResult } from '../protocol/verdicts.ts';

/** What is kept of an error when a run is stored: enough to raise one of the same class in another process. */
export function failureOf(effectId: string, error: unknown): Failure {
  if (!(error instanceof Error)) return { effectId, name: 'Error', message: String(error) };
  const data = error instanceof AgentsError ? dataOf(error) : {};
  const failure = { effectId, name: error.name, message: error.message };
  return Object.keys(data).length === 0 ? failure : { ...failure, data: toJson(data) };
}

/** The error of a failure that another process met. */
export function rebuiltError({ name, message, data }: Failure): Error {
  const fields = isFields(data) ? data : {};
  return (makers[name] ?? ((words) => new AgentsError(words)))(message, fields);
}

/** What an error of each class has beside its message. */
const kept: readonly string[] = ['kind', 'retryable', 'status', 'requestId', 'limit', 'refusal', 'partialText', 'result'];

function dataOf(error: AgentsError): Fields {
  const own: Fields = Object.fromEntries(Object.entries(error));
  return Object.fromEntries(kept.filter((key) => own[key] !== undefined).map((key) => [key, own[key]]));
}

const makers: { readonly [name: string]: (message: string, data: Fields) => Error } = {
  UserError: (message) => new UserError(message),
  MaxTurnsExceededError: (message) => new MaxTurnsExceededError(message),
  LimitReachedError: (message, { limit }) => new LimitReachedError(message, { limit: text(limit) }),
  ModelBehaviorError: (message) => new ModelBehaviorError(message),
  ModelRefusalError: (message, { refusal }) => new ModelRefusalError(message, { refusal: text(refusal) }),
  OutputTruncatedError: (message, { partialText }) =>
    new OutputTruncatedError(message, { partialText: text(partialText) }),
  ContentFilterError: (message, { partialText }) => new ContentFilterError(message, { partialText: text(partialText) }),
  ToolTimeoutError: (message) => new ToolTimeoutError(message),
  ToolCallError: (message) => new ToolCallError(message),
  GuardrailExecutionError: (message) => new GuardrailExecutionError(message),
  SessionBusyError: (message) => new SessionBusyError(message),
  ModelError: (message, { kind, retryable }) =>
    new ModelError({ kind: isKind(kind) ? kind : 'unknown', message, retryable: retryable === true }),
  InputGuardrailTripwireTriggered: (message, { result }) =>
    new InputGuardrailTripwireTriggered(message, { result: verdict(result) }),
  OutputGuardrailTripwireTriggered: (message, { result }) =>
    new OutputGuardrailTripwireTriggered(message, { result: verdict(result) }),
  ToolInputGuardrailTripwireTriggered: (message, { result }) =>
    new ToolInputGuardrailTripwireTriggered(message, { result: toolVerdict(result) }),
  ToolOutputGuardrailTripwireTriggered: (message, { result }) =>
    new ToolOutputGuardrailTripwireTriggered(message, { result: toolVerdict(result) }),
};

function isKind(kind: unknown): kind is ModelErrorKind {
  return typeof kind === 'string';
}

function verdict(result: unknown): GuardrailResult {
  const fields = isFields(result) ? result : {};
  return { guardrail: text(fields['guardrail']), agent: text(fields['agent']), output: { tripwireTriggered: true } };
}

function toolVerdict(result: unknown): ToolGuardrailResult {
  const fields = isFields(result) ? result : {};
  const { guardrail, toolName, callId } = fields;
  return {
    guardrail: text(guardrail),
    toolName: text(toolName),
    callId: text(callId),
    output: { type: 'raise_exception' },
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
