import { addUsage, type Usage } from '../protocol/usage.ts';
import type { Fact } from './log.ts';
import type { Outcome, OutcomeOf } from './outcome.ts';
import { respond } from './respond.ts';
import type { EndCause, Failure, LimitName, LoopState, SlotState } from './state.ts';
import { closeOpenCalls, decide, flush, nest, settle, slotOf, spread, wait, withSlot } from './tools.ts';
import { extended, nextTurn } from './turn.ts';

/**
 * Folds one outcome in and gives the next state; the one given stays as it is. An outcome that no longer fits, such as the late
 * one of an aborted effect, only counts with what it cost.
 */
export function advance(state: LoopState, outcome: Outcome): LoopState {
  const next = limited(due(at(state, outcome, 0)));
  return outcome.type === 'decided' && outcome.always ? spread(next, next.standing) : next;
}

/** Folds in at the state that `outcome.path` names: an inner run is a state inside the state. */
function at(state: LoopState, outcome: Outcome, depth: number): LoopState {
  const costed = outcome.ms === 0 ? state : { ...state, elapsedMs: state.elapsedMs + outcome.ms };
  const callId = outcome.path[depth];
  return callId === undefined ? fold(costed, outcome) : inside(costed, outcome, { callId, depth });
}

function inside(state: LoopState, outcome: Outcome, { callId, depth }: { callId: string; depth: number }): LoopState {
  const shared = withUsage(state, usageIn(outcome));
  const found = slotOf(shared, callId);
  if (found?.slot.type !== 'nested' && found?.slot.type !== 'ended') return shared;
  const before = found.slot.state;
  const inner = limited(due(at(before, outcome, depth + 1)));
  const toolCalls = shared.toolCalls + inner.toolCalls - before.toolCalls;
  const counted = { ...shared, toolCalls, standing: inner.standing };
  const ended = inner.end?.type === 'done' || inner.end?.type === 'failed';
  // An inner run without a session has nothing left to do once it has ended.
  const slot: SlotState = { type: ended ? 'ended' : 'nested', state: inner, decision: found.slot.decision };
  return flush({ ...counted, step: withSlot(found, slot) });
}

function fold(state: LoopState, outcome: Outcome): LoopState {
  switch (outcome.type) {
    case 'started':
      return started(state, outcome);
    case 'checked':
      return checked(state, outcome);
    case 'prepared':
      return prepared(state, outcome);
    case 'responded':
      return responded(state, outcome);
    case 'tool_settled':
      return isNow(state, outcome) ? keepLate(settle(state, outcome)) : state;
    case 'tool_nested':
      return isNow(state, outcome) ? nest(state, outcome) : state;
    case 'tool_waiting':
      return isNow(state, outcome) ? wait(state, outcome.callId) : state;
    case 'handed_off':
      return isNow(state, outcome) ? handedOff(state, outcome) : state;
    case 'handoff_refused':
      return isNow(state, outcome) ? refused(state, outcome) : state;
    case 'finished':
      return finished(state, outcome);
    case 'continued':
      return continued(state, outcome);
    case 'saved':
      return saved(state, outcome);
    case 'failed':
      return failed(withUsage(state, outcome.usage), outcome);
    case 'aborted':
      return withUsage(state, outcome.usage);
    case 'halted':
      return halted(state, outcome);
    case 'resumed':
      return resumed(state, outcome);
    case 'decided':
      return decide(state, outcome);
  }
}

/** False for the late outcome of an effect of an earlier turn. */
function isNow({ turn }: LoopState, outcome: Outcome): boolean {
  return outcome.turn === turn;
}

function withUsage(state: LoopState, usage: Usage | null): LoopState {
  return usage === null ? state : { ...state, usage: addUsage(state.usage, usage) };
}

function started(state: LoopState, { log, view, checks, saved, server }: OutcomeOf<'started'>): LoopState {
  if (state.step.type !== 'start') return state;
  const saves = saved === null ? null : { done: saved, due: saved };
  return nextTurn({ ...state, log, view, checks, saves, server });
}

