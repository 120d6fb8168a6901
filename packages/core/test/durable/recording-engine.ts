import type { DurableEngine, DurableStep, Settled } from '../../src/durable/index.ts';

/** What an engine keeps of a run: each step with its text, in the order in which they settled. */
export type History = { readonly settled: Settled[]; readonly answers: unknown[] };

export function history(): History {
  return { settled: [], answers: [] };
}

/** The process died. */
export class Crash extends Error {}

type Handle = Promise<Settled>;
type Options = {
  /** The process dies when so many steps are recorded. */
  crashAt?: number;
  /** Steps are performed from their description, by this. */
  remote?: (description: string, signal: AbortSignal) => Promise<string>;
  /** `stop` is told when so many steps are recorded. */
  stopAt?: number;
};

/** An engine for tests: one attempt at a run, on the history that earlier attempts left. */
export class RecordingEngine implements DurableEngine<Handle> {
  readonly runId = 'r';
  /** The steps in the order in which the run began them. */
  readonly begun: string[] = [];
  /** Those that were performed. */
  readonly performed: string[] = [];
  readonly #history: History;
  readonly #options: Options;
  #told = 0;
  #dead = false;

  constructor(kept: History, options: Options = {}) {
    this.#history = kept;
    this.#options = options;
  }

  step(step: DurableStep): Handle {
    const { settled } = this.#history;
    this.begun.push(step.id);
    const recorded = settled.find((each) => each !== 'stop' && each.id === step.id);
    return recorded ? Promise.resolve(recorded) : this.#perform(step);
  }

  async first(pending: ReadonlyMap<string, Handle>): Promise<Settled> {
    const { settled } = this.#history;
    if (this.#told === settled.length) {
      if (settled.length === this.#options.stopAt) settled.push('stop');
      else await Promise.race(pending.values());
    }
    const next = settled[this.#told];
    if (next === undefined) throw new Error('Nothing has settled.');
    if (next !== 'stop' && !pending.has(next.id)) throw new Error(`${next.id} settled, but is not pending.`);
    this.#told += 1;
    return next;
  }

  /** Asks people once and for all. */
  async answers<T>(ask: () => readonly T[], at: number): Promise<readonly T[]> {
    const { answers } = this.#history;
    answers[at] ??= ask();
    return answers[at] as readonly T[];
  }

  async #perform(step: DurableStep): Promise<Settled> {
    this.performed.push(step.id);
    const text = await (this.#options.remote?.(step.describe(), step.signal()) ?? step.perform());
    const { settled } = this.#history;
    this.#dead ||= settled.length === this.#options.crashAt;
    if (this.#dead) throw new Crash();
    const made = { id: step.id, text };
    settled.push(made);
    return made;
  }
}
