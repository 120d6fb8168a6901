import { addUsage } from '../protocol/usage.ts';
import type { Item } from '../protocol/items.ts';
import type { Outcome, OutcomeOf } from './outcome.ts';
import { respond } from './respond.ts';
import {
  draftOf,
  type Draft,
  type EndCause,
  type Failure,
  type LimitName,
  type Limits,
  type LoopState,
  type SlotState,
  slotsOf,
} from './state.ts';
import { closeOpenCalls, decide, flush, nest, put, settle, slotOf, spread, wait } from './tools.ts';
import { extend, nextTurn } from './turn.ts';

/**
 * Folds outcomes in, one after the other, and gives the next state; the one given stays as it is. An outcome that no longer fits, such
 * as the late one of an aborted effect, only counts with what it cost.
 */
export function advance(state: LoopState, ...outcomes: readonly Outcome[]): LoopState {
  const next = draftOf(state);
  for (const outcome of outcomes) {
    fold(next, outcome, 0);
    if (outcome.type === 'decided' && outcome.always) spread(next, next.standing);
  }
  return next;
}

/** Folds in at the state that `outcome.path` names: an inner run is a state inside the state. */
function fold(state: Draft, outcome: Outcome, depth: number): void {
  state.elapsedMs += outcome.ms;
  if ('usage' in outcome && outcome.usage) state.usage = addUsage(state.usage, outcome.usage);
  const callId = outcome.path[depth];
  if (callId === undefined) foldHere(state, outcome);
  else foldInside(state, outcome, { callId, depth });
  saveWhatIsDue(state, outcome.type === 'closed');
  endWhereItMust(state);
}

function foldInside(state: Draft, outcome: Outcome, { callId, depth }: { callId: string; depth: number }): void {
  const found = slotOf(state, callId);
  if (found?.slot.type !== 'nested' && found?.slot.type !== 'ended') return;
  const { state: before, decision } = found.slot;
  const inner = draftOf(before);
  fold(inner, outcome, depth + 1);
  state.toolCalls += inner.toolCalls - before.toolCalls;
  state.standing = inner.standing;
  // An inner run without a session has nothing left to do once it has ended.
  const type = inner.end?.type === 'done' || inner.end?.type === 'failed' ? 'ended' : 'nested';
  put(found, { type, state: inner, decision });
  flush(state);
}

/** What only the turn that asked for it takes in: it may come late, from an effect of an earlier one. */
const ofOneTurn = /^(?:prepared|responded|tool_|hand)/;

function foldHere(state: Draft, outcome: Outcome): void {
  if (outcome.turn !== state.turn && ofOneTurn.test(outcome.type)) return;
  switch (outcome.type) {
    case 'started':
      return started(state, outcome);
    case 'checked':
      return checked(state, outcome);
    case 'prepared':
      return prepared(state, outcome);
    case 'responded':
      return respond(state, outcome.responses);
    case 'tool_settled':
      return settle(state, outcome);
    case 'tool_nested':
      return nest(state, outcome);
    case 'tool_waiting':
      return wait(state, outcome.callId);
    case 'handed_off':
      return handedOff(state, outcome);
    case 'handoff_refused':
      return refused(state, outcome);
    case 'finished':
      return finished(state, outcome);
    case 'continued':
      return continued(state, outcome);
    case 'saved':
      return saved(state, outcome);
    case 'failed':
      return failed(state, outcome);
    case 'aborted':
      return undefined;
    case 'closed':
      return closeOpenCalls(state);
    case 'halted':
      return halted(state, outcome);
    case 'resumed':
      return resumed(state, outcome);
    case 'decided':
      return decide(state, outcome);
  }
}

function started(state: Draft, { log, view, checks, saved, server }: OutcomeOf<'started'>): void {
  if (state.step.type !== 'start') return;
  state.log = log;
  state.view = view;
  state.checks = checks;
  state.saves = saved === null ? null : { done: saved, due: saved };
  state.server = server;
  nextTurn(state);
}

function prepared(state: Draft, { plan }: OutcomeOf<'prepared'>): void {
  if (state.step.type !== 'prepare') return;
  state.plan = plan;
  state.entering = false;
  state.step = { type: 'model' };
}

function checked(state: Draft, { verdict, tripped }: OutcomeOf<'checked'>): void {
  const isOther = ({ index }: { index: number }) => index !== verdict.index;
  const input = [...state.verdicts.input.filter(isOther), verdict].sort((a, b) => a.index - b.index);
  state.verdicts = { ...state.verdicts, input };
  // A check that has tripped stays open: nothing is stored while one is, and a resumed run has to pass it.
  if (tripped) fail(state, tripped);
  else state.checks = state.checks.filter(isOther);
}

function handedOff(state: Draft, { output, view }: OutcomeOf<'handed_off'>): void {
  const { step, agent } = state;
  if (step.type !== 'hand_off' || step.call.route.type !== 'handoff') return;
  const { to } = step.call.route;
  extend(state, [output], [{ type: 'handoff_output_item', agent, to, toolName: step.call.name }]);
  state.view = view ?? state.view;
  state.agent = to;
  state.entering = true;
  nextTurn(state);
}

function refused(state: Draft, { output }: OutcomeOf<'handoff_refused'>): void {
  const { step, agent } = state;
  if (step.type !== 'hand_off') return;
  const { name: toolName } = step.call;
  extend(state, [output], [{ type: 'tool_call_output_item', agent, toolName, value: null, isError: true }]);
  nextTurn(state);
}

