import { AgentsError } from '../errors.ts';
import type { Effect } from '../loop/effects.ts';
import type { Outcome, OutcomeOf } from '../loop/outcome.ts';
import type { TurnPlan } from '../loop/state.ts';
import { isFields, parseJson, stringify } from '../protocol/json.ts';
import { isOutcome } from '../run/journal.ts';

/** Changes with what the loop makes of recorded outcomes, so that a run is not continued by a loop that would go another way. */
const loopVersion = 1;

/** The program that goes on with a run is not the one that began it: its agents, or the version of the loop. */
export class RunChangedError extends AgentsError {
  static override readonly brand: string = 'RunChangedError';
}

type KnownPlan = { readonly id: string; readonly text: string; readonly plan: TurnPlan };

/**
 * Outcomes as an engine records them: JSON text. The first of a run also tells which program made it; a turn's plan that equals one
 * recorded before is recorded as the id of that step.
 */
export class OutcomeCodec {
  readonly #program: string;
  readonly #plans = new Map<string, KnownPlan>();

  /** `agents`: a hash of the agents and what ties them together. */
  constructor(agents: string) {
    this.#program = `${loopVersion}/${agents}`;
  }

  /** `opens`: the step is the first of its run. */
  encode(outcome: Outcome, { agent }: Pick<Effect, 'agent'>, opens: boolean): string {
    const told = opens ? { ...outcome, program: this.#program } : outcome;
    if (outcome.type !== 'prepared') return textOf(told);
    const known = this.#plans.get(placeOf(outcome, agent));
    return textOf(known?.text === stringify(outcome.plan) ? { ...told, plan: known?.id } : told);
  }

  /** Throws `RunChangedError` for what another program recorded. */
  decode(text: string, { id, agent }: Pick<Effect, 'id' | 'agent'>): Outcome {
    const recorded = parseJson(text);
    const { program, ...rest } = isFields(recorded) ? recorded : {};
    if (program !== undefined && program !== this.#program)
      throw changed(id, 'the agents or the version of @polyrun/core');
    if (rest['id'] !== id || !isOutcome(rest)) throw changed(id, 'the steps');
    return withPlan(rest, (outcome) => this.#plan(outcome, agent));
  }

  #plan(outcome: OutcomeOf<'prepared'>, agent: string): TurnPlan {
    const place = placeOf(outcome, agent);
    const known = this.#plans.get(place);
    const plan: unknown = outcome.plan;
    if (typeof plan !== 'string') {
      this.#plans.set(place, { id: outcome.id, text: textOf(outcome.plan), plan: outcome.plan });
      return outcome.plan;
    }
    if (known?.id !== plan) throw changed(outcome.id, 'the steps');
    return known.plan;
  }
}

function withPlan(outcome: Outcome, plan: (outcome: OutcomeOf<'prepared'>) => TurnPlan): Outcome {
  return outcome.type === 'prepared' ? { ...outcome, plan: plan(outcome) } : outcome;
}

/** Where a plan may be that equals a new one: with the same agent of the same run, or of the same run inside it. */
function placeOf({ path }: Outcome, agent: string): string {
  return JSON.stringify([path, agent]);
}

function textOf(value: object): string {
  return stringify(value) ?? 'null';
}

function changed(id: string, what: string): RunChangedError {
  return new RunChangedError(
    `Step '${id}': what was recorded is not what this program does, for ${what} have changed since the run began. Let the program that began a run end it, or cancel the run.`,
  );
}
