import type { Effect } from '../loop/effects.ts';
import type { RunState } from '../run/run-state.ts';

/** One effect of a run, for an engine to perform once and for all. */
export interface DurableStep {
  /** The same in every replay, and that of no other step of the run. */
  readonly id: string;
  readonly type: Effect['type'] | 'run_end';
  /** The tool that is called, for a step that calls one. */
  readonly toolName?: string | undefined;
  /** The run as it was when it asked for the step; another run can take it up. */
  readonly state: () => RunState;
  /** Aborted once the step is no longer wanted. What it then comes to, soon, is recorded like anything else. */
  readonly signal: () => AbortSignal;
  /**
   * Performs it here. What it comes to, errors among it, is JSON text. Rejects only when that text could not be put away; called
   * again, it tries nothing but that.
   */
  readonly perform: () => Promise<string>;
  /** What another process performs it from, with `performStep`: JSON text, the state of the run in it. */
  readonly describe: () => string;
}

/** What an engine found to have settled first, or that the run is to stop. */
export type Settled = { readonly id: string; readonly text: string } | 'stop';

/**
 * How a durable engine performs the effects of one run. `Handle` is whatever the engine needs to wait for a step. All calls come in an
 * order that is the same in every replay as long as `first` gives the same answers.
 */
export interface DurableEngine<Handle> {
  /** Names the run, the same in every replay: with a step's id it is the idempotency key that tools and models are handed. */
  readonly runId: string;
  /** Begins a step; one that was recorded is not performed again. */
  step(step: DurableStep): Handle;
  /**
   * Waits until one of these steps has settled, and tells which, with the text that was recorded. The same one in every replay.
   * Rejects when the run cannot go on here. `'stop'` cancels the run: its steps are aborted, and waited for with further calls.
   */
  first(pending: ReadonlyMap<string, Handle>): Promise<Settled>;
  /** What a run that failed by itself is to reject with, where an engine tries other errors again. Default: the error. */
  readonly finalError?: ((error: unknown) => unknown) | undefined;
  /** Aborted when the attempt of this process is over: what is going on is told to stop, and comes to nothing. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds on a clock that is the same in every replay. Without it the process that performs a step takes the time. */
  readonly now?: (() => number) | undefined;
}
