import type { Agent, InputItem, Item, RunResult, Usage } from '@polyrun/core';
import { DBOS, type WorkflowConfig } from '@dbos-inc/dbos-sdk';
import { runAgent, type DbosRunOptions } from './run-agent.ts';

/** What a workflow is begun with. */
export type AgentRequest = { readonly input: string | readonly InputItem[] };
/** What a workflow came to, as JSON. */
export type AgentReply<O> = {
  readonly finalOutput: O | undefined;
  readonly lastAgent: string;
  readonly newItems: readonly Item[];
  readonly usage: Usage;
};

/** How an agent becomes a workflow. */
export type AgentWorkflowOptions<C, O, R extends AgentRequest> = {
  /** Of the workflow, as DBOS knows it. */
  name: string;
  agent: Agent<C, O>;
  /** What each run is given. Called in every attempt: it does nothing but make the options, from what does not change. */
  run?: ((request: R) => DbosRunOptions<C>) | undefined;
  /** DBOS's own: how often recovery tries. */
  options?: WorkflowConfig | undefined;
};

/** An agent as a DBOS workflow. Made before `DBOS.launch`, in every process that may go on with its runs; begun with `DBOS.startWorkflow`. */
export function agentWorkflow<C, O, R extends AgentRequest = AgentRequest>({
  name,
  agent,
  run,
  options,
}: AgentWorkflowOptions<C, O, R>): (request: R) => Promise<AgentReply<O>> {
  const workflow = async (request: R) => replyOf(await runAgent(agent, { ...run?.(request), input: request.input }));
  return DBOS.registerWorkflow(workflow, { ...options, name });
}

/**
 * Hands the unfinished workflows of a process that is gone to those that are up, and gives their ids. `executorId`: the `executorID` of the
 * process that is gone; a process that is only slow loses its workflows, too, and its late results are dropped.
 */
export async function recoverWorkflowsOf(executorId: string): Promise<readonly string[]> {
  const left = await DBOS.listWorkflows({ executorId, status: 'PENDING' });
  const ids = left.map(({ workflowID }) => workflowID);
  for (const id of ids) await DBOS.resumeWorkflow(id);
  return ids;
}

function replyOf<C, O>({ finalOutput, lastAgent, newItems, usage }: RunResult<C, O>): AgentReply<O> {
  return { finalOutput, lastAgent: lastAgent.name, newItems: newItems.map((item) => item.toInputItem()), usage };
}
