import { shortHash } from '../protocol/hash.ts';
import { stringify } from '../protocol/json.ts';
import type { Fact } from './log.ts';
import type { OutcomeOf, ToolVerdicts } from './outcome.ts';
import {
  draftOf,
  isInterrupted,
  type Decision,
  type Draft,
  type DraftTools,
  type LocalCall,
  type Slot,
  type SlotState,
  type StandingDecision,
} from './state.ts';
import { extend, nextTurn } from './turn.ts';

/** The calls of a response before any has begun: one slot each, in call order. */
export function toolsStep(slots: Slot[]): DraftTools {
  return { type: 'tools', slots, open: slots.filter(isOpen).length, next: 0 };
}

/** A call came to its output. */
export function settle(state: Draft, outcome: OutcomeOf<'tool_settled'>): void {
  const found = slotOf(state, outcome.callId);
  if (found === undefined || !isOpen(found.slot)) return;
  const { output, value, isError, ran } = outcome;
  if (found.slot.type !== 'ended') count(state, found.slot.call);
  put(found, { type: 'done', logged: false, output, value, isError, ran });
  addVerdicts(state, outcome.verdicts);
  flush(state);
}

/** A call of an agent used as a tool became a run of its own. */
export function nest(state: Draft, { callId, state: inner, verdicts }: OutcomeOf<'tool_nested'>): void {
  const found = slotOf(state, callId);
  if (found === undefined || !isOpen(found.slot)) return;
  const { slot } = found;
  count(state, slot.call);
  const decision = slot.type === 'decided' ? slot.decision : null;
  put(found, { type: 'nested', state: { ...inner, standing: state.standing }, decision });
  addVerdicts(state, verdicts);
  flush(state);
}

/** A call waits for a person, unless one has already answered for all calls of its kind. */
export function wait(state: Draft, callId: string): void {
  const found = slotOf(state, callId);
  if (found?.slot.type !== 'ready') return;
  const { call } = found.slot;
  put(found, standingAnswer(state, call) ?? { type: 'waiting', seal: sealOf(call, null) });
  flush(state);
}

/** A person has answered for a call that waits. */
export function decide(state: Draft, { callId, decision, always }: OutcomeOf<'decided'>): void {
  const found = slotOf(state, callId);
  if (found === undefined || !('seal' in found.slot)) return;
  const { call } = found.slot;
  put(found, answered(call, decision));
  if (!always) return;
  // Edited arguments belong to one call.
  const standing: Decision = decision.type === 'approved' ? { type: 'approved' } : decision;
  state.standing = merged(state.standing, [{ agent: state.agent, toolName: call.name, decision: standing }]);
}

/** Lets standing answers hold in every run inside this one too, for calls that wait already as well. */
export function spread(state: Draft, more: readonly StandingDecision[]): void {
  const { step } = state;
  state.standing = merged(state.standing, more);
  if (step.type !== 'tools') return;
  for (const [index, slot] of step.slots.entries()) {
    const answer = slot.type === 'waiting' && standingAnswer(state, slot.call);
    if (answer) put({ step, slot, index }, answer);
    if (slot.type !== 'nested') continue;
    const inner = draftOf(slot.state);
    spread(inner, state.standing);
    put({ step, slot, index }, { ...slot, state: inner });
  }
}

function merged(known: readonly StandingDecision[], more: readonly StandingDecision[]): readonly StandingDecision[] {
  const kept = known.filter((old) => !more.some((each) => each.agent === old.agent && each.toolName === old.toolName));
  return [...kept, ...more];
}

