import { misfit } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { HostedToolSpec, ModelSettings } from '../protocol/request.ts';
import { agentTool, type AsToolOptions } from './agent-tool.ts';
import type { RunContext } from './context.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { InputGuardrail, OutputGuardrail } from './guardrails.ts';
import type { Handoff } from './handoff.ts';
import type { Hooks } from './hooks.ts';
import type { StandardSchema } from './schema/standard-schema.ts';
import type { Tool, ToolSource } from './tool.ts';

/** An agent of whatever context and output. */
export type AnyAgent = Agent<never, unknown>;

export type ToolResult = { toolName: string; callId: string; output: unknown };

/** What happens after tools ran: ask the model again (default), or take a tool's output as the final one. */
export type ToolUseBehavior<C> =
  | 'run_llm_again'
  | 'stop_on_first_tool'
  | { stopAtToolNames: readonly string[] }
  | ((at: {
      runContext: RunContext<C>;
      toolResults: readonly ToolResult[];
    }) => MaybePromise<{ isFinalOutput: false } | { isFinalOutput: true; finalOutput: unknown }>);

export type AgentOptions<C, O> = {
  /** Names the agent in events, traces and stored states; unique among the agents of a run. */
  name: string;
  /** The system prompt, or a function that writes it for each turn. */
  instructions?: string | ((at: { runContext: RunContext<C>; agent: AnyAgent }) => MaybePromise<string>) | undefined;
  /** Tells other agents' models when to hand off to this one. */
  handoffDescription?: string | undefined;
  /** A function is read once, on first use: that is how agents refer to each other in a circle. */
  handoffs?: AgentHandoffs<C> | (() => AgentHandoffs<C>) | undefined;
  /** A model, or a name for the run's model provider. Default: the provider's default model. */
  model?: string | Model | undefined;
  modelSettings?: ModelSettings | undefined;
  tools?: readonly (Tool<C> | HostedToolSpec | ToolSource<C>)[] | undefined;
  inputGuardrails?: readonly InputGuardrail<C>[] | undefined;
  outputGuardrails?: readonly OutputGuardrail<C>[] | undefined;
  /** The shape of the final output; without it the final output is text. */
  outputType?: StandardSchema<O> | undefined;
  /** How often the model is asked again after an output that does not fit `outputType`. Default 0. */
  outputRetries?: number | undefined;
  toolUseBehavior?: ToolUseBehavior<C> | undefined;
  /** Whether a forced tool choice is lifted once the agent has run a tool. Default true. */
  resetToolChoice?: boolean | undefined;
  hooks?: Hooks<C> | undefined;
};
export type AgentHandoffs<C> = readonly (Agent<C, unknown> | Handoff<C>)[];

/** An immutable description: instructions, model, tools, handoffs, guardrails, output type. `C` is the context it needs, `O` its output. */
export class Agent<in C = unknown, out O = string> {
  declare readonly name: string;
  declare readonly instructions: AgentOptions<C, O>['instructions'];
  declare readonly handoffDescription: string | undefined;
  declare readonly model: string | Model | undefined;
  declare readonly modelSettings: ModelSettings | undefined;
  declare readonly tools: NonNullable<AgentOptions<C, O>['tools']>;
  declare readonly inputGuardrails: readonly InputGuardrail<C>[];
  declare readonly outputGuardrails: readonly OutputGuardrail<C>[];
  declare readonly outputType: StandardSchema<O> | undefined;
  declare readonly outputRetries: number;
  declare readonly toolUseBehavior: ToolUseBehavior<C>;
  declare readonly resetToolChoice: boolean;
  declare readonly hooks: Hooks<C> | undefined;
  /** Carries the types; never set. */
  declare readonly '~types'?: { readonly context: (context: C) => void; readonly output: O };
  readonly #options: AgentOptions<C, O>;
  #handoffs: AgentHandoffs<C> | undefined;

  constructor(options: AgentOptions<C, O>) {
    this.#options = options;
    const {
      handoffs: _handoffs,
      tools = [],
      inputGuardrails = [],
      outputGuardrails = [],
      outputRetries = 0,
      toolUseBehavior = 'run_llm_again',
      resetToolChoice = true,
      ...rest
    } = options;
    if (typeof rest.name !== 'string' || !rest.name.trim()) throw misfit('Agent name', 'a non-empty string', rest.name);
    const defaulted = { tools, inputGuardrails, outputGuardrails, outputRetries, toolUseBehavior, resetToolChoice };
    Object.assign(this, rest, defaulted);
  }

  /** The agents and handoffs this agent may hand off to. */
  get handoffs(): AgentHandoffs<C> {
    const { handoffs } = this.#options;
    this.#handoffs ??= (typeof handoffs === 'function' ? handoffs() : handoffs) ?? [];
    return this.#handoffs;
  }

  /** A copy with some options changed. */
  clone<D extends C = C, P = O>(changes: Partial<AgentOptions<D, P>>): Agent<D, P> {
    const options: AgentOptions<D, O | P> = { ...this.#options, ...changes };
    // Without an output type among the changes P is O, which the compiler cannot know.
    return new Agent<D, P>(options as AgentOptions<D, P>);
  }

  /** What is left of an agent in JSON, such as that of a stream's events: its name, never its instructions. */
  toJSON(): { name: string } {
    return { name: this.name };
  }

  /** This agent as a tool of another: it gets an input of its own and answers with its final output. */
  asTool<D extends C = C>(options: AsToolOptions<D> = {}): Tool<D> {
    return agentTool<D>(this, options);
  }
}
