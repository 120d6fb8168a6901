import type { Item } from '../protocol/items.ts';
import { isFields, stringify } from '../protocol/json.ts';
import type { RunConfig } from '../run/config.ts';
import type { RunResult } from '../run/result.ts';
import type { RunStreamEvent } from '../run/run-events.ts';
import type { Agent } from './agent.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { toolNameFor } from './names.ts';
import type { Schema } from './schema/standard-schema.ts';
import { tool, type IsEnabled, type Tool, type ToolOptions } from './tool.ts';

export type AsToolOptions<C> = {
  /** Default: the agent's name in lower case, anything but [a-z0-9_] as `_`. */
  toolName?: string | undefined;
  /** Default: the agent's `handoffDescription`. */
  toolDescription?: string | undefined;
  /** Default: `{ input: string }`. */
  parameters?: Schema | undefined;
  /** Makes the agent's input from the arguments. Default: the `input` string, else the arguments as JSON. */
  inputBuilder?: ((at: { arguments: unknown }) => MaybePromise<string | readonly Item[]>) | undefined;
  /** Makes the tool's output from the agent's result. Default: its final output. */
  outputExtractor?: ((at: { result: RunResult<C, unknown> }) => MaybePromise<string>) | undefined;
  /** Turns of the inner run. Default 10; `null`: no limit. */
  maxTurns?: number | null | undefined;
  runConfig?: RunConfig<C> | undefined;
  needsApproval?: ToolOptions<C, unknown>['needsApproval'];
  isEnabled?: IsEnabled<C> | undefined;
  onStream?: ((at: { event: RunStreamEvent; callId: string }) => MaybePromise<void>) | undefined;
};

/** What makes a tool a run of its own. */
export type NestedRun<in C> = {
  readonly agent: Agent<C, unknown>;
  /** True when the user chose the tool's name; a made-up one gives way when names collide. */
  readonly named: boolean;
  readonly maxTurns: number | null;
  readonly runConfig?: RunConfig<C> | undefined;
  readonly outputExtractor?: ((at: { result: RunResult<C, unknown> }) => MaybePromise<string>) | undefined;
  readonly onStream?: ((at: { event: RunStreamEvent; callId: string }) => MaybePromise<void>) | undefined;
};

const inputSchema = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
} as const;

/** The agent as a tool: `execute` makes the input of the inner run, which the loop then drives as a state of its own. */
export function agentTool<C>(agent: Agent<C, unknown>, options: AsToolOptions<C>): Tool<C> {
  const {
    toolName,
    toolDescription,
    parameters = inputSchema,
    inputBuilder,
    needsApproval,
    isEnabled,
    maxTurns = 10,
    ...rest
  } = options;
  const made = tool<C>({
    name: toolName ?? toolNameFor('', agent.name),
    description: toolDescription ?? agent.handoffDescription ?? `Asks the agent ${agent.name}.`,
    parameters,
    isEnabled,
    needsApproval,
    execute: (args) => (inputBuilder ? inputBuilder({ arguments: args }) : plainInput(args)),
  });
  return { ...made, nested: { ...rest, agent, maxTurns, named: toolName !== undefined } };
}

function plainInput(args: unknown): string {
  if (isFields(args) && typeof args['input'] === 'string' && Object.keys(args).length === 1) return args['input'];
  return stringify(args) ?? '';
}

/** The output of an inner run as the outer model is shown it: text as it is, anything else as JSON. */
export function outputText(output: unknown): string {
  return typeof output === 'string' ? output : (stringify(output) ?? '');
}
