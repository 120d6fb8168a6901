import { sleep } from '@temporalio/workflow';
import { runAgent, type AgentReply, type AgentRequest } from '../../dist/workflow/index.js';

/** The workflow of that name after somebody changed it. */
export async function agentWorkflow({ agent, ...request }: AgentRequest): Promise<AgentReply<unknown>> {
  await sleep(10);
  return runAgent(agent, request);
}
