import type { Json } from './protocol/json.ts';
import type { ModelErrorKind } from './protocol/response.ts';
import type { GuardrailResult, ToolGuardrailResult } from './protocol/verdicts.ts';
import type { RunData } from './run/result.ts';
import type { RunState } from './run/run-state.ts';

/** What every error of a run may carry beside its message. */
export type ErrorFacts = { cause?: unknown; runData?: RunData; state?: RunState };

const mark = (brand: string): symbol => Symbol.for(`polyrun.error.${brand}`);

/**
 * The parent of all errors of this package. `runData` tells what the run had done, `state` resumes it, where there is one.
 * `instanceof` works across two copies of the package: it reads a registered symbol, not the prototype.
 */
export class AgentsError extends Error {
  static readonly brand: string = 'AgentsError';
  readonly runData?: RunData;
  readonly state?: RunState;

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.brand;
    if (facts.runData) this.runData = facts.runData;
    if (facts.state) this.state = facts.state;
    for (const brand of brandsOf(new.target)) Object.defineProperty(this, mark(brand), { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A user's subclass without a brand of its own is told apart by its prototype, as usual.
    if (!Object.hasOwn(this, 'brand')) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && mark(this.brand) in value;
  }
}

/** The program is wrong: a configuration, an option or an input. The message names the field and the fix. */
export class UserError extends AgentsError {
  static override readonly brand: string = 'UserError';
}

/** The run made as many model calls as `maxTurns` allows. */
export class MaxTurnsExceededError extends AgentsError {
  static override readonly brand: string = 'MaxTurnsExceededError';
}

/** A counter of `limits` was reached; `limit` is its name. */
export class LimitReachedError extends AgentsError {
  static override readonly brand: string = 'LimitReachedError';
  readonly limit: string;
  constructor(message: string, facts: ErrorFacts & { limit: string }) {
    super(message, facts);
    this.limit = facts.limit;
  }
}

/** The model did what it must not: an answer that is not of the output type, a tool that does not exist. */
export class ModelBehaviorError extends AgentsError {
  static override readonly brand: string = 'ModelBehaviorError';
}

/** The model declined to answer; `refusal` holds its words. */
export class ModelRefusalError extends AgentsError {
  static override readonly brand: string = 'ModelRefusalError';
  readonly refusal: string;
  constructor(message: string, facts: ErrorFacts & { refusal: string }) {
    super(message, facts);
    this.refusal = facts.refusal;
  }
}

/** The answer hit the output limit; `partialText` is what had been written. */
export class OutputTruncatedError extends AgentsError {
  static override readonly brand: string = 'OutputTruncatedError';
  readonly partialText: string;
  constructor(message: string, facts: ErrorFacts & { partialText: string }) {
    super(message, facts);
    this.partialText = facts.partialText;
  }
}

/** The provider's content filter ended the answer; `partialText` is what had been written. */
export class ContentFilterError extends AgentsError {
  static override readonly brand: string = 'ContentFilterError';
  readonly partialText: string;
  constructor(message: string, facts: ErrorFacts & { partialText: string }) {
    super(message, facts);
    this.partialText = facts.partialText;
  }
}

/** A tool with `timeoutBehavior: 'raise'` took too long. */
export class ToolTimeoutError extends AgentsError {
  static override readonly brand: string = 'ToolTimeoutError';
}

/** A tool with `errorFunction: null` failed; the failure is the `cause`. */
export class ToolCallError extends AgentsError {
  static override readonly brand: string = 'ToolCallError';
}

/** A guardrail threw instead of giving a verdict; what it threw is the `cause`. */
export class GuardrailExecutionError extends AgentsError {
  static override readonly brand: string = 'GuardrailExecutionError';
}

/** Another run owns the session, or has written to it since it was read. */
export class SessionBusyError extends AgentsError {
  static override readonly brand: string = 'SessionBusyError';
}

/** An input guardrail tripped; nothing of the run was stored. */
export class InputGuardrailTripwireTriggered extends AgentsError {
  static override readonly brand: string = 'InputGuardrailTripwireTriggered';
  readonly result: GuardrailResult;
  constructor(message: string, facts: ErrorFacts & { result: GuardrailResult }) {
    super(message, facts);
    this.result = facts.result;
  }
}

/** An output guardrail tripped; the blocked message was not stored. */
export class OutputGuardrailTripwireTriggered extends AgentsError {
  static override readonly brand: string = 'OutputGuardrailTripwireTriggered';
  readonly result: GuardrailResult;
  constructor(message: string, facts: ErrorFacts & { result: GuardrailResult }) {
    super(message, facts);
    this.result = facts.result;
  }
}

/** A tool's input guardrail answered `raise_exception`. */
export class ToolInputGuardrailTripwireTriggered extends AgentsError {
  static override readonly brand: string = 'ToolInputGuardrailTripwireTriggered';
  readonly result: ToolGuardrailResult;
  constructor(message: string, facts: ErrorFacts & { result: ToolGuardrailResult }) {
    super(message, facts);
    this.result = facts.result;
  }
}

/** A tool's output guardrail answered `raise_exception`. */
export class ToolOutputGuardrailTripwireTriggered extends AgentsError {
  static override readonly brand: string = 'ToolOutputGuardrailTripwireTriggered';
  readonly result: ToolGuardrailResult;
  constructor(message: string, facts: ErrorFacts & { result: ToolGuardrailResult }) {
    super(message, facts);
    this.result = facts.result;
  }
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

const retryableKinds: ReadonlySet<ModelErrorKind> = new Set([
  'rate_limit',
  'overloaded',
  'server',
  'network',
  'timeout',
]);

/** A model call failed. `retryable` defaults by kind: rate limit, overload, server, network and timeout are. */
export class ModelError extends AgentsError {
  static override readonly brand: string = 'ModelError';
  readonly kind: ModelErrorKind;
  readonly retryable: boolean;
  readonly status?: number;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly body?: Json;

  constructor(facts: ModelErrorFacts) {
    super(facts.message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.kind = facts.kind;
    this.retryable = facts.retryable ?? retryableKinds.has(facts.kind);
    if (facts.status !== undefined) this.status = facts.status;
    if (facts.requestId !== undefined) this.requestId = facts.requestId;
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
    if (facts.body !== undefined) this.body = facts.body;
  }
}

/** The error classes a value of `new.target` stands for, itself first. */
function brandsOf(type: Function): string[] {
  const brands: string[] = [];
  for (let at: unknown = type; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, 'brand') && 'brand' in at && typeof at.brand === 'string') brands.push(at.brand);
  }
  return brands;
}
