import type { AnyAgent } from '../agent/agent.ts';
import type { RunContext } from '../agent/context.ts';
import type { MaybePromise } from '../agent/maybe-promise.ts';
import type { InputGuardrail, OutputGuardrail } from '../agent/guardrails.ts';
import type { HandoffInputFilter } from '../agent/handoff.ts';
import type { Hooks } from '../agent/hooks.ts';
import type { AgentsError, ModelError } from '../errors.ts';
import type { Model, ModelProvider } from '../model/model.ts';
import { mergeSettings } from '../model/settings.ts';
import type { InputItem, Item } from '../protocol/items.ts';
import type { Json } from '../protocol/json.ts';
import type { ModelSettings } from '../protocol/request.ts';
import type { ModelResponse } from '../protocol/response.ts';
import type { Session } from '../session/session.ts';
import type { Trace, TraceProcessor } from '../tracing/trace.ts';
import type { Journal } from './journal.ts';
import type { RunData } from './result.ts';
import type { RunState } from './run-state.ts';

/** What one model call is about to send; `callModelInputFilter` may change it. */
export type ModelData = { input: readonly Item[]; instructions?: string };

/** How runs behave, whatever the agent. Bound to a `Runner`, or given with one run. */
export type RunConfig<C = unknown> = {
  /** Beats the agents' own models. A name is looked up in `modelProvider`. */
  model?: string | Model | undefined;
  /** Gives models by name; with it, agents need none of their own. */
  modelProvider?: ModelProvider | undefined;
  /** Its non-null fields overlay the agents' settings. */
  modelSettings?: ModelSettings | undefined;
  /**
   * What happens where a model cannot do as asked: `adapt` (default) does the nearest thing and reports it as an adaptation, `strict`
   * throws a `UserError` before the request. It refuses settings left out, schemas that are not enforced in full, output types asked for in
   * words, reasoning switched off, and media that would go elsewhere or nowhere.
   */
  capabilityMode?: 'adapt' | 'strict' | undefined;
  inputGuardrails?: readonly InputGuardrail<C>[] | undefined;
  outputGuardrails?: readonly OutputGuardrail<C>[] | undefined;
  /** For handoffs without an `inputFilter` of their own. */
  handoffInputFilter?: HandoffInputFilter<C> | undefined;
  /** Whether a handoff folds the conversation before it into one message. Default false. */
  nestHandoffHistory?: boolean | undefined;
  /** Makes what `nestHandoffHistory` puts in place of the conversation. */
  handoffHistoryMapper?: ((at: { items: readonly Item[] }) => MaybePromise<readonly Item[]>) | undefined;
  /** Edits what each model call sends, never what is stored. */
  callModelInputFilter?:
    | ((at: { modelData: ModelData; agent: AnyAgent; runContext: RunContext<C> }) => MaybePromise<ModelData>)
    | undefined;
  /** Edits each response before it is processed. */
  callModelOutputFilter?:
    | ((at: { response: ModelResponse; agent: AnyAgent; runContext: RunContext<C> }) => MaybePromise<ModelResponse>)
    | undefined;
  /** Combines a session's history with the new input, for the request only. Default: the history, then the input. */
  sessionInputCallback?:
    | ((at: { history: readonly Item[]; newItems: readonly Item[] }) => MaybePromise<readonly Item[]>)
    | undefined;
  /** `limit`: how many of the newest items are read; `onBusy`, `onReadError`: default 'fail'. */
  sessionSettings?:
    | {
        limit?: number | undefined;
        onBusy?: 'fail' | 'wait' | undefined;
        onReadError?: 'fail' | 'continue' | undefined;
      }
    | undefined;
  /** Whether ids of reasoning items are sent back. Default 'preserve'. */
  reasoningItemIdPolicy?: 'preserve' | 'omit' | undefined;
  /** `maxConcurrency`: default no limit. `timeoutMs`: for tools without one of their own, default 5 minutes. */
  toolExecution?: { maxConcurrency?: number | undefined; timeoutMs?: number | undefined } | undefined;
  /** What a call of an unknown tool becomes: an output that tells the model (default), or a failed run. */
  toolNotFoundBehavior?: 'error_as_result' | 'raise' | undefined;
  /** Words errors of tools without an `errorFunction`; `undefined` keeps the default words. */
  toolErrorFormatter?:
    | ((at: {
        kind: 'approval_rejected' | 'tool_not_found' | 'invalid_arguments' | 'timeout' | 'error';
        toolName: string;
        callId: string;
        defaultMessage: string;
        runContext: RunContext<C>;
      }) => MaybePromise<string | undefined>)
    | undefined;
  /** Deadlines of a model call: 60 s to the first byte, 120 s between bytes, 600 s in all; `null` switches one off. */
  timeouts?:
    | {
        firstByteMs?: number | null | undefined;
        idleMs?: number | null | undefined;
        requestMs?: number | null | undefined;
      }
    | undefined;
  /** Default: 2 retries, 500 ms doubling up to 8 s, jittered; `policy` decides for each failure. */
  retry?:
    | {
        maxRetries?: number | undefined;
        backoff?:
          | {
              initialMs?: number | undefined;
              maxMs?: number | undefined;
              multiplier?: number | undefined;
              jitter?: boolean | undefined;
            }
          | undefined;
        policy?:
          | ((at: {
              error: ModelError;
              attempt: number;
              visible: boolean;
            }) => MaybePromise<boolean | { delayMs: number }>)
          | undefined;
      }
    | undefined;
  /** No effect starts once a counter has reached its limit. Agents used as tools count in. */
  limits?:
    | {
        toolCalls?: number | undefined;
        inputTokens?: number | undefined;
        outputTokens?: number | undefined;
        totalTokens?: number | undefined;
        wallMs?: number | undefined;
      }
    | undefined;
  hooks?: Hooks<C> | undefined;
  /** Model calls of a run. Default 10; `null`: no limit. */
  maxTurns?: number | null | undefined;
  conversationId?: string | undefined;
  previousResponseId?: string | undefined;
  /** Receive the trace of each run; without any, nothing is traced. */
  traceProcessors?: readonly TraceProcessor[] | undefined;
  /** Switches tracing off, also that of the option `trace`. Default false. */
  tracingDisabled?: boolean | undefined;
  /** Whether spans hold instructions, messages, arguments and outputs. Default false. */
  traceIncludeSensitiveData?: boolean | undefined;
  /** What traces are called. Default 'Agent workflow'. */
  workflowName?: string | undefined;
  /** The trace's id. Default: a new one for each run. */
  traceId?: string | undefined;
  /** What the traces of one conversation have in common. */
  groupId?: string | undefined;
  traceMetadata?: { readonly [key: string]: Json } | undefined;
};

