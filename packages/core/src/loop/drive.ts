import type { Usage } from '../protocol/usage.ts';
import { advance } from './advance.ts';
import { effectsFor, type Effect } from './effects.ts';
import type { Outcome } from './outcome.ts';
import type { LoopState } from './state.ts';

/** Performs one effect. Once `control` is aborted it must settle soon, for `drive` waits for all that it started. */
export type Perform = (effect: Effect, control: Control) => Outcome | Promise<Outcome>;

/** What tells an effect, or a part of one (`outer` is then the effect's), that it is no longer wanted. */
export class Control {
  aborted = false;
  /** Tells what the effect has cost so far, for the case that it comes to no outcome of its own. */
  spent: { readonly usage: Usage } | undefined;
  /** The id of the span under which the effect is traced. */
  span: string | undefined;
  /** Where the effect has to wait. */
  wait: Waits | undefined;
  readonly #outer: Control | undefined;
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;
  #reason: unknown;

  constructor(outer?: Control) {
    this.#outer = outer;
  }

  /** Made when somebody asks for it: few effects ever need one. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.aborted) this.#controller.abort(this.#reason);
    const { signal } = this.#controller;
    return (this.#signal ??= this.#outer ? AbortSignal.any([signal, this.#outer.signal]) : signal);
  }

  /** Throws once the effect is aborted: called where something new would begin. */
  check(): void {
    if (this.aborted) throw new Error('Aborted.');
  }

  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.wait?.abort();
  }
}

/** What waits: an error can end it, and it is told when nobody wants what it waits for. */
export type Waits = { interrupt(error: unknown): void; abort(): void };

/** What surrounds a drive. */
export type Host = {
  /** Told each new state; what it returns is awaited before anything new starts. */
  onState?(state: LoopState): void | Promise<void>;
  /** Given, at the start, the way to fold in what comes from outside. */
  listen?(deliver: (outcome: Outcome) => void): void;
  /** Told each time that nothing is left to do until something comes back. */
  idle?(): void;
};

/** The way of a drive: it yields what has to be waited for, so that who waits, and how, is for others to say. */
type Driving = Generator<Promise<unknown>, LoopState>;

/** Keeps exactly `effectsFor(state)` going: starts what is newly wanted, aborts what no longer is, folds in all that comes back. */
export function drive(state: LoopState, perform: Perform, host: Host = {}): Driving {
  return new Driver(state, perform, host).run();
}

/** An effect that is under way. */
type Live = {
  readonly id: string;
  readonly path: readonly string[];
  readonly control: Control;
  running: Promise<void> | undefined;
};
/** An outcome, and the effect that came to it unless that was over at once. */
type Heard = { readonly outcome: Outcome; readonly live?: Live };

const none: readonly Outcome[] = [];

class Driver {
  #state: LoopState;
  readonly #perform: Perform;
  readonly #host: Host;
  readonly #live = new Set<Live>();
  readonly #inbox: Heard[] = [];
  #wake: (() => void) | undefined;
  #break: ((cause: unknown) => void) | undefined;
  #failure: { cause: unknown } | undefined;
  /** One for all waits. A closure for each, kept here, would make garbage that the young generation's collector does not find. */
  readonly #waits = (wake: () => void, fail: (cause: unknown) => void): void => {
    this.#wake = wake;
    this.#break = fail;
    if (this.#failure) fail(this.#failure.cause);
  };
  /** How the run stood when it was told that nothing is under way any more. */
  #closed: string | undefined;

  constructor(state: LoopState, perform: Perform, host: Host) {
    this.#state = state;
    this.#perform = perform;
    this.#host = host;
  }

