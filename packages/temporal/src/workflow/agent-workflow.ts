import type { InputItem, Json } from '@polyrun/core';
import { continueAsNew } from '@temporalio/workflow';
import { runAgent, type AgentReply } from './run-agent.ts';

/** What the workflow is begun with. */
export type AgentRequest = {
  /** The name of the agent, as the workers know it. */
  readonly agent: string;
  readonly input: string | readonly InputItem[];
  /** Given to the workers' `options`. */
  readonly context?: Json;
  readonly maxTurns?: number | null;
  /** After so much time without an answer a call is rejected. Default: a call waits for ever. */
  readonly answerWithinMs?: number;
  /** Events of the history after which the run goes on as a new execution. Default: when the server suggests it. */
  readonly maxHistoryEvents?: number;
  /** Set by the workflow itself, for the execution that goes on with the run. */
  readonly carried?: string;
};

/** Any agent that the workers know as a workflow: one run. Export it from the file of your workflows, or write your own with `runAgent`. */
export async function agentWorkflow(request: AgentRequest): Promise<AgentReply<unknown>> {
  const { agent, ...options } = request;
  return runAgent(agent, {
    ...options,
    continueWith: (carried) => continueAsNew<typeof agentWorkflow>({ ...request, carried }),
  });
}