export type ErrorHandlerName =
  | 'maxTurns'
  | 'modelRefusal'
  | 'invalidFinalOutput'
  | 'contentFilter'
  | 'outputTruncated'
  | 'limitReached'
  | 'default';
/** Turns an end that would be an error into a final output; `undefined` lets the error stand. `default` answers for kinds without their own. */
export type ErrorHandlers<C> = {
  [K in ErrorHandlerName]?:
    | ((at: {
        error: AgentsError;
        runContext: RunContext<C>;
        runData: RunData;
      }) => MaybePromise<{ finalOutput: unknown; includeInHistory?: boolean } | undefined>)
    | undefined;
};

/** What belongs to one run. Beats the run config where both have a field. */
export type RunOptions<C> = {
  context?: C | undefined;
  maxTurns?: number | null | undefined;
  hooks?: Hooks<C> | undefined;
  runConfig?: RunConfig<C> | undefined;
  session?: Session | undefined;
  conversationId?: string | undefined;
  previousResponseId?: string | undefined;
  autoPreviousResponseId?: boolean | undefined;
  errorHandlers?: ErrorHandlers<C> | undefined;
  signal?: AbortSignal | undefined;
  journal?: Journal | undefined;
  runId?: string | undefined;
  /** A trace that runs share, from `startTrace`; its name, ids and processors are then its own, and it goes on after the run. */
  trace?: Trace | undefined;
};
/**
 * A context is required exactly when the agent's context type does not admit undefined. Of an agent whose type is not known (`lastAgent`
 * of a result) it cannot be asked.
 */
export type RunArguments<C> = [C] extends [never]
  ? [options?: RunOptions<C>]
  : undefined extends C
    ? [options?: RunOptions<C>]
    : [options: RunOptions<C> & { context: C }];
export type RunInput = string | readonly InputItem[] | RunState;

/**
 * A run config over another. What it gives beats the other's, in options that have fields of their own each field for itself; what is
 * undefined is not given.
 */
export function overlaid(base: RunConfig<never>, over: RunConfig<never> | undefined): RunConfig<never> {
  return {
    ...merged(base, over),
    modelSettings: over?.modelSettings ? mergeSettings(base.modelSettings, over.modelSettings) : base.modelSettings,
    sessionSettings: merged(base.sessionSettings, over?.sessionSettings),
    toolExecution: merged(base.toolExecution, over?.toolExecution),
    timeouts: merged(base.timeouts, over?.timeouts),
    retry: merged(base.retry, over?.retry),
    limits: merged(base.limits, over?.limits),
  };
}

function merged<T extends object>(base: T | undefined, over: T | undefined): T | undefined {
  if (base === undefined || over === undefined) return over ?? base;
  const both = { ...base };
  for (const key in over) if (over[key] !== undefined) both[key] = over[key];
  return both;
}