function prepared(state: LoopState, outcome: OutcomeOf<'prepared'>): LoopState {
  if (state.step.type !== 'prepare' || !isNow(state, outcome)) return state;
  return { ...state, plan: outcome.plan, entering: false, step: { type: 'model' } };
}

function responded(state: LoopState, outcome: OutcomeOf<'responded'>): LoopState {
  const wanted = state.step.type === 'model' && isNow(state, outcome);
  return wanted ? respond(state, outcome) : withUsage(state, outcome.usage);
}

function checked(state: LoopState, { verdict, tripped }: OutcomeOf<'checked'>): LoopState {
  const known = state.verdicts.input.filter(({ index }) => index !== verdict.index);
  const input = [...known, verdict].sort((a, b) => a.index - b.index);
  const next = { ...state, verdicts: { ...state.verdicts, input } };
  if (tripped === null) return { ...next, checks: state.checks.filter(({ index }) => index !== verdict.index) };
  // The check stays open: nothing is stored while one is, and a resumed run has to pass it.
  return fail(next, tripped);
}

function handedOff(state: LoopState, { output, view }: OutcomeOf<'handed_off'>): LoopState {
  const { step } = state;
  if (step.type !== 'hand_off' || step.call.route.type !== 'handoff') return state;
  const { to } = step.call.route;
  const fact: Fact = { type: 'handoff_output_item', agent: state.agent, to, toolName: step.call.name };
  const told = extended(state, [output], [fact]);
  return nextTurn({ ...state, log: told.log, view: view ?? told.view, agent: to, entering: true });
}

function refused(state: LoopState, { output }: OutcomeOf<'handoff_refused'>): LoopState {
  const { step } = state;
  if (step.type !== 'hand_off') return state;
  const fact: Fact = {
    type: 'tool_call_output_item',
    agent: state.agent,
    toolName: step.call.name,
    value: null,
    isError: true,
  };
  return nextTurn({ ...state, ...extended(state, [output], [fact]) });
}

function finished(state: LoopState, { output, items, verdicts }: OutcomeOf<'finished'>): LoopState {
  if (state.end?.type !== 'ending' && state.step.type !== 'finish') return state;
  const facts = items.map(() => messageFact(state.agent));
  return {
    ...state,
    ...extended(state, items, facts),
    verdicts: { ...state.verdicts, output: verdicts },
    end: { type: 'done', output },
  };
}

function continued(state: LoopState, { items, reask }: OutcomeOf<'continued'>): LoopState {
  if (state.step.type !== 'finish') return state;
  const facts = items.map((): Fact => ({ type: 'input', agent: state.agent }));
  return nextTurn({ ...state, ...extended(state, items, facts), reasks: state.reasks + (reask ? 1 : 0) });
}

function saved(state: LoopState, { to }: OutcomeOf<'saved'>): LoopState {
  if (state.saves === null) return state;
  const { done, due } = state.saves;
  return { ...state, saves: { done: Math.max(done, to), due } };
}

/** A failed write ends the run as well, but one that is over is not undone by it. */
function failed(state: LoopState, outcome: OutcomeOf<'failed'>): LoopState {
  const { failure, tripped } = outcome;
  if (outcome.id.startsWith('save/'))
    return fail({ ...state, saves: state.saves && { ...state.saves, failure } }, failure);
  if (!isNow(state, outcome)) return state;
  return fail(tripped ? { ...state, verdicts: { ...state.verdicts, output: tripped.verdicts } } : state, failure);
}

/** The step stays as it is: resumed, the run takes it up again. Of failures that come together the same one stands in any order. */
function fail(state: LoopState, failure: Failure): LoopState {
  const { end } = state;
  const stands = end?.type === 'done' || (end?.type === 'failed' && end.failure.effectId <= failure.effectId);
  return stands ? state : closeOpenCalls({ ...state, end: { type: 'failed', failure } });
}

/** A call that settles when the run has failed is kept like those before it. */
function keepLate(state: LoopState): LoopState {
  return state.end?.type === 'failed' ? closeOpenCalls(state) : state;
}

