import { shortHash } from '../protocol/hash.ts';
import type { Item } from '../protocol/items.ts';
import { stringify } from '../protocol/json.ts';
import type { Fact } from './log.ts';
import type { OutcomeOf, ToolVerdicts } from './outcome.ts';
import {
  isInterrupted,
  type Decision,
  type LocalCall,
  type LoopState,
  type Slot,
  type SlotState,
  type StandingDecision,
  type ToolsStep,
} from './state.ts';
import { extended, nextTurn } from './turn.ts';

/** The calls of a response before any has begun: one slot each, in call order. */
export function toolsStep(slots: readonly Slot[]): ToolsStep {
  return { type: 'tools', slots, open: slots.filter(isOpen).length, next: 0 };
}

/** A call came to its output. */
export function settle(state: LoopState, outcome: OutcomeOf<'tool_settled'>): LoopState {
  const found = slotOf(state, outcome.callId);
  if (found === undefined || !isOpen(found.slot)) return state;
  const { output, value, isError, ran } = outcome;
  const step = withSlot(found, { type: 'done', logged: false, output, value, isError, ran });
  const counted = found.slot.type === 'ended' ? undefined : counting(state, found.slot.call);
  return flush(withVerdicts({ ...state, ...counted, step }, outcome.verdicts));
}

/** A call of an agent used as a tool became a run of its own. */
export function nest(state: LoopState, { callId, state: inner, verdicts }: OutcomeOf<'tool_nested'>): LoopState {
  const found = slotOf(state, callId);
  if (found === undefined || !isOpen(found.slot)) return state;
  const step = withSlot(found, {
    type: 'nested',
    state: { ...inner, standing: state.standing },
    decision: found.slot.type === 'decided' ? found.slot.decision : null,
  });
  return flush(withVerdicts({ ...state, ...counting(state, found.slot.call), step }, verdicts));
}

/** A call waits for a person, unless one has already answered for all calls of its kind. */
export function wait(state: LoopState, callId: string): LoopState {
  const found = slotOf(state, callId);
  if (found?.slot.type !== 'ready') return state;
  const { call } = found.slot;
  const step = withSlot(found, standingAnswer(state, call) ?? { type: 'waiting', seal: sealOf(call, null) });
  return flush({ ...state, step });
}

/** A person has answered for a call that waits. */
export function decide(state: LoopState, { callId, decision, always }: OutcomeOf<'decided'>): LoopState {
  const found = slotOf(state, callId);
  if (found === undefined || (found.slot.type !== 'waiting' && found.slot.type !== 'decided')) return state;
  const { call } = found.slot;
  const decided = { ...state, step: withSlot(found, answered(call, decision)) };
  if (!always) return decided;
  const { agent } = state;
  const toolName = call.name;
  // Edited arguments belong to one call.
  const standing = {
    agent,
    toolName,
    decision: decision.type === 'approved' ? ({ type: 'approved' } as const) : decision,
  };
  return { ...decided, standing: merged(state.standing, [standing]) };
}

/** Lets standing answers hold in every run inside this one too, for calls that wait already as well. */
export function spread(state: LoopState, more: readonly StandingDecision[]): LoopState {
  const { step } = state;
  const standing = merged(state.standing, more);
  const next = { ...state, standing };
  if (step.type !== 'tools') return next;
  return step.slots.reduce((made, { call, ...slot }) => {
    const answer = slot.type === 'waiting' ? standingAnswer(made, call) : undefined;
    const told = slot.type === 'nested' ? { ...slot, state: spread(slot.state, standing) } : answer;
    const found = told && slotOf(made, call.callId);
    return found ? { ...made, step: withSlot(found, told) } : made;
  }, next);
}

function merged(known: readonly StandingDecision[], more: readonly StandingDecision[]): readonly StandingDecision[] {
  const kept = known.filter((old) => !more.some((each) => each.agent === old.agent && each.toolName === old.toolName));
  return [...kept, ...more];
}

function standingAnswer({ standing, agent }: LoopState, call: LocalCall): SlotState | undefined {
  const found = standing.find((each) => each.agent === agent && each.toolName === call.name);
  return found && answered(call, found.decision);
}

function answered(call: LocalCall, decision: Decision): SlotState {
  return { type: 'decided', decision, seal: sealOf(call, decision) };
}

/**
 * Ties a question to its call, and an answer to both, so that a stored state in which one was changed is refused. Whoever can write to
 * the store could make the seal anew, whatever the hash: it finds what was changed on the way, and a short hash does that.
 */
export function sealOf(call: LocalCall, decision: Decision | null): string {
  return shortHash(stringify([call, decision]) ?? '');
}

/** A slot and where it is. */
export type Found = { readonly step: ToolsStep; readonly slot: Slot; readonly index: number };

/** The slot of a call, where the state is at its tools. */
export function slotOf({ step }: LoopState, callId: string): Found | undefined {
  if (step.type !== 'tools') return undefined;
  const { slots, next } = step;
  // Calls settle roughly in order: look from the first that is not in the log.
  for (let count = 0; count < slots.length; count++) {
    const index = (next + count) % slots.length;
    const slot = slots[index];
    if (slot?.call.callId === callId) return { step, slot, index };
  }
  return undefined;
}

