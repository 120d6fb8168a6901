import type { RunState } from '@polyrun/core';
import type { DurableEngine, DurableStep, Settled } from '@polyrun/core/durable';
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  TemporalFailure,
  uuid4,
} from '@temporalio/workflow';

export type EngineOptions = {
  /** Performs a step, in an activity or here. */
  readonly perform: (step: DurableStep) => Promise<string>;
  /** True when the run is to go on as another execution, as soon as nothing is under way. */
  readonly isOver: () => boolean;
};

/** One run in a workflow: each step is an activity, and steps settle in the order in which the history tells it. */
export class TemporalEngine implements DurableEngine<DurableStep> {
  readonly runId: string = uuid4();
  /** Why the run was stopped, where the workflow was cancelled. */
  cancelled: Error | undefined;
  /** Whether the run stopped so as to go on as another execution. */
  carries = false;
  readonly #options: EngineOptions;
  readonly #asked = new Map<string, DurableStep>();
  readonly #live = new Set<string>();
  readonly #settled: (Settled | { readonly failure: unknown })[] = [];
  #wake: (() => void) | undefined;
  #latest: (() => RunState) | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    const scope = CancellationScope.current();
    scope.cancelRequested.catch((reason: unknown) => {
      if (!scope.consideredCancelled) return;
      this.cancelled = reason instanceof Error ? reason : new CancelledFailure('The run was cancelled.');
      this.#settle('stop');
    });
  }

  /** The steps that go on. */
  get steps(): readonly string[] {
    return [...this.#live];
  }

  /** The run as it was when it last asked for something. */
  get state(): RunState | undefined {
    return this.#latest?.();
  }

  step(step: DurableStep): DurableStep {
    this.#latest = step.state;
    this.#asked.set(step.id, step);
    return step;
  }

  async first(): Promise<Settled> {
    if (this.#mayStop()) {
      this.carries = true;
      return 'stop';
    }
    for (const [id, step] of this.#asked) this.#begin(id, step);
    while (this.#settled.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const settled = this.#settled.shift() ?? 'stop';
    if (typeof settled === 'object' && 'failure' in settled) throw settled.failure;
    return settled;
  }

  /** A workflow fails with this, and is not tried again: the same outcomes would come to the same error. */
  finalError(error: unknown): unknown {
    if (error instanceof TemporalFailure) return error;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return ApplicationFailure.nonRetryable(message, name);
  }

  now(): number {
    return Date.now();
  }

  /** Between turns, with nothing under way: then the state is all there is to carry. */
  #mayStop(): boolean {
    const asked = [...this.#asked.values()];
    const isBetween = this.#live.size === 0 && this.#settled.length === 0;
    return isBetween && asked.some(({ type }) => type === 'prepare_turn') && !this.carries && this.#options.isOver();
  }

  #begin(id: string, step: DurableStep): void {
    this.#asked.delete(id);
    this.#live.add(id);
    this.#perform(step).then(
      (text) => this.#settle({ id, text }),
      (failure: unknown) => this.#settle({ failure }),
    );
  }

  /** The run itself says which steps are cancelled: those that it no longer wants. */
  async #perform(step: DurableStep): Promise<string> {
    const signal = step.signal();
    if (signal.aborted) return step.perform();
    try {
      return await CancellationScope.nonCancellable(() => {
        const scope = new CancellationScope();
        signal.addEventListener('abort', () => scope.cancel());
        return scope.run(() => this.#options.perform(step));
      });
    } catch (error) {
      // What was cancelled before it came to anything comes to what an aborted step comes to.
      if (signal.aborted && isCancellation(error)) return await step.perform();
      throw error;
    } finally {
      this.#live.delete(step.id);
    }
  }

  #settle(settled: Settled | { readonly failure: unknown }): void {
    this.#settled.push(settled);
    this.#wake?.();
  }
}
