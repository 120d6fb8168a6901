/** `@polyrun/temporal`: what clients need, which begin runs, answer questions and ask how far a run is. */
export type { AgentRequest } from './workflow/agent-workflow.ts';
export type { AgentAnswer, AskedQuestion } from './workflow/approvals.ts';
export { answer, checkedAnswer, progress, questions, type AgentProgress } from './workflow/messages.ts';
export type { AgentReply, OutputOf } from './workflow/run-agent.ts';
