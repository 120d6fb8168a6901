import type { FunctionCallItem, Item } from '../protocol/items.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { ModelResponse } from '../protocol/response.ts';
import type { RunResult } from '../run/result.ts';
import type { AnyAgent } from './agent.ts';
import type { RunContext, ToolContext } from './context.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { Tool } from './tool.ts';

type At<C, F> = { runContext: RunContext<C>; agent: AnyAgent } & F;
type AtTool<C, F> = { context: ToolContext<C>; agent: AnyAgent; tool: Tool<never>; toolCall: FunctionCallItem } & F;

/**
 * Callbacks of a run, all awaited; one that throws fails the run. One shape for run hooks and agent hooks: an agent's own hooks
 * see that agent's events, `onHandoff` on the source agent.
 */
export type Hooks<C> = {
  onRunStart?: ((at: At<C, { input: readonly Item[] }>) => MaybePromise<void>) | undefined;
  onAgentStart?: ((at: At<C, { turnInput: readonly Item[] }>) => MaybePromise<void>) | undefined;
  onModelStart?: ((at: At<C, { request: ModelRequest }>) => MaybePromise<void>) | undefined;
  onModelEnd?: ((at: At<C, { response: ModelResponse }>) => MaybePromise<void>) | undefined;
  onToolStart?: ((at: AtTool<C, unknown>) => MaybePromise<void>) | undefined;
  onToolEnd?: ((at: AtTool<C, { output: unknown }>) => MaybePromise<void>) | undefined;
  onHandoff?: ((at: { runContext: RunContext<C>; from: AnyAgent; to: AnyAgent }) => MaybePromise<void>) | undefined;
  onAgentEnd?: ((at: At<C, { output: unknown }>) => MaybePromise<void>) | undefined;
  /** Whenever the call of the runner ends: with a result, interrupted, or with an error. */
  onRunEnd?:
    | ((at: { runContext: RunContext<C>; result?: RunResult<C, unknown>; error?: unknown }) => MaybePromise<void>)
    | undefined;
};
