/** `@polyrun/temporal/workflow`: what workflows need. It is bundled for Temporal's sandbox, and so is whatever is imported beside it. */
export { agentWorkflow, type AgentRequest } from './agent-workflow.ts';
export type { AgentAnswer, AskedQuestion } from './approvals.ts';
export { answer, checkedAnswer, progress, questions, type AgentProgress } from './messages.ts';
export { runAgent, type AgentReply, type OutputOf, type WorkflowRunOptions } from './run-agent.ts';
