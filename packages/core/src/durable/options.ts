import type { RunOptions } from '../run/config.ts';
import type { RunStreamEvent } from '../run/run-events.ts';
import type { Answer, Question } from './approvals.ts';
import type { BlobStore } from './blobs.ts';

/** What belongs to one durable run. The engine stands for `journal`, `runId` and `signal`. */
export type DurableOptions<C> = Omit<RunOptions<C>, 'journal' | 'runId' | 'signal'> & {
  /**
   * Asks people about calls that wait for approval, and gives at least one answer; none lets the run end with its interruptions. The
   * engine has to record the answers, so that a replay is given the same ones. Without it a run ends as it is interrupted.
   */
  decide?: ((questions: readonly Question[]) => Promise<readonly Answer[]>) | undefined;
  /**
   * Told what happens as it happens, in the process that performs it; models are then asked to stream. Nothing is told again in a
   * replay, what happens in a process that dies may never be told, and a step that is performed again tells all of it again. The run waits
   * for no promise of it, and what it throws is dropped.
   */
  onEvent?: ((event: RunStreamEvent) => unknown) | undefined;
  /** Where outcomes of more than `maxInline` characters go, so that the engine's history stays small. */
  blobs?: BlobStore | undefined;
  /** Default 65,536. */
  maxInline?: number | undefined;
};
