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
const noBudget: readonly Budget[] = [];

/** Everything that may be going on now. Empty: the run is done, has failed, was halted, or waits for a person. */
export function effectsFor(state: LoopState): readonly Effect[] {
  return effectsAt(state, { path: outermost, prefix: '', budgets: toolBudget(state) });
}

/** How many more tools one run may start; what is listed counts down. */
type Budget = { left: number };

function toolBudget({ options: { limits }, toolCalls }: LoopState): readonly Budget[] {
  return limits?.toolCalls === undefined ? noBudget : [{ left: limits.toolCalls - toolCalls }];
}

/** Where a state stands in the whole run, and the budgets of all runs around it. */
type Around = { readonly path: readonly string[]; readonly prefix: string; readonly budgets: readonly Budget[] };

function effectsAt(state: LoopState, around: Around): readonly Effect[] {
  const save = saveEffect(state, around);
  const work =
    state.end === null || state.end.type === 'ending' ? workEffects(state, around) : restEffects(state, around);
  if (save === undefined) return work;
  return work.length === 0 ? [save] : [save, ...work];
}

/** A run that is to stop after its turn goes on until the next one would begin. */
function restEffects(state: LoopState, around: Around): readonly Effect[] {
  const finishing = state.end?.type === 'halted' && state.end.when === 'after_turn' && state.step.type !== 'prepare';
  return finishing ? workEffects({ ...state, end: null }, around) : none;
}

function workEffects(state: LoopState, around: Around): readonly Effect[] {
  if (state.end?.type === 'ending') {
    const id = `${around.prefix}${state.turn}/end`;
    return [{ type: 'finish', ...place(state, around, id), candidate: state.end.cause }];
  }
  if (state.checks.length === 0) return stepEffects(state, around);
  const checks = state.checks.map(({ index }): Effect => {
    const id = `${around.prefix}check/${index}`;
    return { type: 'check_input', ...place(state, around, id), index };
  });
  // Before the verdict: nothing where a guardrail of gate `model` looks, else everything up to the model call.
  const before = state.step.type === 'prepare' || state.step.type === 'model';
  const held = !before || state.checks.some(({ gate }) => gate === 'model');
  return held ? checks : [...checks, ...stepEffects(state, around)];
}

function stepEffects(state: LoopState, around: Around): readonly Effect[] {
  const { step, plan, turn, agent } = state;
  const { path, prefix } = around;
  const at = (name: string) => place(state, around, `${prefix}${turn}/${name}`);
  switch (step.type) {
    case 'start':
      return [{ type: 'start', ...place(state, around, `${prefix}start`) }];
    case 'prepare':
      return [{ type: 'prepare_turn', id: `${prefix}${turn}/prepare`, path, turn, agent, state }];
    case 'model':
      return plan === null
        ? none
        : [{ type: 'call_model', id: `${prefix}${turn}/model`, path, turn, agent, state, plan }];
    case 'tools':
      return toolEffects(state, step, around);
    case 'hand_off':
      return [{ type: 'hand_off', ...at('handoff') }];
    case 'finish':
      return [{ type: 'finish', ...at('finish'), candidate: step.candidate }];
  }
}

function toolEffects(state: LoopState, step: ToolsStep, around: Around): readonly Effect[] {
  const effects: Effect[] = [];
  let left = state.options.maxConcurrency ?? step.slots.length;
  for (const slot of step.slots) {
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
  const { budgets } = around;
  const id = `${around.prefix}${state.turn}/${pathSegment(call.callId)}`;
  switch (slot.type) {
    case 'ready':
    case 'decided': {
      if (budgets.some(({ left }) => left <= 0)) return undefined;
      for (const budget of budgets) budget.left -= 1;
      const decision = slot.type === 'decided' ? slot.decision : null;
      const { turn, agent } = state;
      const own = decision ? `${id}/decided` : id;
      return [{ type: 'run_tool', id: own, path: around.path, turn, agent, state, call, decision, ended: null }];
    }
    case 'nested':
      if (isPending(slot)) return undefined;
      return effectsAt(slot.state, {
        path: [...around.path, call.callId],
        prefix: `${id}/`,
        budgets: [...budgets, ...toolBudget(slot.state)],
      });
    case 'ended': {
      const at = place(state, around, `${id}/ended`);
      return [{ type: 'run_tool', ...at, call, decision: slot.decision, ended: slot.state }];
    }
    default:
      return undefined;
  }
}

function saveEffect(state: LoopState, around: Around): Effect | undefined {
  const { saves } = state;
  if (saves === null || saves.failure || saves.done >= saves.due) return undefined;
  const id = `${around.prefix}save/${saves.done}`;
  return { type: 'save', ...place(state, around, id), from: saves.done, to: saves.due };
}

function place(state: LoopState, { path }: Around, id: string) {
  return { id, path, turn: state.turn, agent: state.agent, state };
}

/** A call id as one segment of an effect id. */
function pathSegment(callId: string): string {
  return callId.includes('/') || callId.includes('%') ? encodeURIComponent(callId) : callId;
}
