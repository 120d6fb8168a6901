import type { FunctionCallItem, Item } from '../protocol/items.ts';
import type { GuardrailOutput, ToolGuardrailOutput } from '../protocol/verdicts.ts';
import type { AnyAgent } from './agent.ts';
import type { RunContext, ToolContext } from './context.ts';
import type { MaybePromise } from './maybe-promise.ts';

/**
 * Looks at the input of a run, on its first turn only. `gate` says what waits for the verdict: `release` (default) holds events
 * and effects while the model already answers, `effects` holds tools, handoffs and the final output, `model` holds the model call.
 */
export type InputGuardrail<C> = {
  name: string;
  gate?: 'release' | 'effects' | 'model';
  execute: (at: {
    runContext: RunContext<C>;
    agent: AnyAgent;
    input: readonly Item[];
  }) => MaybePromise<GuardrailOutput>;
};

/** Looks at every final output before it is given out or stored. */
export type OutputGuardrail<C> = {
  name: string;
  execute: (at: { runContext: RunContext<C>; agent: AnyAgent; output: unknown }) => MaybePromise<GuardrailOutput>;
};

/** Stands before (without `output`) or behind (with it) the `execute` of a tool. */
export type ToolGuardrail<C> = {
  name: string;
  execute: (at: {
    context: ToolContext<C>;
    toolCall: FunctionCallItem;
    output?: unknown;
  }) => MaybePromise<ToolGuardrailOutput>;
};
