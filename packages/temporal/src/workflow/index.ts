/** `@polyrun/temporal/workflow`: what workflows need. It is bundled for Temporal's sandbox, and so is whatever is imported beside it. */
export { agentWorkflow, type AgentRequest } from './agent-workflow.ts';
export type { AskedQuestion } from './approvals.ts';
export { runAgent, type AgentReply, type OutputOf, type WorkflowRunOptions } from './run-agent.ts';
