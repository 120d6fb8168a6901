import type { FunctionCallItem, Item } from '../protocol/items.ts';
import type { Json } from '../protocol/json.ts';
import type { AnyAgent } from './agent.ts';
import type { MaybePromise, RunContext, ToolContext } from './context.ts';

export type GuardrailOutput = { tripwireTriggered: boolean; outputInfo?: Json };

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

/** `allow` may bring a modified output on the output side; the message of `reject_content` becomes the tool's output. */
export type ToolGuardrailOutput =
  | { type: 'allow'; output?: unknown; outputInfo?: Json }
  | { type: 'reject_content'; message: string; outputInfo?: Json }
  | { type: 'raise_exception'; outputInfo?: Json };

/** Stands before (without `output`) or behind (with it) the `execute` of a tool. */
export type ToolGuardrail<C> = {
  name: string;
  execute: (at: {
    context: ToolContext<C>;
    toolCall: FunctionCallItem;
    output?: unknown;
  }) => MaybePromise<ToolGuardrailOutput>;
};

export type GuardrailResult = { guardrail: string; agent: string; output: GuardrailOutput };
export type ToolGuardrailResult = { guardrail: string; toolName: string; callId: string; output: ToolGuardrailOutput };
