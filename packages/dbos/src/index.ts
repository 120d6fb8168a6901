export {
  agentWorkflow,
  recoverWorkflowsOf,
  type AgentReply,
  type AgentRequest,
  type AgentWorkflowOptions,
} from './agent-workflow.ts';
export { questionsOf, sendAnswer, topics, type AgentAnswer, type AskedQuestion } from './approvals.ts';
export type { Progress } from './engine.ts';
export { runAgent, type DbosRunOptions } from './run-agent.ts';
