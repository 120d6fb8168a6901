import { UserError, type Agent, type Json, type MaybePromise } from '@polyrun/core';
import { performStep, RunChangedError, type DurableOptions } from '@polyrun/core/durable';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { AgentActivities, Outline, OutlineRequest, StepRequest } from '../outline.ts';
import { outlineOf } from './outline-of.ts';

/** What a run is given where its steps are performed. Temporal stands for the rest: approvals, large payloads, the run's own id. */
export type WorkerRunOptions<C> = Omit<DurableOptions<C>, 'decide' | 'onEvent' | 'blobs' | 'maxInline'>;

export type AgentActivitiesOptions<C> = {
  /** The agents that runs may begin with. */
  agents: readonly Agent<C, unknown>[];
  /**
   * What each run is given: model provider, session, hooks, context. Called for every step, so it does nothing but make the options;
   * `context` is what the workflow gave.
   */
  options?: ((run: { agent: string; context: Json }) => MaybePromise<WorkerRunOptions<C>>) | undefined;
};

/** The activities that perform the steps of runs: give them to `Worker.create`. Throws `UserError` when two agents bear one name. */
export function agentActivities<C>({ agents, options }: AgentActivitiesOptions<C>): AgentActivities {
  const known = new Map(agents.map((agent) => [agent.name, agent]));
  if (known.size < agents.length) throw new UserError('agents: two of them have the same name; rename one of them.');
  const found = async (request: OutlineRequest): Promise<Found<C>> => {
    const agent = known.get(request.agent);
    // Tried again: a worker that knows it may be on its way.
    if (!agent) throw ApplicationFailure.retryable(unknown(request.agent, [...known.keys()]), 'UserError');
    const given = (await options?.(request)) ?? {};
    return { agent, options: given, outline: outlineOf(agent, given) };
  };
  const step = async (request: StepRequest) => performed(await found(request), request);
  return {
    'agent.outline': async (request) => (await found(request)).outline,
    'agent.start': step,
    'agent.check_input': step,
    'agent.prepare_turn': step,
    'agent.call_model': step,
    'agent.run_tool': step,
    'agent.hand_off': step,
    'agent.finish': step,
    'agent.save': step,
    'agent.run_end': step,
  };
}

type Found<C> = {
  readonly agent: Agent<C, unknown>;
  readonly options: WorkerRunOptions<C>;
  readonly outline: Outline;
};

async function performed<C>({ agent, options, outline }: Found<C>, { version, step }: StepRequest): Promise<string> {
  if (outline.version !== version)
    throw new RunChangedError(
      `Agent '${agent.name}': this worker's agents are not those that the run began with. Let a worker of that version end it (Worker Versioning does so), or cancel the run.`,
    );
  const { cancellationSignal, info, heartbeat } = contextNow();
  // Temporal tells a cancellation with the answer to a heartbeat, and takes a worker that sends none for dead.
  const beat = info.heartbeatTimeoutMs ? setInterval(heartbeat, info.heartbeatTimeoutMs / 3) : undefined;
  try {
    const text = await performStep({ agent, options }, step, cancellationSignal);
    if (cancellationSignal.aborted && !isWanted())
      throw ApplicationFailure.retryable('This attempt is over: its worker shuts down, or was too late.');
    return text;
  } finally {
    clearInterval(beat);
  }
}

function contextNow() {
  const context = Context.current();
  const { cancellationSignal, info } = context;
  return { cancellationSignal, info, heartbeat: () => context.heartbeat() };
}

/** Whether it was the run that cancelled the step, which then wants to know what it came to. */
function isWanted(): boolean {
  return Context.current().cancellationDetails?.cancelRequested === true;
}

function unknown(agent: string, known: readonly string[]): string {
  const names = known.map((name) => `'${name}'`).join(', ');
  return `agent: this worker has no agent '${agent}', only ${names}; give it to agentActivities.`;
}
