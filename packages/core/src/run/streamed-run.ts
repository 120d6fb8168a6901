import type { AnyAgent } from '../agent/agent.ts';
import type { MaybePromise } from '../agent/maybe-promise.ts';
import { UserError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { Result, type RunResult } from './result.ts';
import type { Run } from './run.ts';
import type { RunStreamEvent } from './run-events.ts';

/** A run while it goes on: its events, its end, and how to stop it. As a result it tells what there is so far. */
export type StreamedRunResult<C, O> = RunResult<C, O> &
  AsyncIterable<RunStreamEvent> & {
    readonly currentAgent: AnyAgent;
    readonly currentTurn: number;
    readonly maxTurns: number | null;
    readonly isComplete: boolean;
    /** Settles after the last save; rejects with the run's error. Never causes an unhandled rejection. */
    readonly completed: Promise<void>;
    /** One reader per stream; a second or a late one is a `UserError`. Leaving the loop cancels the run. */
    streamEvents(): AsyncIterable<RunStreamEvent>;
    /** The text of the run as it is written. */
    toTextStream(): AsyncIterable<string>;
    /** `immediate` (default) stops everything at once; `after_turn` lets the turn and its save end. */
    cancel(mode?: 'immediate' | 'after_turn'): void;
  };

/** The consumer's side of a streamed run. */
export class StreamedRun extends Result implements StreamedRunResult<never, unknown> {
  readonly #run: Run;
  readonly #channel: Channel<RunStreamEvent>;
  readonly #end: Promise<void>;
  #complete = false;
  #reader: 'none' | 'attached' | 'discarding' = 'none';

  /** `conclude` drives the run to its end. */
  constructor(run: Run, channel: Channel<RunStreamEvent>, conclude: () => MaybePromise<unknown>) {
    super(run, run.scope);
    this.#run = run;
    this.#channel = channel;
    run.onStop = () => channel.unbind();
    this.#end = this.#follow(conclude);
    // Whoever listens is told; nobody having listened is no error of its own.
    this.#end.catch(() => undefined);
  }

  get currentAgent(): AnyAgent {
    return this.lastAgent;
  }

  get currentTurn(): number {
    return this.loopState.turn;
  }

  get maxTurns(): number | null {
    return this.loopState.options.maxTurns;
  }

  get isComplete(): boolean {
    return this.#complete;
  }

  get completed(): Promise<void> {
    if (this.#reader === 'none') {
      this.#reader = 'discarding';
      this.#channel.discard();
    }
    return this.#end;
  }

  streamEvents(): AsyncIterable<RunStreamEvent> {
    return { [Symbol.asyncIterator]: () => this[Symbol.asyncIterator]() };
  }

  [Symbol.asyncIterator](): AsyncIterator<RunStreamEvent, undefined> {
    if (this.#reader !== 'none') {
      throw new UserError(
        this.#reader === 'attached'
          ? 'This stream has a reader: read it once.'
          : '`completed` was read first: read the events before.',
      );
    }
    this.#reader = 'attached';
    return {
      next: () => this.#channel.next(),
      return: async () => {
        this.cancel();
        await this.#end.catch(() => undefined);
        return { done: true, value: undefined };
      },
    };
  }

  toTextStream(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => textIn(() => this[Symbol.asyncIterator]()) };
  }

  cancel(mode: 'immediate' | 'after_turn' = 'immediate'): void {
    if (this.#complete) return;
    this.#run.stop(mode === 'after_turn' ? mode : 'now');
    if (mode !== 'after_turn') this.#channel.discard();
  }

  async #follow(conclude: () => MaybePromise<unknown>): Promise<void> {
    try {
      await conclude();
      this.#complete = true;
      this.#channel.close();
    } catch (error) {
      this.#complete = true;
      this.#channel.fail(error);
      throw error;
    }
  }
}

/** The text among the events that `open` gives. No generator: one is left only once what it waits for has come. */
function textIn(open: () => AsyncIterator<RunStreamEvent, undefined>): AsyncIterator<string, undefined> {
  let opened: AsyncIterator<RunStreamEvent, undefined> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const read = async (): Promise<IteratorResult<string, undefined>> => {
    opened ??= open();
    for (;;) {
      const { done, value } = await opened.next();
      if (done) return { done, value };
      if (value.type === 'raw_response_event' && value.data.type === 'response.output_text.delta')
        return { done: false, value: value.data.delta };
    }
  };
  return {
    next: () => {
      const next = last.then(read);
      last = next.catch(() => undefined);
      return next;
    },
    return: async () => {
      opened ??= open();
      await opened.return?.();
      return { done: true, value: undefined };
    },
  };
}
