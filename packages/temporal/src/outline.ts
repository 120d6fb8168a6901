import type { HostedToolSpec, Json, RunConfig } from '@polyrun/core';

/** A tool as workflows know it: its name, and the agent that it is, if it is one. */
export type OutlinedTool =
  | { readonly type: 'function'; readonly name: string; readonly agent: string | null }
  | { readonly type: 'tool_source'; readonly name: string }
  | { readonly type: 'hosted'; readonly spec: HostedToolSpec };
export type OutlinedAgent = {
  readonly name: string;
  readonly tools: readonly OutlinedTool[];
  readonly handoffs: readonly string[];
};

/** What a workflow has to know of an agent and of its options, so that it needs the code of neither. */
export type Outline = {
  /** Names the agents and what ties them together: a worker whose agents differ performs no step of the run. */
  readonly version: string;
  /** The starting agent comes first. */
  readonly agents: readonly OutlinedAgent[];
  readonly session: boolean;
  readonly endHook: boolean;
  readonly maxTurns: number | null | undefined;
  readonly maxConcurrency: number | undefined;
  readonly limits: RunConfig['limits'];
};

/** What an activity is asked for. */
export type OutlineRequest = { readonly agent: string; readonly context: Json };
/** `version`: of the outline that the run goes by. `step`: what `DurableStep.describe` gave. */
export type StepRequest = OutlineRequest & { readonly version: string; readonly step: string };

/** The names of the activities, one for each kind of step, so that histories can be read. */
export const stepTypes = [
  'start',
  'check_input',
  'prepare_turn',
  'call_model',
  'run_tool',
  'hand_off',
  'finish',
  'save',
  'run_end',
] as const;
export type StepType = (typeof stepTypes)[number];
export type AgentActivities = { readonly 'agent.outline': (request: OutlineRequest) => Promise<Outline> } & {
  readonly [K in `agent.${StepType}`]: (request: StepRequest) => Promise<string>;
};
