import type { AnyAgent } from '../agent/agent.ts';
import type { Hooks } from '../agent/hooks.ts';
import { all, type MaybePromise } from '../agent/maybe-promise.ts';
import { drive, type Control, type Host, type Perform, type Waits } from '../loop/drive.ts';
import type { Effect, EffectOf } from '../loop/effects.ts';
import type { Outcome, Settled } from '../loop/outcome.ts';
import { slotsOf, type Failure, type LoopState } from '../loop/state.ts';
import type { Model, SyncCall } from '../model/model.ts';
import type { Item } from '../protocol/items.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { ModelResponse } from '../protocol/response.ts';
import type { Session, SyncSession } from '../session/session.ts';
import type { RunConfig, RunOptions } from './config.ts';
import { Deadlines, now } from './deadlines.ts';
import { callModel } from './effects/call-model.ts';
import { checkInput } from './effects/check-input.ts';
import { finish } from './effects/finish.ts';
import { handOff } from './effects/hand-off.ts';
import { prepareTurn } from './effects/prepare-turn.ts';
import { runTool } from './effects/run-tool.ts';
import { start } from './effects/start.ts';
import { failureOf, rebuiltError } from './failure.ts';
import { recorded, takeUp, type Journal, type SyncJournal } from './journal.ts';
import { Publisher, type Emit } from './publisher.ts';
import { Scope } from './scope.ts';
import { spansOf, type Spans } from './spans.ts';
import { proceed, settle, wait, Walk, type Steps, type Walker } from './steps.ts';

/** How long an effect may take to settle after it was aborted; then its late result is dropped. */
const graceMs = 1_000;

/** What the hook of a run is told at its end. */
export type RunEnd = Parameters<NonNullable<Hooks<never>['onRunEnd']>>[0];
/** An effect that is being performed. */
export type Begun = { readonly effect: Effect; readonly control: Control; readonly steps: Steps<Settled> };

/** One call of the runner: the state of the loop, the world around it, and how effects are performed in it. */
export class Run implements Host {
  state: LoopState;
  readonly options: RunOptions<never>;
  readonly scope: Scope;
  readonly deadlines: Deadlines = new Deadlines();
  /** Only of a run that is traced. */
  spans: Spans | undefined;
  #scopes: Map<string, Scope> | undefined;
  #errors: Map<string, unknown> | undefined;
  #runId: string | undefined;
  #lastMs = 0;
  #version: string | undefined;
  #deliver: ((outcome: Outcome) => void) | undefined;
  #stopped: 'now' | 'after_turn' | undefined;
  /** What gives up waiting for the session. */
  #waiting: AbortController | undefined;
  /** Whether the run takes the lease of its session. */
  readonly ownsSession: boolean = true;
  /** Whether what is folded in now was told of before: then nobody is told again. */
  replaying = false;
  /** Called when the run is to stop at once. */
  onStop: (() => void) | undefined;

  constructor(
    state: LoopState,
    setting: {
      agent: AnyAgent;
      config: RunConfig<never>;
      options: RunOptions<never>;
      context: never;
      emit?: Emit | undefined;
    },
  ) {
    const { agent, config, options, context, emit } = setting;
    this.state = state;
    this.options = options;
    this.#runId = options.runId;
    const usage = () => this.state.usage;
    this.scope = new Scope(agent, { config, errorHandlers: options.errorHandlers, context, usage });
    if (emit) this.scope.publisher = new Publisher(this.scope, emit);
  }

