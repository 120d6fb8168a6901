import type { Item } from '../protocol/items.ts';
import { record, seen, type Fact } from './log.ts';
import { newState, type Check, type LoopOptions, type LoopState } from './state.ts';

/** The log with more items, and with them what the model sees where that differs. */
export function extended(
  { log, view }: LoopState,
  items: readonly Item[],
  facts: readonly Fact[],
): Pick<LoopState, 'log' | 'view'> {
  return { log: record(log, items, facts), view: view && record(view, items, facts) };
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