function standingAnswer({ standing, agent }: Draft, call: LocalCall): SlotState | undefined {
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
type Found = { readonly step: DraftTools; readonly slot: Slot; readonly index: number };

/** The slot of a call, where the state is at its tools. */
export function slotOf({ step }: Draft, callId: string): Found | undefined {
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

/** Puts another state of a slot in the place of the one that was found. */
export function put({ step, slot: old, index }: Found, slotState: SlotState): void {
  const slot: Slot = { ...slotState, call: old.call };
  step.slots[index] = slot;
  step.open += Number(isOpen(slot)) - Number(isOpen(old));
  // A decided call is behind `next` once it settles: start looking from there again.
  if (isPending(old)) step.next = Math.min(step.next, index);
}

/**
 * Puts into the log what may go there: each output once every earlier call has settled or waits for a person. When all have
 * settled, the turn goes on.
 */
export function flush(state: Draft): void {
  const { step, end } = state;
  if (step.type !== 'tools' || end?.type === 'done') return;
  const from = step.next;
  for (let slot = step.slots[from]; slot && !isOpen(slot); slot = step.slots[step.next]) step.next += 1;
  logOutputs(state, step, [from, step.next]);
  if (step.open === 0 && !step.slots.some(isPending)) close(state, step);
}

/** What has settled goes into the log although earlier calls have not: the run ends here, and nothing is under way. */
export function closeOpenCalls(state: Draft): void {
  const { step } = state;
  if (step.type === 'tools') logOutputs(state, step, [0, step.slots.length]);
}

function logOutputs(state: Draft, { slots }: DraftTools, [from, to]: readonly [number, number]): void {
  for (let index = from; index < to; index++) {
    const slot = slots[index];
    if (slot?.type !== 'done' || slot.logged) continue;
    extend(state, [slot.output], [outputFact(slot, state.agent)]);
    slots[index] = { ...slot, logged: true };
  }
}

function outputFact({ call, value, isError }: Extract<Slot, { type: 'done' }>, agent: string): Fact {
  if (call.route.type === 'approval') return { type: 'mcp_approval_response_item', agent };
  return { type: 'tool_call_output_item', agent, toolName: call.name, value, isError };
}

/** All calls have settled: the handoff follows, or the tools may have made the final output, or the model is asked again. */
function close(state: Draft, { slots }: DraftTools): void {
  const handoff = slots.find(({ type }) => type === 'handoff');
  if (handoff) {
    state.step = { type: 'hand_off', call: handoff.call };
    return;
  }
  const results = state.plan?.mayStopAfterTools ? slots.flatMap(resultOf) : [];
  if (results.length === 0) nextTurn(state);
  else state.step = { type: 'finish', candidate: { type: 'tools', results } };
}

function resultOf(slot: Slot): { toolName: string; callId: string; output: unknown }[] {
  const { name: toolName, callId } = slot.call;
  return slot.type === 'done' && slot.ran ? [{ toolName, callId, output: slot.value }] : [];
}

/** True for calls that go on without a person. */
function isOpen(slot: Slot): boolean {
  const { type } = slot;
  return type === 'nested' ? !isInterrupted(slot.state) : type === 'ready' || type === 'decided' || type === 'ended';
}

/** True for calls that wait for a person, themselves or inside. */
export function isPending(slot: Slot): boolean {
  return slot.type === 'waiting' || (slot.type === 'nested' && isInterrupted(slot.state));
}

/** Counts a call that has begun, and lifts a forced tool choice of its agent once a tool has run. */
function count(state: Draft, { route }: LocalCall): void {
  if (route.type !== 'tool' && route.type !== 'agent') return;
  state.toolCalls += 1;
  if (!state.toolUsers.includes(state.agent)) state.toolUsers = [...state.toolUsers, state.agent];
}

function addVerdicts(state: Draft, verdicts: ToolVerdicts | null): void {
  if (verdicts === null) return;
  const place = (result: { callId: string } | undefined) => (result && slotOf(state, result.callId)?.index) ?? -1;
  // In call order, whichever settled first; those of earlier turns stay before them.
  const merge = <T extends { callId: string }>(known: readonly T[], more: readonly T[]) => {
    let at = known.length;
    while (more.length > 0 && place(known[at - 1]) > place(more[0])) at -= 1;
    return more.length === 0 ? known : known.toSpliced(at, 0, ...more);
  };
  const toolInput = merge(state.verdicts.toolInput, verdicts.input);
  const toolOutput = merge(state.verdicts.toolOutput, verdicts.output);
  state.verdicts = { ...state.verdicts, toolInput, toolOutput };
}
