import type { AnyAgent } from '../../agent/agent.ts';
import type { Handoff, HandoffInputData } from '../../agent/handoff.ts';
import { parseArguments } from '../../agent/schema/parse-arguments.ts';
import { misfit, ModelBehaviorError, UserError } from '../../errors.ts';
import { newLog, record, seen, type Fact, type Log } from '../../loop/log.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { FunctionCallOutputItem, Item } from '../../protocol/items.ts';
import { isFields } from '../../protocol/json.ts';
import { nestHistory } from '../handoff-history.ts';
import { inputToItems } from '../input.ts';
import { factOfRunItem, runItem, runItemsOf } from '../run-items.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';

/** Passes the conversation to another agent: its callback, the hooks, and what the new agent's model is to see. */
export function* handOff(work: Work<'hand_off'>): Steps<Settled> {
  const { effect, scope, control } = work;
  const { step } = effect.state;
  if (step.type !== 'hand_off') throw new ModelBehaviorError('There is no handoff to make.');
  const { call } = step;
  const from = scope.agent(effect.agent);
  const made = (yield* scope.openedToolbox(from, control.signal)).handoffs.get(call.name);
  if (made === undefined) throw new ModelBehaviorError(`Agent '${from.name}' has no handoff '${call.name}'.`);
  const output: FunctionCallOutputItem = { type: 'function_call_output', call_id: call.callId, output: '' };
  const parsed = parseArguments(call.arguments);
  const binding = 'problem' in parsed ? parsed : yield* wait(made.bind(parsed.value));
  if (binding.problem !== undefined) {
    return {
      type: 'handoff_refused',
      output: { ...output, output: `The handoff was not made. Invalid arguments: ${binding.problem}` },
    };
  }
  const runContext = scope.contextOf(from);
  yield* wait(binding.enter({ runContext }));
  const to = scope.agent(made.agent.name);
  yield* wait(scope.fire(from, (hooks) => hooks.onHandoff?.({ runContext, from, to })));
  const answer = { ...output, output: JSON.stringify({ assistant: to.name }) };
  return { type: 'handed_off', output: answer, view: yield* viewAfter(work, { made, from, to, answer }) };
}

type Passing = { made: Handoff<never>; from: AnyAgent; to: AnyAgent; answer: FunctionCallOutputItem };

/** What the new agent's model sees: the filter's choice, the nested history, or simply everything. */
function* viewAfter(work: Work<'hand_off'>, passing: Passing): Steps<Log | null> {
  const { scope, effect } = work;
  const filter = passing.made.inputFilter ?? scope.config.handoffInputFilter;
  const edits = filter !== undefined || scope.config.nestHandoffHistory === true;
  if (edits && effect.state.server !== null) {
    throw new UserError(
      `handoff inputFilter, nestHandoffHistory: the provider keeps the conversation, so it cannot be changed; drop them, or use a session.`,
    );
  }
  const fact: Fact = {
    type: 'handoff_output_item',
    agent: passing.from.name,
    to: passing.to.name,
    toolName: passing.made.toolName,
  };
  if (filter) {
    const data = inputData(work, passing, fact);
    const chosen = yield* wait<unknown>(filter({ ...data, runContext: scope.contextOf(passing.from) }));
    return logOf(checkedData(chosen));
  }
  if (scope.config.nestHandoffHistory !== true) return null;
  const before = effect.state.view ?? effect.state.log;
  const items = [...seen(before.items), passing.answer];
  const { handoffHistoryMapper } = scope.config;
  const mapped = handoffHistoryMapper
    ? inputToItems(yield* wait<unknown>(handoffHistoryMapper({ items })), 'runConfig.handoffHistoryMapper')
    : nestHistory(items);
  return newLog(mapped);
}

/** The conversation as the current agent's model saw it, in the three parts that filters know. */
function inputData({ effect, scope }: Work<'hand_off'>, { answer }: Passing, fact: Fact): HandoffInputData {
  const { state } = effect;
  const log = state.view ?? state.log;
  const start = state.view ? state.turnStart.view : state.turnStart.log;
  const items = runItemsOf(log, scope.agents);
  const added = runItemsOf(log, scope.agents, Math.max(start - log.inputLength, 0));
  const last = runItem({ item: answer, fact, agents: scope.agents });
  return {
    inputHistory: seen(log.items).slice(0, log.inputLength),
    preHandoffItems: items.slice(0, items.length - added.length),
    newItems: last ? [...added, last] : added,
  };
}

function logOf({ inputHistory, preHandoffItems, newItems }: HandoffInputData): Log {
  const kept = [...preHandoffItems, ...newItems];
  return record(
    newLog(inputHistory),
    kept.map((each): Item => each.toInputItem()),
    kept.map(factOfRunItem),
  );
}

function checkedData(data: unknown): HandoffInputData {
  if (isInputData(data)) return data;
  throw misfit('handoff inputFilter', '{ inputHistory, preHandoffItems, newItems }', data);
}

function isInputData(data: unknown): data is HandoffInputData {
  return isFields(data) && ['inputHistory', 'preHandoffItems', 'newItems'].every((key) => Array.isArray(data[key]));
}
