import type { Json } from './protocol/json.ts';
import type { ModelErrorKind } from './protocol/response.ts';
import { nameOf } from './protocol/validate.ts';
import type { GuardrailResult, ToolGuardrailResult } from './protocol/verdicts.ts';
import type { RunData } from './run/result.ts';
import type { RunState } from './run/run-state.ts';

/** What every error of a run may carry beside its message. */
export type ErrorFacts = { cause?: unknown; runData?: RunData; state?: RunState };

/** Under this symbol, the same in every copy of the package, an error holds the name of its class. */
const brand = Symbol.for('polyrun.error');

/**
 * The parent of all errors of this package. `runData` tells what the run had done, `state` resumes it, where there is one.
 * `instanceof` works across two copies of the package: it reads a registered symbol, not the prototype.
 */
export class AgentsError<Facts extends object = object> extends Error {
  static readonly brand: string = 'AgentsError';
  declare readonly runData?: RunData;
  declare readonly state?: RunState;

  constructor(message: string, facts?: ErrorFacts & Facts) {
    super(message, facts);
    this.name = new.target.brand;
    // A name among the facts is that of an error which is raised anew: it is told apart by its brand, not by its prototype.
    for (const [key, value] of Object.entries(facts ?? {})) if (value !== undefined) Reflect.set(this, key, value);
    Object.defineProperty(this, brand, { value: this.name });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    // A user's subclass without a brand of its own is told apart by its prototype, as usual.
    if (typeof value !== 'object' || value === null || !(brand in value) || !Object.hasOwn(this, 'brand')) return false;
    return this.brand === value[brand] || this.brand === AgentsError.brand;
  }
}

/** The program is wrong: a configuration, an option or an input. The message names the field and the fix. */
export class UserError extends AgentsError {
  static override readonly brand: string = 'UserError';
}

/** The error of a value that the user's program gives where another is expected, such as `'a string'`. */
export function misfit(field: string, expected: string, value: unknown): UserError {
  return new UserError(`${field}: expected ${expected}, got ${nameOf(value)}.`);
}

/** Refuses what is left of options once all known ones are taken: a misspelt one would do nothing. */
export function refuseOthers(field: string, others: object): void {
  for (const name of Object.keys(others)) throw new UserError(`${field}: there is no option '${name}'.`);
}

/** The run made as many model calls as `maxTurns` allows. */
export class MaxTurnsExceededError extends AgentsError {
  static override readonly brand: string = 'MaxTurnsExceededError';
}

/** A counter of `limits` was reached; `limit` is its name. */
export class LimitReachedError extends AgentsError<{ limit: string }> {
  static override readonly brand: string = 'LimitReachedError';
  declare readonly limit: string;
}

/** The model did what it must not: an answer that is not of the output type, a tool that does not exist. */
export class ModelBehaviorError extends AgentsError {
  static override readonly brand: string = 'ModelBehaviorError';
}

/** The model declined to answer; `refusal` holds its words. */
export class ModelRefusalError extends AgentsError<{ refusal: string }> {
  static override readonly brand: string = 'ModelRefusalError';
  declare readonly refusal: string;
}

/** The answer hit the output limit; `partialText` is what had been written. */
export class OutputTruncatedError extends AgentsError<{ partialText: string }> {
  static override readonly brand: string = 'OutputTruncatedError';
  declare readonly partialText: string;
}

/** The provider's content filter ended the answer; `partialText` is what had been written. */
export class ContentFilterError extends AgentsError<{ partialText: string }> {
  static override readonly brand: string = 'ContentFilterError';
  declare readonly partialText: string;
}

/** A tool with `timeoutBehavior: 'raise'` took too long. */
export class ToolTimeoutError extends AgentsError {
  static override readonly brand: string = 'ToolTimeoutError';
}

/** A tool with `errorFunction: null` failed; the failure is the `cause`. */
export class ToolCallError extends AgentsError {
  static override readonly brand: string = 'ToolCallError';
}

/** A guardrail threw, or gave what is no verdict of its kind; the `cause` holds what it threw, or says what was expected. */
export class GuardrailExecutionError extends AgentsError {
  static override readonly brand: string = 'GuardrailExecutionError';
}

/** Another run owns the session, or has written to it since it was read; or another call goes on with the run of a journal. */
export class SessionBusyError extends AgentsError {
  static override readonly brand: string = 'SessionBusyError';
}

/** An input guardrail tripped; nothing of the run was stored. */
export class InputGuardrailTripwireTriggered extends AgentsError<{ result: GuardrailResult }> {
  static override readonly brand: string = 'InputGuardrailTripwireTriggered';
  declare readonly result: GuardrailResult;
}

/** An output guardrail tripped; the blocked message was not stored. */
export class OutputGuardrailTripwireTriggered extends AgentsError<{ result: GuardrailResult }> {
  static override readonly brand: string = 'OutputGuardrailTripwireTriggered';
  declare readonly result: GuardrailResult;
}

/** A tool's input guardrail answered `raise_exception`. */
export class ToolInputGuardrailTripwireTriggered extends AgentsError<{ result: ToolGuardrailResult }> {
  static override readonly brand: string = 'ToolInputGuardrailTripwireTriggered';
  declare readonly result: ToolGuardrailResult;
}

/** A tool's output guardrail answered `raise_exception`. */
export class ToolOutputGuardrailTripwireTriggered extends AgentsError<{ result: ToolGuardrailResult }> {
  static override readonly brand: string = 'ToolOutputGuardrailTripwireTriggered';
  declare readonly result: ToolGuardrailResult;
}

/** What an adapter knows of a failed model call. `body` is the provider's redacted answer. */
export type ModelErrorFacts = {
  kind: ModelErrorKind;
  message: string;
  retryable?: boolean;
  status?: number;
  requestId?: string;
  retryAfterMs?: number;
  body?: Json;
  cause?: unknown;
};

const retryableKinds: readonly ModelErrorKind[] = ['rate_limit', 'overloaded', 'server', 'network', 'timeout'];

/** A model call failed. `retryable` defaults by kind: rate limit, overload, server, network and timeout are. */
export class ModelError extends AgentsError<Omit<ModelErrorFacts, 'message'>> {
  static override readonly brand: string = 'ModelError';
  declare readonly kind: ModelErrorKind;
  declare readonly retryable: boolean;
  declare readonly status?: number;
  declare readonly requestId?: string;
  declare readonly retryAfterMs?: number;
  declare readonly body?: Json;

  constructor({ message, ...facts }: ModelErrorFacts) {
    super(message, { ...facts, retryable: facts.retryable ?? retryableKinds.includes(facts.kind) });
  }
}
