import { isPending } from './tools.ts';
import type { Candidate, Decision, EndCause, LocalCall, LoopState, Slot, ToolsStep, TurnPlan } from './state.ts';

/**
 * Work that the loop asks the world to do, in the state that asks for it. `id` is the same in every replay; `path` names the calls of
 * the agents as tools around the state, outermost first.
 */
export type Effect = {
  readonly id: string;
  readonly path: readonly string[];
  readonly turn: number;
  readonly agent: string;
  readonly state: LoopState;
} & (
  | { readonly type: 'start' }
  | { readonly type: 'prepare_turn' }
  | { readonly type: 'hand_off' }
  | { readonly type: 'check_input'; readonly index: number }
  | { readonly type: 'call_model'; readonly plan: TurnPlan }
  | {
      readonly type: 'run_tool';
      readonly call: LocalCall;
      readonly decision: Decision | null;
      /** The inner run of an agent used as a tool, once it has ended. */
      readonly ended: LoopState | null;
    }
  | { readonly type: 'finish'; readonly candidate: Candidate | EndCause }
  | { readonly type: 'save'; readonly from: number; readonly to: number }
);
export type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

const none: readonly Effect[] = [];
const outermost: readonly string[] = [];

/** Everything that may be going on now. Empty: the run is done, has failed, was halted, or waits for a person. */
export function effectsFor(state: LoopState): readonly Effect[] {
  return effectsAt(state, { path: outermost, prefix: '', budgets: toolBudget(state) });
}

/** How many more tools one run may start; what is listed counts down. */
type Budget = { left: number };
/** Where a state stands in the whole run, and the budgets of all runs around it. */
type Around = { readonly path: readonly string[]; readonly prefix: string; readonly budgets: readonly Budget[] };

function toolBudget({ options: { limits }, toolCalls }: LoopState): readonly Budget[] {
  return limits?.toolCalls === undefined ? [] : [{ left: limits.toolCalls - toolCalls }];
}

function effectsAt(state: LoopState, around: Around): readonly Effect[] {
  const { end, step, saves } = state;
  // A run that is to stop after its turn goes on until the next one would begin.
  const finishing = end?.type === 'halted' && end.when === 'after_turn' && step.type !== 'prepare';
  const work = end === null || end.type === 'ending' || finishing ? workEffects(state, around) : none;
  if (saves === null || saves.failure || saves.done >= saves.due) return work;
  const { done: from, due: to } = saves;
  return [{ ...place(state, around, `save/${from}`), type: 'save', from, to }, ...work];
}

function workEffects(state: LoopState, around: Around): readonly Effect[] {
  const { end, checks, step, turn } = state;
  if (end?.type === 'ending') return [{ ...place(state, around, `${turn}/end`), type: 'finish', candidate: end.cause }];
  if (checks.length === 0) return stepEffects(state, around);
  const asked = checks.map(({ index }): Effect => {
    return { ...place(state, around, `check/${index}`), type: 'check_input', index };
  });
  // Before the verdict: nothing where a guardrail of gate `model` looks, else everything up to the model call.
  const before = step.type === 'prepare' || step.type === 'model';
  const held = !before || checks.some(({ gate }) => gate === 'model');
  return held ? asked : [...asked, ...stepEffects(state, around)];
}

function stepEffects(state: LoopState, around: Around): readonly Effect[] {
  const { step, plan, turn, agent } = state;
  const { path, prefix } = around;
  switch (step.type) {
    case 'start':
      return [{ ...place(state, around, 'start'), type: 'start' }];
    case 'prepare':
      return [{ type: 'prepare_turn', id: `${prefix}${turn}/prepare`, path, turn, agent, state }];
    case 'model':
      return plan ? [{ type: 'call_model', id: `${prefix}${turn}/model`, path, turn, agent, state, plan }] : none;
    case 'tools':
      return toolEffects(state, step, around);
    case 'hand_off':
      return [{ ...place(state, around, `${turn}/handoff`), type: 'hand_off' }];
    case 'finish':
      return [{ ...place(state, around, `${turn}/finish`), type: 'finish', candidate: step.candidate }];
  }
}

function toolEffects(state: LoopState, { slots }: ToolsStep, around: Around): readonly Effect[] {
  const effects: Effect[] = [];
  let left = state.options.maxConcurrency ?? slots.length;
  for (const slot of slots) {
    if (left <= 0) break;
    const wanted = slotEffects(state, slot, around);
    if (wanted === undefined) continue;
    effects.push(...wanted);
    left -= 1;
  }
  return effects;
}

/** What one call wants; `undefined` when it takes no place among the concurrent ones. */
function slotEffects(state: LoopState, slot: Slot, around: Around): readonly Effect[] | undefined {
  const { call } = slot;
  const { turn, agent } = state;
  const { budgets, path, prefix } = around;
  const id = `${prefix}${turn}/${pathSegment(call.callId)}`;
  const run: Effect = { type: 'run_tool', id, path, turn, agent, state, call, decision: null, ended: null };
  switch (slot.type) {
    case 'ready':
      return budgeted(budgets, run);
    case 'decided':
      return budgeted(budgets, { ...run, id: `${id}/decided`, decision: slot.decision });
    case 'nested':
      if (isPending(slot)) return undefined;
      return effectsAt(slot.state, {
        path: [...path, call.callId],
        prefix: `${id}/`,
        budgets: [...budgets, ...toolBudget(slot.state)],
      });
    case 'ended':
      return [{ ...run, id: `${id}/ended`, decision: slot.decision, ended: slot.state }];
    default:
      return undefined;
  }
}

function budgeted(budgets: readonly Budget[], effect: Effect): readonly Effect[] | undefined {
  if (budgets.some(({ left }) => left <= 0)) return undefined;
  for (const budget of budgets) budget.left -= 1;
  return [effect];
}

function place(state: LoopState, { path, prefix }: Around, name: string) {
  return { id: prefix + name, path, turn: state.turn, agent: state.agent, state };
}

/** A call id as one segment of an effect id. */
function pathSegment(callId: string): string {
  return callId.includes('/') || callId.includes('%') ? encodeURIComponent(callId) : callId;
}