  /** What throws ends the drive, once everything else has settled. */
  *run(): Driving {
    this.#host.listen?.((outcome) => this.#deliver({ outcome }));
    try {
      for (;;) {
        // What has come already is heard before anything starts.
        // Taking the last one off keeps the space for the next.
        const heard = this.#inbox.length > 1 ? this.#inbox.shift() : this.#inbox.pop();
        const told = heard ? this.#fold(heard) : this.#startWanted();
        if (told === 'over') return this.#state;
        if (told instanceof Promise) yield told;
      }
    } catch (cause) {
      for (const { control } of this.#live) control.abort();
      yield Promise.all([...this.#live].flatMap(({ running }) => running ?? []));
      throw cause;
    }
  }

  #deliver(heard: Heard): void {
    this.#inbox.push(heard);
    this.#wake?.();
  }

  #startWanted(): Promise<void> | 'over' | void {
    const { end, turn } = this.#state;
    const wanted = effectsFor(this.#state);
    const leaving = this.#abortAllBut(wanted);
    const ends = end?.type === 'failed' || end?.type === 'ending';
    if (ends && leaving.length === 0 && this.#closed !== end.type) {
      this.#closed = end.type;
      return this.#fold({ outcome: { type: 'closed', id: 'end', path: [], turn, ms: 0 } });
    }
    if (wanted.length === 0 && this.#live.size === 0) return 'over';
    for (const effect of this.#new(wanted, leaving)) this.#start(effect);
    if (this.#inbox.length > 0) return undefined;
    this.#host.idle?.();
    return this.#heard();
  }

  /** Aborts what goes on but is no longer wanted: that is what it gives. */
  #abortAllBut(wanted: readonly Effect[]): readonly Live[] {
    // Nearly always nothing else goes on: no bookkeeping then.
    if (this.#live.size === 0) return [];
    const isWanted = among(wanted);
    const leaving: Live[] = [];
    for (const live of this.#live) if (!isWanted(live.id)) leaving.push(live);
    for (const { control } of leaving) control.abort();
    return leaving;
  }

  /** What is to be started. What follows on something that was aborted waits until that has settled. */
  #new(wanted: readonly Effect[], leaving: readonly Live[]): readonly Effect[] {
    if (this.#live.size === 0) return wanted;
    const goesOn = among([...this.#live]);
    const isHeld = ({ path }: Effect) => leaving.some((live) => path.every((callId, at) => live.path[at] === callId));
    return wanted.filter((effect) => !goesOn(effect.id) && !isHeld(effect));
  }

  #start(effect: Effect): void {
    const control = new Control();
    const result = this.#perform(effect, control);
    if (result instanceof Promise)
      this.#follow(result, { id: effect.id, path: effect.path, control, running: undefined });
    // Who waits for a person says so before others tell what they came to.
    else if (result.type === 'tool_waiting') this.#inbox.unshift({ outcome: result });
    else this.#inbox.push({ outcome: result });
  }

  #follow(result: Promise<Outcome>, live: Live): void {
    this.#live.add(live);
    live.running = result.then(
      (outcome) => this.#deliver({ outcome, live }),
      (cause: unknown) => {
        this.#failure ??= { cause };
        this.#break?.(cause);
      },
    );
  }

  /** Until something has come back. An effect that throws breaks the drive. */
  #heard(): Promise<void> {
    return new Promise(this.#waits);
  }

  #fold({ outcome, live }: Heard): void | Promise<void> {
    // Only now: an effect that has settled is wanted until its outcome is folded in, and must not start again.
    if (live) this.#live.delete(live);
    // Tools that settled together make one state: a state for each would copy all calls of the turn each time.
    const more = outcome.type === 'tool_settled' ? this.#settledToo() : none;
    this.#state = advance(this.#state, outcome, ...more);
    return this.#host.onState?.(this.#state);
  }

  #settledToo(): readonly Outcome[] {
    if (this.#inbox.length === 0) return none;
    const end = this.#inbox.findIndex(({ outcome }) => outcome.type !== 'tool_settled');
    const heard = this.#inbox.splice(0, end < 0 ? this.#inbox.length : end);
    for (const { live } of heard) if (live) this.#live.delete(live);
    return heard.map(({ outcome }) => outcome);
  }
}

/** A set has to hash each id, which only pays off for many. */
function among(known: readonly { readonly id: string }[]): (id: string) => boolean {
  if (known.length < 16) return (id) => known.some((each) => each.id === id);
  const ids = new Set(known.map(({ id }) => id));
  return (id) => ids.has(id);
}