/** The step with another state of the slot that was found. */
export function withSlot({ step, slot: old, index }: Found, slotState: SlotState): ToolsStep {
  const slot: Slot = { call: old.call, ...slotState };
  const open = step.open + (isOpen(slot) ? 1 : 0) - (isOpen(old) ? 1 : 0);
  // A decided call is behind `next` once it settles: start looking from there again.
  const next = isPending(old) ? Math.min(step.next, index) : step.next;
  return { type: 'tools', slots: step.slots.with(index, slot), open, next };
}

/**
 * Puts into the log what may go there: each output once every earlier call has settled or waits for a person. When all have
 * settled, the turn goes on.
 */
export function flush(state: LoopState): LoopState {
  const { step, end } = state;
  if (step.type !== 'tools' || end?.type === 'ending' || end?.type === 'done') return state;
  let { next } = step;
  for (let slot = step.slots[next]; slot && !isOpen(slot); slot = step.slots[next]) next += 1;
  const logged = next === step.next ? state : logOutputs(state, { ...step, next }, [step.next, next]);
  return step.open > 0 || step.slots.some(isPending) ? logged : close(logged);
}

/** What has settled goes into the log although earlier calls have not: the run ends here. */
export function closeOpenCalls(state: LoopState): LoopState {
  const { step } = state;
  return step.type === 'tools' ? logOutputs(state, step, [0, step.slots.length]) : state;
}

function logOutputs(state: LoopState, step: ToolsStep, [from, to]: readonly [number, number]): LoopState {
  const items: Item[] = [];
  const facts: Fact[] = [];
  const slots = [...step.slots];
  for (let index = from; index < to; index++) {
    const slot = slots[index];
    if (slot?.type !== 'done' || slot.logged) continue;
    items.push(slot.output);
    facts.push(outputFact(slot, state.agent));
    slots[index] = { ...slot, logged: true };
  }
  return { ...state, step: { ...step, slots }, ...extended(state, items, facts) };
}

function outputFact(slot: Extract<Slot, { type: 'done' }>, agent: string): Fact {
  if (slot.call.route.type === 'approval') return { type: 'mcp_approval_response_item', agent };
  return { type: 'tool_call_output_item', agent, toolName: slot.call.name, value: slot.value, isError: slot.isError };
}

/** All calls have settled: the handoff follows, or the tools may have made the final output, or the model is asked again. */
function close(state: LoopState): LoopState {
  const { step, plan } = state;
  if (step.type !== 'tools') return state;
  const handoff = step.slots.find(({ type }) => type === 'handoff');
  if (handoff) return { ...state, step: { type: 'hand_off', call: handoff.call } };
  const results = step.slots.filter((slot) => slot.type === 'done').filter(({ ran }) => ran);
  if (plan?.mayStopAfterTools !== true || results.length === 0) return nextTurn(state);
  const told = results.map(({ call, value }) => ({ toolName: call.name, callId: call.callId, output: value }));
  return { ...state, step: { type: 'finish', candidate: { type: 'tools', results: told } } };
}

/** True for calls that go on without a person. */
function isOpen(slot: Slot): boolean {
  switch (slot.type) {
    case 'ready':
    case 'decided':
    case 'ended':
      return true;
    case 'nested':
      return !isInterrupted(slot.state);
    default:
      return false;
  }
}

/** True for calls that wait for a person, themselves or inside. */
export function isPending(slot: Slot): boolean {
  return slot.type === 'waiting' || (slot.type === 'nested' && isInterrupted(slot.state));
}

/** Counts a call that has begun, and lifts a forced tool choice of its agent once a tool has run. */
function counting(state: LoopState, call: LocalCall): Pick<LoopState, 'toolCalls' | 'toolUsers'> | undefined {
  const ran = call.route.type === 'tool' || call.route.type === 'agent';
  if (!ran) return undefined;
  const toolUsers = state.toolUsers.includes(state.agent) ? state.toolUsers : [...state.toolUsers, state.agent];
  return { toolCalls: state.toolCalls + 1, toolUsers };
}

function withVerdicts(state: LoopState, verdicts: ToolVerdicts | null): LoopState {
  if (verdicts === null) return state;
  const place = (result: { callId: string } | undefined) => (result && slotOf(state, result.callId)?.index) ?? -1;
  // In call order, whichever settled first; those of earlier turns stay before them.
  const merge = <T extends { callId: string }>(known: readonly T[], more: readonly T[]) => {
    let at = known.length;
    while (more.length > 0 && place(known[at - 1]) > place(more[0])) at -= 1;
    return more.length === 0 ? known : known.toSpliced(at, 0, ...more);
  };
  const toolInput = merge(state.verdicts.toolInput, verdicts.input);
  const toolOutput = merge(state.verdicts.toolOutput, verdicts.output);
  return { ...state, verdicts: { ...state.verdicts, toolInput, toolOutput } };
}
