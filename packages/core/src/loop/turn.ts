import type { Item } from '../protocol/items.ts';
import { record, seen, type Fact } from './log.ts';
import { newState, type Check, type LoopOptions, type LoopState } from './state.ts';

/** Adds items to the log, and to what the model sees where that differs. */
export function extend(state: LoopState, items: readonly Item[], facts: readonly Fact[]): LoopState {
  if (items.length === 0) return state;
  const log = record(state.log, items, facts);
  return state.view === null ? { ...state, log } : { ...state, log, view: record(state.view, items, facts) };
}

/** Begins the next turn, or ends the run where there may be none. */
export function nextTurn(state: LoopState): LoopState {
  const turn = state.turn + 1;
  const { maxTurns } = state.options;
  const length = state.log.items.length;
  return {
    ...state,
    turn,
    step: { type: 'prepare' },
    turnStart: { log: length, view: state.view?.items.length ?? 0 },
    end:
      maxTurns !== null && turn > maxTurns && state.end === null
        ? { type: 'ending', cause: { type: 'max_turns' } }
        : state.end,
  };
}

/** What the next request is to tell: everything that the model is to see, or what its provider has not been told. */
export function newToModel({ view, log, server }: LoopState): readonly Item[] {
  return server !== null && server.sent > 0 ? seen(log.items).slice(server.sent) : seen((view ?? log).items);
}

/** A run inside a run: it begins with its first turn, for the outer run has read and checked everything before. */
export function nestedRun(
  agent: string,
  input: readonly Item[],
  { options, checks }: { options: LoopOptions; checks: readonly Check[] },
): LoopState {
  return nextTurn({ ...newState(agent, input, options), checks });
}
