import { CancellationScope, continueAsNew, defineSignal, setHandler, sleep } from '@temporalio/workflow';
import { runAgent, type AgentReply, type AgentRequest, type WorkflowRunOptions } from '../../dist/workflow/index.js';
import { nap } from './nap.ts';

/** The workflows of the tests, as they are bundled for the sandbox. */
export { agentWorkflow } from '../../dist/workflow/index.js';

/** A run one of whose tools runs in the workflow. */
export async function napping({ agent, ...request }: AgentRequest): Promise<AgentReply<unknown>> {
  return runAgent(agent, {
    ...request,
    tools: [nap],
    continueWith: (carried) => continueAsNew<typeof napping>({ agent, ...request, carried }),
  });
}

/** A run that has a limited time. */
export async function hurried({
  agent,
  ...request
}: AgentRequest & Pick<WorkflowRunOptions, 'activity'>): Promise<AgentReply<unknown>> {
  return CancellationScope.withTimeout(700, () => runAgent(agent, request));
}

/** Heartbeats that are soon missed, and tries that are soon up. */
export async function watched({ agent, ...request }: AgentRequest): Promise<AgentReply<unknown>> {
  return runAgent(agent, {
    ...request,
    activity: { heartbeatTimeout: '1 second', retry: { initialInterval: '100ms' } },
    toolActivity: { pay: { retry: { maximumAttempts: 1 } } },
    onQuestion: async ({ id }) => {
      await sleep(id.length);
    },
  });
}

/** Two runs, one after the other. */
export async function twice({ agent, ...request }: AgentRequest): Promise<readonly unknown[]> {
  const begin = new Promise<void>((resolve) => setHandler(defineSignal('begin'), () => resolve()));
  const first = await runAgent(agent, request);
  await begin;
  const second = await runAgent(agent, request);
  return [first.finalOutput, second.finalOutput];
}
