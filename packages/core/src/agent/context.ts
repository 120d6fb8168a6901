import type { Json } from '../protocol/json.ts';
import type { Usage } from '../protocol/usage.ts';
import type { Spanning } from '../tracing/trace.ts';
import type { AnyAgent } from './agent.ts';

/** What every callback of a run is given: the user's own `context` value, the usage so far, the agent whose turn it is. */
export type RunContext<out C = unknown> = { readonly context: C; readonly usage: Usage; readonly agent: AnyAgent };

/** The run context of one tool call. `idempotencyKey` is the same when the call is made again after a crash. */
export type ToolContext<C = unknown> = RunContext<C> & {
  readonly toolName: string;
  readonly callId: string;
  readonly idempotencyKey: string;
  /** Aborted when the tool times out or the run no longer wants its result. */
  readonly signal: AbortSignal;
  /** Runs a part of the tool's work under a span of its own in the trace; without tracing it just runs. */
  withSpan<T>(name: string, work: (inner: Spanning) => T, data?: { readonly [key: string]: Json }): T;
};
