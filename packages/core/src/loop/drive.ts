import { advance } from './advance.ts';
import { effectsFor, type Effect } from './effects.ts';
import type { Outcome } from './outcome.ts';
import type { LoopState } from './state.ts';

/** Performs one effect. Once `control` is aborted it must settle soon, for `drive` waits for all that it started. */
export type Perform = (effect: Effect, control: Control) => Outcome | Promise<Outcome>;

/** What tells an effect that it is no longer wanted. */
export class Control {
  aborted = false;
  /** Called when the effect is aborted. */
  onAbort: (() => void) | undefined;
  #controller: AbortController | undefined;

  /** Makes the signal: few effects ever need one. */
  readonly signal = (): AbortSignal => {
    this.#controller ??= new AbortController();
    if (this.aborted) this.#controller.abort();
    return this.#controller.signal;
  };

  /** Throws once the effect is aborted: called where something new would begin. */
  check(): void {
    if (this.aborted) throw new Error('Aborted.');
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.#controller?.abort();
    this.onAbort?.();
  }
}

/** What surrounds a drive. */
export type Host = {
  /** Told each new state and what led to it; what it returns is awaited before anything new starts. */
  readonly onState?: (state: LoopState, outcome: Outcome) => void | Promise<void>;
  /** Given, at the start, the way to fold in what comes from outside; returns how to stop that. */
  readonly listen?: (deliver: (outcome: Outcome) => void) => () => void;
  /** A durable engine's own deterministic way to wait until one of several has settled. Default `Promise.race`. */
  readonly race?: (running: readonly Promise<void>[]) => Promise<void>;
};

/** Keeps exactly `effectsFor(state)` going: starts what is newly wanted, aborts what no longer is, folds in all that comes back. */
export async function drive(state: LoopState, perform: Perform, host: Host = {}): Promise<LoopState> {
  const driver = new Driver(state, perform, host);
  const stop = host.listen?.((outcome) => driver.deliver(outcome));
  try {
    return await driver.run();
  } finally {
    stop?.();
  }
}

/** An effect that is under way. */
type Live = { readonly control: Control; running: Promise<void> | undefined };

class Driver {
  #state: LoopState;
  readonly #perform: Perform;
  readonly #host: Host;
  readonly #live = new Map<string, Live>();
  #inbox: Outcome[] = [];
  #wake: (() => void) | undefined;
  #failure: { cause: unknown } | undefined;

  constructor(state: LoopState, perform: Perform, host: Host) {
    this.#state = state;
    this.#perform = perform;
    this.#host = host;
  }

  deliver(outcome: Outcome): void {
    this.#inbox.push(outcome);
    this.#wake?.();
  }

  /** What throws ends the drive, once everything else has settled. */
  async run(): Promise<LoopState> {
    try {
      return await this.#loop();
    } catch (cause) {
      for (const { control } of this.#live.values()) control.abort();
      await Promise.all([...this.#live.values()].flatMap(({ running }) => running ?? []));
      throw cause;
    }
  }

  async #loop(): Promise<LoopState> {
    for (;;) {
      // What has come already is heard before anything starts.
      if (this.#inbox.length > 0) {
        await this.#settle();
        continue;
      }
      const wanted = effectsFor(this.#state);
      const [only] = wanted;
      const quiet = this.#live.size === 0;
      if (only === undefined && quiet) return this.#state;
      // Nearly always one effect is wanted and nothing else goes on: no bookkeeping then.
      if (only !== undefined && wanted.length === 1 && quiet) {
        const outcome = this.#start(only);
        const told = outcome && this.#fold(outcome);
        if (told instanceof Promise) await told;
        if (outcome !== undefined) continue;
      } else this.#reconcile(wanted);
      if (this.#inbox.length === 0) await this.#wait();
    }
  }

  /** Starts what is newly wanted, aborts what no longer is. */
  #reconcile(wanted: readonly Effect[]): void {
    if (this.#live.size > 0) {
      const ids = new Set(wanted.map(({ id }) => id));
      for (const [id, { control }] of this.#live) if (!ids.has(id)) control.abort();
    }
    for (const effect of wanted) {
      if (this.#live.has(effect.id)) continue;
      const result = this.#start(effect);
      // Who waits for a person says so before others tell what they came to.
      if (result?.type === 'tool_waiting') this.#inbox.unshift(result);
      else if (result !== undefined) this.#inbox.push(result);
    }
  }

  /** Performs an effect: gives its outcome if there is one at once, else keeps it as live. */
  #start(effect: Effect): Outcome | undefined {
    const control = new Control();
    const result = this.#perform(effect, control);
    if (!(result instanceof Promise)) return result;
    const live: Live = { control, running: undefined };
    this.#live.set(effect.id, live);
    live.running = result.then(
      (outcome) => this.deliver(outcome),
      (cause: unknown) => {
        this.#failure ??= { cause };
        this.#wake?.();
      },
    );
    return undefined;
  }

  /** Until something has come back. An effect that throws breaks the drive. */
  async #wait(): Promise<void> {
    const { race } = this.#host;
    if (this.#failure === undefined) {
      if (race) await race([...this.#live.values()].flatMap(({ running }) => running ?? []));
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    if (this.#failure) throw this.#failure.cause;
  }

  /** Folds in all that has come back. */
  async #settle(): Promise<void> {
    const outcomes = this.#inbox;
    this.#inbox = [];
    for (const outcome of outcomes) {
      const told = this.#fold(outcome);
      if (told instanceof Promise) await told;
    }
  }

  #fold(outcome: Outcome): void | Promise<void> {
    // Only now: an effect that has settled is wanted until its outcome is folded in, and must not start again.
    this.#live.delete(outcome.id);
    this.#state = advance(this.#state, outcome);
    return this.#host.onState?.(this.#state, outcome);
  }
}