  /** Drives the run until nothing more is to be done. The timer ends with it. */
  *drive(): Steps<LoopState> {
    const { journal, session } = this;
    this.spans = spansOf(this);
    const leases: { release(): MaybePromise<void> }[] = [];
    try {
      if (journal?.acquire) leases.push(yield* wait(journal.acquire({ runId: this.runId })));
      const owned = this.ownsSession && session?.acquire && (yield* this.#acquired(session));
      if (owned) leases.push(owned);
      if (journal) yield* takeUp(this, journal);
      this.#lastMs = Math.round(now());
      return yield* wait(settle(drive(this.state, this.performer(), this)));
    } finally {
      this.deadlines.close();
      this.spans?.end();
      for (const lease of leases.reverse()) {
        try {
          yield* wait(lease.release());
        } catch {
          // What the run came to does not hang on it: what cannot be let go expires.
        }
      }
    }
  }

  /** How effects are performed: each under its span, its outcome written down where there is a journal. */
  performer(): Perform {
    const { journal } = this;
    const plain: Perform = (effect, control) => this.perform(effect, control);
    const perform = this.spans?.traced(plain) ?? plain;
    return journal ? recorded(perform, { runId: this.runId, journal }) : perform;
  }

  /** Called each time that the run can only wait. */
  idle(): void {}

  /** Tells the hook of the run what its call came to. */
  tellEnd(end: RunEnd): MaybePromise<void> | undefined {
    return this.scope.hooks?.onRunEnd?.(end);
  }

  get session(): Session | SyncSession | undefined {
    return this.options.session;
  }

  get journal(): Journal | SyncJournal | undefined {
    return this.options.journal;
  }

  /** Makes this run the one that owns the session. A run that is stopped while it waits has nothing to own. */
  *#acquired(session: Session | SyncSession): Steps<{ release(): MaybePromise<void> } | undefined> {
    const { runId } = this;
    const waits = this.options.runConfig?.sessionSettings?.onBusy === 'wait';
    this.#waiting = new AbortController();
    try {
      return yield* wait(session.acquire?.({ runId, wait: waits, signal: this.#waiting.signal }));
    } catch (error) {
      if (this.#stopped) return undefined;
      throw error;
    } finally {
      this.#waiting = undefined;
    }
  }

  /** Ends the run from outside: at once, or after the turn that goes on. */
  stop(when: 'now' | 'after_turn'): void {
    this.#stopped = when;
    if (when === 'now') this.onStop?.();
    this.#waiting?.abort();
    this.#deliver?.({ type: 'halted', when, id: 'halt', path: [], turn: this.state.turn, ms: 0 });
  }

  /** Performs one effect. Never throws: whatever goes wrong is an outcome, too. */
  perform(effect: Effect, control: Control): MaybePromise<Outcome> {
    try {
      const steps = this.#steps(effect, control);
      // Nothing was to be done: no time has passed.
      if ('type' in steps) return outcomeOf(effect, steps, 0);
      const { done, value } = proceed(steps);
      return done ? this.outcome(effect, value) : this.later(value, { effect, control, steps });
    } catch (error) {
      return this.failed(effect, error, control);
    }
  }

  /** Performs the rest of an effect that has to wait. An effect that was aborted is only waited for so long. */
  later(pending: PromiseLike<unknown>, begun: Begun): Promise<Outcome> {
    return new Promise((resolve) => new Waiting(this, begun, resolve).waitFor(pending));
  }

  #steps(effect: Effect, control: Control): Settled | Steps<Settled> {
    switch (effect.type) {
      case 'start':
        return start(this.#work(effect, control));
      case 'check_input':
        return checkInput(this.#work(effect, control));
      case 'prepare_turn':
        return prepareTurn(this.#work(effect, control));
      case 'call_model':
        return callModel(this.#work(effect, control));
      case 'run_tool':
        return runTool(this.#work(effect, control));
      case 'hand_off':
        return handOff(this.#work(effect, control));
      case 'finish':
        return finish(this.#work(effect, control));
      case 'save':
        return this.#save(effect);
    }
  }

  #work<E extends Effect>(effect: E, control: Control) {
    return { effect, scope: this.scopeAt(effect.path), run: this, control };
  }

  outcome(effect: Effect, settled: Settled): Outcome {
    // Whole milliseconds: their sum is the same in any order.
    const at = Math.round(now());
    const ms = at - this.#lastMs;
    this.#lastMs = at;
    return outcomeOf(effect, settled, ms);
  }

  failed(effect: Effect, error: unknown, control: Control): Outcome {
    if (control.aborted) return this.outcome(effect, aborted(control));
    const failure = this.failure(effect, error);
    return this.outcome(effect, { type: 'failed', failure, usage: control.spent?.usage ?? null, tripped: null });
  }

  /** An error as the loop keeps it; the error itself is kept beside it as long as this process lives. */
  failure({ id }: { readonly id: string }, error: unknown): Failure {
    this.#errors ??= new Map();
    this.#errors.set(id, error);
    return failureOf(id, error);
  }

  errorOf(failure: Failure): unknown {
    return this.#errors?.get(failure.effectId) ?? rebuiltError(failure);
  }

  /** The same for every try of one effect. */
  idempotencyKey(effectId: string): string {
    return `${this.runId}/${effectId}`;
  }

  get runId(): string {
    this.#runId ??= crypto.randomUUID();
    return this.#runId;
  }

  /** The scope of the run itself, or of a run inside it, named by the calls that lead there. */
  scopeAt(path: readonly string[]): Scope {
    if (path.length === 0) return this.scope;
    const key = JSON.stringify(path);
    const known = this.#scopes?.get(key);
    if (known) return known;
    const { state, ...call } = callAt(this.state, path);
    const made = this.scopeAt(path.slice(0, -1)).inner(call, path);
    if (state) made.publisher?.skip(state);
    this.#scopes ??= new Map();
    this.#scopes.set(key, made);
    return made;
  }

  /** Asks a model. */
  respond(model: Model, request: ModelRequest, call: SyncCall): MaybePromise<ModelResponse> {
    return model.getResponse(request, call);
  }

  /** Waits, unless the effect is aborted before. */
  sleep(ms: number, control: Control): MaybePromise<void> {
    return new Promise((resolve) => {
      this.deadlines.set(ms, resolve);
      control.signal.addEventListener('abort', () => resolve());
    });
  }

  /** The history that the session holds; remembers its version for the writes that follow. */
  *readSession(): Steps<readonly Item[]> {
    const { session } = this;
    if (session === undefined) return [];
    const { limit, onReadError } = this.options.runConfig?.sessionSettings ?? {};
    try {
      const { items, version } = yield* wait(session.read(limit));
      this.#version = version;
      return items;
    } catch (error) {
      if (onReadError !== 'continue') throw error;
      // oxlint-disable-next-line no-console -- The user has asked to be warned instead of stopped; what the store said may be secret.
      console.warn('Polyrun: the session could not be read.');
      return [];
    }
  }

  /** Appends one range of the log to the session, under a key that makes a second try add nothing. */
  *#save({ id, from, to, state }: EffectOf<'save'>): Steps<Settled> {
    const { session } = this;
    const items = state.log.items.items.slice(from, to);
    if (session) {
      const ifVersion = (this.#version ??= (yield* wait(session.read(1))).version);
      const added = session.addItems(items, { key: this.idempotencyKey(id), ifVersion });
      this.#version = (yield* wait(added)).version;
    }
    return { type: 'saved', to };
  }

  onState(state: LoopState): MaybePromise<void> {
    this.state = state;
    return this.scope.publisher || this.#scopes ? this.#publish(state, []) : undefined;
  }

  listen(deliver: (outcome: Outcome) => void): void {
    this.#deliver = deliver;
    if (this.#stopped) this.stop(this.#stopped);
  }

  /** Tells what is new in a state and in the runs inside it. */
  #publish(state: LoopState, path: readonly string[]): MaybePromise<void> {
    const { publisher } = this.scopeAt(path);
    const own = this.replaying ? publisher?.skip(state) : publisher?.update(state);
    const inner = slotsOf(state).map((slot) =>
      'state' in slot ? this.#publish(slot.state, [...path, slot.call.callId]) : undefined,
    );
    return all([own, ...inner]);
  }
}

/** An effect that has to wait, until its outcome is there. */
class Waiting implements Walker<Settled>, Waits {
  readonly #run: Run;
  readonly #begun: Begun;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #walk: Walk<Settled>;

  constructor(run: Run, begun: Begun, resolve: (outcome: Outcome) => void) {
    this.#run = run;
    this.#begun = begun;
    this.#resolve = resolve;
    this.#walk = new Walk(begun.steps, this);
    begun.control.wait = this;
  }

  waitFor(pending: PromiseLike<unknown>): void {
    this.#walk.waitFor(pending);
  }

  done(settled: Settled): void {
    this.#resolve(this.#run.outcome(this.#begun.effect, settled));
  }

  failed(error: unknown): void {
    const { effect, control } = this.#begun;
    this.#resolve(this.#run.failed(effect, error, control));
  }

  interrupt(error: unknown): void {
    this.#walk.interrupt(error);
  }

  abort(): void {
    const { effect, control } = this.#begun;
    // A guardrail has no signal, so there is nothing to wait for.
    const grace = effect.type === 'check_input' ? 0 : graceMs;
    this.#run.deadlines.set(grace, () => this.#walk.end(aborted(control)));
  }
}

/** The agent and the tool of the call that a path leads to, and its run where that has begun. */
function callAt(
  outer: LoopState,
  [callId, ...rest]: readonly string[],
): { agent: string; toolName: string; state: LoopState | undefined } {
  const slot = slotsOf(outer).find(({ call }) => call.callId === callId);
  const state = slot && 'state' in slot ? slot.state : undefined;
  return state && rest.length > 0
    ? callAt(state, rest)
    : { agent: outer.agent, toolName: slot?.call.name ?? '', state };
}

function outcomeOf({ id, path, turn }: Effect, settled: Settled, ms: number): Outcome {
  return { ...settled, id, path, turn, ms };
}

function aborted({ spent }: Control): Settled {
  return { type: 'aborted', usage: spent?.usage ?? null };
}
