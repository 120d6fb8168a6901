import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AgentAnswer, AskedQuestion } from './approvals.ts';

/** How far a run is. */
export type AgentProgress = {
  /** The run as `RunState` writes it: `RunState.fromString(agent, state)` reads it, also once the workflow has ended. */
  readonly state: string | null;
  /** The ids of the steps that go on. */
  readonly steps: readonly string[];
  readonly questions: readonly AskedQuestion[];
};

/** Answers a question. What is no answer is dropped; `checkedAnswer` says so instead. */
export const answer: SignalDefinition<[AgentAnswer]> = defineSignal('agent.answer');
/** Answers a question, or rejects with what is wrong with the answer. Needs a worker that is up. */
export const checkedAnswer: UpdateDefinition<void, [AgentAnswer]> = defineUpdate('agent.checked_answer');
/** The calls that wait for a person. */
export const questions: QueryDefinition<readonly AskedQuestion[]> = defineQuery('agent.questions');
/** How far the run is, with all that it has come to. */
export const progress: QueryDefinition<AgentProgress> = defineQuery('agent.progress');
