export { AgentRunError } from './agent-run-error.ts';
export {
  agentWorkflow,
  type AgentHandlers,
  type AgentReply,
  type AgentRequest,
  type AgentWorkflowOptions,
  type AnswerRequest,
} from './agent-workflow.ts';
export type { AskedQuestion } from './approvals.ts';
export { runAgent, type RestateRunOptions } from './run-agent.ts';