function finished(state: Draft, { output, items, verdicts }: OutcomeOf<'finished'>): void {
  if (state.end === null && state.step.type !== 'finish') return;
  closeOpenCalls(state);
  say(state, items, 'message_output_item');
  state.verdicts = { ...state.verdicts, output: verdicts };
  state.end = { type: 'done', output };
}

function continued(state: Draft, { items, reask }: OutcomeOf<'continued'>): void {
  if (state.step.type !== 'finish') return;
  say(state, items, 'input');
  state.reasks += Number(reask);
  nextTurn(state);
}

/** Messages that the run itself wrote. */
function say(state: Draft, items: readonly Item[], type: 'input' | 'message_output_item'): void {
  const { agent } = state;
  extend(
    state,
    items,
    items.map(() => ({ type, agent })),
  );
}

function saved(state: Draft, { to }: OutcomeOf<'saved'>): void {
  if (state.saves) state.saves = { done: Math.max(state.saves.done, to), due: state.saves.due };
}

/** A failed write ends the run as well, but one that is over is not undone by it. */
function failed(state: Draft, { id, turn, failure, tripped }: OutcomeOf<'failed'>): void {
  if (id.startsWith('save/')) state.saves &&= { ...state.saves, failure };
  else if (turn !== state.turn) return;
  if (tripped) state.verdicts = { ...state.verdicts, output: tripped.verdicts };
  fail(state, failure);
}

/** The step stays as it is: resumed, the run takes it up again. Of failures that come together the same one stands in any order. */
function fail(state: Draft, failure: Failure): void {
  const { end } = state;
  if (end?.type === 'done' || (end?.type === 'failed' && end.failure.effectId <= failure.effectId)) return;
  state.end = { type: 'failed', failure };
}

/** To stop at once beats to stop after the turn, and an error handler that is still asked. */
function halted(state: Draft, { when }: OutcomeOf<'halted'>): void {
  const { end } = state;
  const isOpen = end === null || (when === 'now' && end.type !== 'done' && end.type !== 'failed');
  if (isOpen) state.end = { type: 'halted', when };
}

function resumed(state: Draft, { options, standing }: OutcomeOf<'resumed'>): void {
  spread(state, standing);
  state.options = options;
  if (state.saves) state.saves = { done: state.saves.done, due: state.saves.due };
  if (state.end === null || state.end.type === 'done') return;
  // Told of when the run failed, and perhaps stored.
  if (state.end.type === 'failed') closeOpenCalls(state);
  state.end = null;
  flush(state);
}

/**
 * What may be stored by now: the input once its guardrails have passed and the first model call starts, each turn once it is over, and
 * what there is when the run ends. A write that has not ended is not widened: tried again, it has to be the same.
 */
function saveWhatIsDue(state: Draft, closed: boolean): void {
  const { saves, log, checks, plan, end, turnStart } = state;
  if (saves === null || saves.done < saves.due || checks.length > 0 || plan === null) return;
  const due = isOver(end, closed) && !isBlocked(state) ? log.items.length : turnStart.log;
  if (due > saves.due) state.saves = { ...saves, due };
}

/** True when nothing more is added. Of a run that has failed, once all that was under way has been heard. */
function isOver(end: LoopState['end'], closed: boolean): boolean {
  if (end?.type === 'halted') return end.when === 'now';
  return end?.type === 'done' || (end?.type === 'failed' && closed);
}

/** True for an answer that an output guardrail has stopped. The outputs of tools that made a final output are stored all the same. */
function isBlocked({ step, verdicts }: LoopState): boolean {
  const answered = step.type === 'finish' && step.candidate.type === 'answer';
  return answered && verdicts.output.some(({ output }) => output.tripwireTriggered);
}

/** Ends a run that would go on although it has had its turns, or one of its counters has reached its limit. */
function endWhereItMust(state: Draft): void {
  const { end } = state;
  if (end !== null && end.type !== 'ending') return;
  const cause = endCause(state);
  state.end = cause && { type: 'ending', cause };
}

/** The same one in whatever order outcomes came. A final answer may still be given. */
function endCause(state: LoopState): EndCause | null {
  const { step, turn, options } = state;
  const { maxTurns, limits } = options;
  if (step.type === 'finish') return null;
  if (step.type === 'prepare' && maxTurns !== null && turn > maxTurns) return { type: 'max_turns' };
  const limit = limits ? limitReached(state, limits) : undefined;
  return limit === undefined ? null : { type: 'limit', limit };
}

/** The counters that may have a limit. */
export const limitNames: readonly LimitName[] = ['toolCalls', 'inputTokens', 'outputTokens', 'totalTokens', 'wallMs'];

function limitReached(state: LoopState, limits: Limits): LimitName | undefined {
  const toolCalls = wantsTool(state) ? state.toolCalls : -1;
  const counters = { ...state.usage, toolCalls, wallMs: state.elapsedMs };
  return limitNames.find((name) => counters[name] >= (limits[name] ?? Infinity));
}

/** True when a call is yet to begin, here or in a run inside. */
function wantsTool(state: LoopState): boolean {
  const wants = (slot: SlotState) =>
    slot.type === 'ready' ||
    slot.type === 'decided' ||
    (slot.type === 'nested' && slot.state.end === null && wantsTool(slot.state));
  return slotsOf(state).some(wants);
}
