import type { AnyAgent } from '../../agent/agent.ts';
import type { Handoff, HandoffInputData } from '../../agent/handoff.ts';
import { misfit, ModelBehaviorError, UserError } from '../../errors.ts';
import { inputOf, newLog, record, seen, type Fact, type Log } from '../../loop/log.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { LoopState } from '../../loop/state.ts';
import type { FunctionCallOutputItem, Item } from '../../protocol/items.ts';
import { isFields } from '../../protocol/json.ts';
import { nestHistory } from '../handoff-history.ts';
import { inputToItems } from '../input.ts';
import { factOfRunItem, runItemsOf } from '../run-items.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';

/** Passes the conversation to another agent: its callback, the hooks, and what the new agent's model is to see. */
export function* handOff(work: Work<'hand_off'>): Steps<Settled> {
  const { effect, scope } = work;
  const { step } = effect.state;
  const from = scope.agent(effect.agent);
  const { handoffs } = scope.known(from.name).toolbox ?? (yield* scope.toolbox(from, work));
  const made = step.type === 'hand_off' && handoffs.get(step.call.name);
  if (!made) throw new ModelBehaviorError(`Agent '${from.name}' has no such handoff.`);
  const { call } = step;
  const output: FunctionCallOutputItem = { type: 'function_call_output', call_id: call.callId, output: '' };
  const { enter, problem } = yield* wait(made.bind(call.arguments));
  if (enter === undefined)
    return { type: 'handoff_refused', output: { ...output, output: `The handoff was not made. ${problem}` } };
  const runContext = scope.contextOf(from);
  yield* wait(enter({ runContext }));
  const to = scope.agent(made.agent.name);
  yield* wait(scope.fire(from, (hooks) => hooks.onHandoff?.({ runContext, from, to })));
  const answer = { ...output, output: JSON.stringify({ assistant: to.name }) };
  const fact: Fact = { type: 'handoff_output_item', agent: from.name, to: to.name, toolName: made.toolName };
  return { type: 'handed_off', output: answer, view: yield* viewAfter(work, made, { answer, fact }) };
}

/** What the new agent's model sees: the filter's choice, the nested history, or simply everything. */
function* viewAfter(
  { scope, effect: { state, agent } }: Work<'hand_off'>,
  made: Handoff<never>,
  { answer, fact }: { answer: Item; fact: Fact },
): Steps<Log | null> {
  const { handoffInputFilter, nestHandoffHistory, handoffHistoryMapper } = scope.config;
  const filter = made.inputFilter ?? handoffInputFilter;
  if (filter === undefined && nestHandoffHistory !== true) return null;
  if (state.server !== null) {
    throw new UserError('handoff inputFilter, nestHandoffHistory: the provider keeps the conversation; use a session.');
  }
  const kept = record(state.view ?? state.log, [answer], [fact]);
  // A filter may change items in place: the log keeps its own.
  const log = { ...kept, items: structuredClone(kept.items) };
  if (filter) {
    const data = inputData(state, log, scope.agents);
    return logOf(yield* wait<unknown>(filter({ ...data, runContext: scope.contextOf(scope.agent(agent)) })));
  }
  const items = seen(log.items);
  if (handoffHistoryMapper === undefined) return newLog(nestHistory(items));
  return newLog(inputToItems(yield* wait<unknown>(handoffHistoryMapper({ items })), 'runConfig.handoffHistoryMapper'));
}

/** The conversation as the current agent's model saw it, in the three parts that filters know. */
function inputData({ view, turnStart }: LoopState, log: Log, agents: ReadonlyMap<string, AnyAgent>): HandoffInputData {
  const start = view ? turnStart.view : turnStart.log;
  const items = runItemsOf(log, agents);
  const newItems = runItemsOf(log, agents, Math.max(start - log.inputLength, 0));
  return { inputHistory: inputOf(log), preHandoffItems: items.slice(0, items.length - newItems.length), newItems };
}

function logOf(data: unknown): Log {
  if (!isInputData(data)) throw misfit('handoff inputFilter', '{ inputHistory, preHandoffItems, newItems }', data);
  const kept = [...data.preHandoffItems, ...data.newItems];
  const items = kept.map((each): Item => each.toInputItem());
  return record(newLog(data.inputHistory), items, kept.map(factOfRunItem));
}

function isInputData(data: unknown): data is HandoffInputData {
  return isFields(data) && ['inputHistory', 'preHandoffItems', 'newItems'].every((key) => Array.isArray(data[key]));
}
