import type { DurableEngine, DurableStep, Settled } from '@polyrun/core/durable';
import {
  CancelledError,
  RestatePromise,
  TimeoutError,
  type Context,
  type Serde,
  type TerminalError,
} from '@restatedev/restate-sdk';
import { AgentRunError } from './agent-run-error.ts';

/** One run on Restate: each step is a `ctx.run`, and which of several has settled first is read from Restate's journal. */
export class RestateEngine implements DurableEngine<RestatePromise<Settled>> {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Why the run was stopped: it was cancelled, or its time was up. */
  stopped: TerminalError | undefined;
  readonly #ctx: Context;
  #deadline: readonly RestatePromise<Settled>[];

  /** `deadlineMs`: after so much time the run is stopped, wherever it is. */
  constructor(ctx: Context, deadlineMs: number | undefined) {
    const { id, attemptCompletedSignal } = ctx.request();
    this.#ctx = ctx;
    this.runId = id;
    this.signal = attemptCompletedSignal;
    this.#deadline = deadlineMs === undefined ? [] : [ctx.sleep(deadlineMs, 'deadline').map((): Settled => 'stop')];
  }

  step({ id, perform }: DurableStep): RestatePromise<Settled> {
    return this.#ctx.run(id, perform, { serde: jsonText }).map((text, failure) => {
      if (failure) throw failure;
      return { id, text: text ?? '' };
    });
  }

  async first(pending: ReadonlyMap<string, RestatePromise<Settled>>): Promise<Settled> {
    try {
      const settled = await RestatePromise.race([...pending.values(), ...this.#deadline]);
      if (settled === 'stop') this.#stop(new TimeoutError());
      return settled;
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      this.#stop(error);
      return 'stop';
    }
  }

  finalError(error: unknown): TerminalError {
    return AgentRunError.from(error);
  }

  #stop(reason: TerminalError): void {
    this.stopped ??= reason;
    // It would win every race from now on.
    this.#deadline = [];
  }
}

/** JSON text as it is: Restate's journal shows it as JSON. */
const jsonText: Serde<string> = {
  contentType: 'application/json',
  serialize: (text) => new TextEncoder().encode(text),
  deserialize: (bytes) => new TextDecoder().decode(bytes),
};