/** To stop at once beats to stop after the turn, and an error handler that is still asked. */
function halted(state: LoopState, { when }: OutcomeOf<'halted'>): LoopState {
  const { end } = state;
  const open = end === null || (when === 'now' && end.type !== 'done' && end.type !== 'failed');
  return open ? { ...state, end: { type: 'halted', when } } : state;
}

function resumed(state: LoopState, { options, standing }: OutcomeOf<'resumed'>): LoopState {
  const saves = state.saves && { done: state.saves.done, due: state.saves.due };
  const next = { ...spread(state, standing), options, saves };
  if (state.end === null || state.end.type === 'done') return next;
  const again = flush({ ...next, end: null });
  return state.step.type === 'prepare' ? pastLastTurn(again) : again;
}

function pastLastTurn(state: LoopState): LoopState {
  const { maxTurns } = state.options;
  return maxTurns !== null && state.turn > maxTurns ? ending(state, { type: 'max_turns' }) : state;
}

function ending(state: LoopState, cause: EndCause): LoopState {
  return { ...closeOpenCalls(state), end: { type: 'ending', cause } };
}

/**
 * What may be stored by now: the input once its guardrails have passed and the first model call starts, each turn once it is over, and
 * what there is when the run ends. A write that has not ended is not widened: tried again, it has to be the same.
 */
function due(state: LoopState): LoopState {
  const { saves, log, checks, plan, end, turnStart } = state;
  if (saves === null || saves.done < saves.due || checks.length > 0 || plan === null) return state;
  const over = end !== null && end.type !== 'ending' && !(end.type === 'halted' && end.when === 'after_turn');
  const length = over && !isBlocked(state) ? log.items.length : turnStart.log;
  return length > saves.due ? { ...state, saves: { ...saves, due: length } } : state;
}

/** True for an answer that an output guardrail has stopped. The outputs of tools that made a final output are stored all the same. */
function isBlocked({ step, verdicts }: LoopState): boolean {
  const answered = step.type === 'finish' && step.candidate.type === 'answer';
  return answered && verdicts.output.some(({ output }) => output.tripwireTriggered);
}

/** Ends a run that would go on although one of its counters has reached its limit. A final answer may still be given. */
function limited(state: LoopState): LoopState {
  const { end, options, step } = state;
  // When several limits are passed at once the same one is named in any order.
  const open = end === null || (end.type === 'ending' && end.cause.type === 'limit');
  if (options.limits === null || !open || step.type === 'finish') return state;
  const limit = limitReached(state);
  return limit === undefined ? state : ending(state, { type: 'limit', limit });
}

function limitReached(state: LoopState): LimitName | undefined {
  const { limits } = state.options;
  const { usage, toolCalls, elapsedMs } = state;
  if (limits === null) return undefined;
  const reached = (limit: number | undefined, counter: number) => limit !== undefined && counter >= limit;
  if (reached(limits.toolCalls, toolCalls) && wantsTool(state)) return 'toolCalls';
  if (reached(limits.inputTokens, usage.inputTokens)) return 'inputTokens';
  if (reached(limits.outputTokens, usage.outputTokens)) return 'outputTokens';
  if (reached(limits.totalTokens, usage.totalTokens)) return 'totalTokens';
  return reached(limits.wallMs, elapsedMs) ? 'wallMs' : undefined;
}

/** True when a call is yet to begin, here or in a run inside. */
function wantsTool({ step, end }: LoopState): boolean {
  const wants = (slot: SlotState) =>
    slot.type === 'ready' || slot.type === 'decided' || (slot.type === 'nested' && wantsTool(slot.state));
  return end === null && step.type === 'tools' && step.slots.some(wants);
}

function usageIn(outcome: Outcome): Usage | null {
  return outcome.type === 'responded' || outcome.type === 'failed' || outcome.type === 'aborted' ? outcome.usage : null;
}

function messageFact(agent: string): Fact {
  return { type: 'message_output_item', agent };
}
