import type { Item } from '../protocol/items.ts';
import { record, seen, type Fact } from './log.ts';
import { draftOf, newState, type Check, type Draft, type LoopOptions, type LoopState } from './state.ts';

/** Puts items into the log, and into what the model sees where that differs. */
export function extend(state: Draft, items: readonly Item[], facts: readonly Fact[]): void {
  if (items.length === 0) return;
  state.log = record(state.log, items, facts);
  state.view &&= record(state.view, items, facts);
}

/** Begins the next turn. */
export function nextTurn(state: Draft): void {
  state.turn += 1;
  state.step = { type: 'prepare' };
  state.turnStart = { log: state.log.items.length, view: state.view?.items.length ?? 0 };
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
  const state = draftOf({ ...newState(agent, input, options), checks });
  nextTurn(state);
  return state;
}
