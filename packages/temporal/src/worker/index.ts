/** `@polyrun/temporal/worker`: what the process that performs a run's steps needs. */
export { agentActivities, type AgentActivitiesOptions, type WorkerRunOptions } from './agent-activities.ts';
export { claimCheckCodec } from './claim-check-codec.ts';
export type { AgentActivities } from '../outline.ts';
