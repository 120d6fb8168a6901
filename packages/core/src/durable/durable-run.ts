import type { MaybePromise } from '../agent/maybe-promise.ts';
import { UserError } from '../errors.ts';
import type { Control, Perform } from '../loop/drive.ts';
import type { Effect } from '../loop/effects.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { LoopState } from '../loop/state.ts';
import { failureOf } from '../run/failure.ts';
import { hashOf } from '../run/journal.ts';
import { RunState } from '../run/run-state.ts';
import { Run, type RunEnd } from '../run/run.ts';
import { isClaim, type ClaimCheck } from './blobs.ts';
import { described } from './description.ts';
import type { DurableEngine, DurableStep, Settled } from './engine.ts';
import { OutcomeCodec } from './outcome-codec.ts';
import { raiseTold, told } from './told.ts';

/** An effect whose outcome the loop waits for. */
type Gate = {
  readonly effect: Effect;
  readonly pass: (outcome: Outcome) => void;
  readonly fail: (cause: unknown) => void;
};

/**
 * A run whose effects an engine performs. The loop is given one outcome at a time, each only when it has nothing left to do, in the
 * order that the engine tells: so whatever it starts, it starts in the same order in every replay.
 */
export abstract class DurableRun<Handle> extends Run {
  abstract readonly engine: DurableEngine<Handle>;
  abstract readonly claims: ClaimCheck | undefined;
  /** Tells apart the ends of a run that goes on after each. */
  abstract readonly part: number;
  /** A lease is no step: every replay would take it. That one run at a time has a conversation is for the engine to see to. */
  override readonly ownsSession: boolean = false;
  #codec: OutcomeCodec | undefined;
  readonly #handles = new Map<string, Handle>();
  readonly #gates = new Map<string, Gate>();
  readonly #controls = new Set<Control>();
  /** The steps that were performed here, not found recorded. */
  readonly #performed = new Set<string>();
  #begun = 0;
  #before = 0;
  #broken = false;

  /** True once the engine, or what it recorded, kept the run from going on: then an error is none of the run's own. */
  get broken(): boolean {
    return this.#broken;
  }

  override performer(): Perform {
    const perform = super.performer();
    this.engine.signal?.addEventListener('abort', () => this.#leave());
    this.#before = this.engine.now?.() ?? 0;
    return (effect, control) => this.#begin(effect, control, perform);
  }

  override idle(): void {
    if (this.#handles.size > 0) void this.#next();
  }

  /** The hook at the end is a step, too. */
  override async tellEnd(end: RunEnd): Promise<void> {
    const hook = this.scope.hooks?.onRunEnd;
    if (hook === undefined || this.#broken) return;
    const id = `end/${this.part}`;
    const failure = 'error' in end ? failureOf(id, end.error) : null;
    const perform = once(async () => told(() => super.tellEnd(end)));
    const describe = () => described({ runId: this.runId, state: this.state, id, opens: false, failure });
    raiseTold(
      await this.#ended({
        id,
        type: 'run_end',
        state: () => this.#at(this.state),
        signal: () => new AbortController().signal,
        perform,
        describe,
      }),
    );
  }

  async #ended(step: DurableStep): Promise<string> {
    try {
      const pending = new Map([[step.id, this.engine.step(step)]]);
      let settled: Settled;
      // A run that has ended cannot be stopped.
      do settled = await this.engine.first(pending);
      while (settled === 'stop');
      return settled.text;
    } catch (cause) {
      this.#break(cause);
      throw cause;
    }
  }

  get codec(): OutcomeCodec {
    return (this.#codec ??= new OutcomeCodec(hashOf(this)[0] ?? ''));
  }

  #begin(effect: Effect, control: Control, perform: Perform): Promise<Outcome> {
    const { id, type } = effect;
    const { state, runId } = this;
    const opens = this.#begun++ === 0;
    const performed = once(() => this.#performHere(effect, control, perform));
    const waiting = new Promise<Outcome>((pass, fail) => this.#gates.set(id, { effect, pass, fail }));
    const step: DurableStep = {
      id,
      type,
      toolName: effect.type === 'run_tool' ? effect.call.name : undefined,
      state: () => this.#at(state),
      signal: () => control.signal,
      perform: async () => this.#kept(this.codec.encode(await performed(), effect, opens), id),
      describe: () => described({ runId, state, id, opens, failure: null }),
    };
    try {
      this.#handles.set(id, this.engine.step(step));
    } catch (cause) {
      this.#break(cause);
    }
    return waiting;
  }

  async #performHere(effect: Effect, control: Control, perform: Perform): Promise<Outcome> {
    this.#performed.add(effect.id);
    this.#controls.add(control);
    const outcome = control.aborted ? unwanted(effect) : await perform(effect, control);
    this.#controls.delete(control);
    // What was told to stop because this attempt is over says nothing about the step: another attempt performs it.
    return this.engine.signal?.aborted ? new Promise(() => undefined) : outcome;
  }

  #at(state: LoopState): RunState {
    return new RunState(state, { agents: this.scope.agents, runId: this.runId });
  }

  #kept(text: string, id: string): MaybePromise<string> {
    return this.claims ? this.claims.keep(this.idempotencyKey(id), text) : text;
  }

  /** Hands the loop what has settled next. */
  async #next(): Promise<void> {
    try {
      const settled = await this.engine.first(this.#handles);
      if (settled === 'stop') return this.stop('now');
      const { id, text } = settled;
      const gate = this.#gates.get(id);
      if (!gate) throw new Error(`The engine told of step '${id}', which is not pending.`);
      const outcome = this.codec.decode(await this.#fetched(text), gate.effect);
      this.#handles.delete(id);
      this.#gates.delete(id);
      this.replaying = !this.#performed.has(id);
      gate.pass(this.#timed(outcome));
    } catch (cause) {
      this.#break(cause);
    }
  }

  async #fetched(text: string): Promise<string> {
    if (this.claims) return this.claims.fetch(text);
    if (isClaim(text))
      throw new UserError('blobs: the run was recorded with a store; give the one that it began with.');
    return text;
  }

  #break(cause: unknown): void {
    this.#broken = true;
    this.#leave();
    for (const gate of this.#gates.values()) gate.fail(cause);
  }

  #timed(outcome: Outcome): Outcome {
    if (!this.engine.now) return outcome;
    const at = this.engine.now();
    const ms = at - this.#before;
    this.#before = at;
    return { ...outcome, ms };
  }

  /** This attempt is over: nothing that goes on is waited for. */
  #leave(): void {
    for (const control of this.#controls) control.abort();
    this.spans?.end();
  }
}

/** Work that is done once, however often it is asked for. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => (done ??= work());
}

/** What an effect comes to that was aborted before it began. */
function unwanted({ id, path, turn }: Effect): Outcome {
  return { id, path, turn, ms: 0, type: 'aborted', usage: null };
}
