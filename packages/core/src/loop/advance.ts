import { addUsage, type Usage } from '../protocol/usage.ts';
import type { Fact } from './log.ts';
import type { Outcome, OutcomeOf } from './outcome.ts';
import { respond } from './respond.ts';
import { isInterrupted, type EndCause, type LimitName, type LoopState, type SlotState } from './state.ts';
import { closeOpenCalls, decide, flush, nest, settle, slotOf, wait, withSlot } from './tools.ts';
import { extend, nextTurn } from './turn.ts';

/**
 * Folds one outcome in and gives the next state; the one given stays as it is. An outcome that no longer fits, such as the late
 * one of an aborted effect, only counts with what it cost.
 */
export function advance(state: LoopState, outcome: Outcome): LoopState {
  return limited(due(at(state, outcome, 0)));
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
  if (found?.slot.type !== 'nested') return shared;
  const before = found.slot.state;
  const inner = limited(due(at(before, outcome, depth + 1)));
  const counted = { ...shared, toolCalls: shared.toolCalls + inner.toolCalls - before.toolCalls };
  const ended = inner.end?.type === 'done' || inner.end?.type === 'failed';
  // An inner run without a session has nothing left to do once it has ended.
  const slot: SlotState = { type: ended ? 'ended' : 'nested', state: inner };
  return flush(withSlot(counted, found.index, slot));
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
      return state.saves === null ? state : { ...state, saves: { ...state.saves, done: outcome.to } };
    case 'failed':
      return failed(withUsage(state, outcome.usage), outcome);
    case 'aborted':
      return withUsage(state, outcome.usage);
    case 'halted':
      return state.end === null ? { ...state, end: { type: 'halted', when: outcome.when } } : state;
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
  const counted = withUsage(state, outcome.usage);
  return state.step.type === 'model' && isNow(state, outcome) ? respond(counted, outcome.responses) : counted;
}

function checked(state: LoopState, { verdict, tripped }: OutcomeOf<'checked'>): LoopState {
  const known = state.verdicts.input.filter(({ index }) => index !== verdict.index);
  const input = [...known, verdict].sort((a, b) => a.index - b.index);
  const next = { ...state, verdicts: { ...state.verdicts, input } };
  if (tripped === null) return { ...next, checks: state.checks.filter(({ index }) => index !== verdict.index) };
  // Nothing of a tripped run is stored.
  return { ...next, checks: [], saves: null, end: { type: 'failed', failure: tripped } };
}

function handedOff(state: LoopState, { output, view }: OutcomeOf<'handed_off'>): LoopState {
  const { step } = state;
  if (step.type !== 'hand_off' || step.call.route.type !== 'handoff') return state;
  const { to } = step.call.route;
  const fact: Fact = { type: 'handoff_output_item', agent: state.agent, to, toolName: step.call.name };
  const extended = extend(state, [output], [fact]);
  return nextTurn({ ...extended, view: view ?? extended.view, agent: to, entering: true });
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
  return nextTurn(extend(state, [output], [fact]));
}

function finished(state: LoopState, { output, items, verdicts }: OutcomeOf<'finished'>): LoopState {
  if (state.end?.type !== 'ending' && state.step.type !== 'finish') return state;
  const extended = extend(
    closeOpenCalls(state),
    items,
    items.map(() => messageFact(state.agent)),
  );
  return {
    ...extended,
    verdicts: { ...state.verdicts, output: verdicts },
    end: { type: 'done', output },
    saves: state.saves && { ...state.saves, due: extended.log.items.length },
  };
}

function continued(state: LoopState, { items, reask }: OutcomeOf<'continued'>): LoopState {
  if (state.step.type !== 'finish') return state;
  const facts = items.map((): Fact => ({ type: 'input', agent: state.agent }));
  return nextTurn({ ...extend(state, items, facts), reasks: state.reasks + (reask ? 1 : 0) });
}

/** The step stays as it is: resumed, the run takes it up again. What finished is kept and may be stored. */
function failed(state: LoopState, { failure, tripped }: OutcomeOf<'failed'>): LoopState {
  if (state.end !== null && state.end.type !== 'ending' && state.end.type !== 'halted') return state;
  const end = { type: 'failed', failure } as const;
  if (tripped === null) return keepLate({ ...state, end });
  const kept = closeOpenCalls(state);
  // A blocked answer is not stored; the outputs of tools that made it are.
  const blocked = state.step.type === 'finish' && state.step.candidate.type === 'answer';
  const saves = kept.saves && {
    ...kept.saves,
    due: blocked ? Math.max(kept.saves.due, state.turnStart.log) : storable(kept),
  };
  return { ...kept, end, saves, verdicts: { ...state.verdicts, output: tripped.verdicts } };
}

/** A call that settles when the run has failed is kept like those before it. */
function keepLate(state: LoopState): LoopState {
  if (state.end?.type !== 'failed') return state;
  const kept = closeOpenCalls(state);
  return { ...kept, saves: kept.saves && { ...kept.saves, due: storable(kept) } };
}

/** Before the input guardrails have passed and a model call has started, nothing is stored. */
function storable(state: LoopState): number {
  const begun = state.checks.length === 0 && state.plan !== null;
  return begun ? state.log.items.length : (state.saves?.due ?? 0);
}

function resumed(state: LoopState, { options }: OutcomeOf<'resumed'>): LoopState {
  const next = { ...state, options };
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

/** The input may be stored once the input guardrails have passed and the first model call starts. */
function due(state: LoopState): LoopState {
  const { saves, log, checks, plan } = state;
  if (saves === null || saves.due >= log.inputLength || checks.length > 0 || plan === null) return state;
  return { ...state, saves: { ...saves, due: log.inputLength } };
}

/** Ends a run that would go on although one of its counters has reached its limit. A final answer may still be given. */
function limited(state: LoopState): LoopState {
  if (state.options.limits === null || state.end !== null || state.step.type === 'finish' || isInterrupted(state))
    return state;
  const limit = limitReached(state);
  return limit === undefined ? state : ending(state, { type: 'limit', limit });
}

function limitReached({ options: { limits }, usage, toolCalls, elapsedMs, step }: LoopState): LimitName | undefined {
  if (limits === null) return undefined;
  const reached = (limit: number | undefined, counter: number) => limit !== undefined && counter >= limit;
  const wantsTool = step.type === 'tools' && step.slots.some(({ type }) => type === 'ready' || type === 'decided');
  if (wantsTool && reached(limits.toolCalls, toolCalls)) return 'toolCalls';
  if (reached(limits.inputTokens, usage.inputTokens)) return 'inputTokens';
  if (reached(limits.outputTokens, usage.outputTokens)) return 'outputTokens';
  if (reached(limits.totalTokens, usage.totalTokens)) return 'totalTokens';
  return reached(limits.wallMs, elapsedMs) ? 'wallMs' : undefined;
}

function usageIn(outcome: Outcome): Usage | null {
  return outcome.type === 'responded' || outcome.type === 'failed' || outcome.type === 'aborted' ? outcome.usage : null;
}

function messageFact(agent: string): Fact {
  return { type: 'message_output_item', agent };
}
