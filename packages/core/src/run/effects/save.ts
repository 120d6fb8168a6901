import type { Settled } from '../../loop/outcome.ts';
import type { Steps } from '../steps.ts';
import type { Work } from '../work.ts';

/** Appends one range of the log to the session, under a key that makes a second try add nothing. */
export function* save({ effect, run }: Work<'save'>): Steps<Settled> {
  const items = effect.state.log.items.items.slice(effect.from, effect.to);
  yield* run.saveItems(items, effect.id);
  return { type: 'saved', to: effect.to };
}
