import type { Log } from './log.ts';
import { isPending } from './tools.ts';
import type {
  Candidate,
  Decision,
  EndCause,
  LocalCall,
  LoopState,
  ServerState,
  Slot,
  ToolsStep,
  TurnPlan,
} from './state.ts';

/** Where an effect stands: `path` names the calls of the agents as tools around it, outermost first. */
type Place = { readonly id: string; readonly path: readonly string[]; readonly turn: number; readonly agent: string };
/** Work that the loop asks the world to do. `id` is the same in every replay. */
export type Effect = Place &
  (
    | { readonly type: 'start'; readonly log: Log }
    | { readonly type: 'check_input'; readonly index: number; readonly log: Log }
    | {
        readonly type: 'prepare_turn';
        readonly entering: boolean;
        readonly input: Log;
        readonly toolChoiceUsed: boolean;
        readonly server: ServerState | null;
      }
    | { readonly type: 'call_model'; readonly plan: TurnPlan; readonly input: Log; readonly server: ServerState | null }
    | {
        readonly type: 'run_tool';
        readonly call: LocalCall;
        readonly decision: Decision | null;
        /** The inner run of an agent used as a tool, once it has ended. */
        readonly ended: LoopState | null;
      }
    | { readonly type: 'hand_off'; readonly call: LocalCall; readonly state: LoopState }
    | { readonly type: 'finish'; readonly candidate: Candidate | EndCause; readonly state: LoopState }
    | { readonly type: 'save'; readonly from: number; readonly to: number; readonly log: Log }
  );
export type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;

const none: readonly Effect[] = [];
const outermost: readonly string[] = [];

/** Everything that may be going on now. Empty: the run is done, has failed, was halted, or waits for a person. */
export function effectsFor(state: LoopState): readonly Effect[] {
  return effectsAt(state, { path: outermost, prefix: '', room: { tools: toolBudget(state) } });
}

function toolBudget({ options: { limits }, toolCalls }: LoopState): number | null {
  return limits?.toolCalls === undefined ? null : limits.toolCalls - toolCalls;
}

/** Where a state stands in the whole run. `room.tools`: how many more tools may be listed; what is listed counts down. */
type Around = { readonly path: readonly string[]; readonly prefix: string; readonly room: { tools: number | null } };

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
    return [{ type: 'finish', ...place(state, around, id), candidate: state.end.cause, state }];
  }
  if (state.checks.length === 0) return stepEffects(state, around);
  // Before the verdict: what a guardrail of gate `model` holds back, else everything up to the model call.
  const blocking = state.checks.some(({ gate }) => gate === 'model');
  const checks = state.checks
    .filter(({ gate }) => !blocking || gate === 'model')
    .map(({ index }): Effect => {
      const id = `${around.prefix}check/${index}`;
      return { type: 'check_input', ...place(state, around, id), index, log: state.log };
    });
  const held = blocking || (state.step.type !== 'prepare' && state.step.type !== 'model');
  return held ? checks : [...checks, ...stepEffects(state, around)];
}

function stepEffects(state: LoopState, around: Around): readonly Effect[] {
  const { step, turn, agent, server } = state;
  const { path } = around;
  const at = `${around.prefix}${turn}/`;
  switch (step.type) {
    case 'start':
      return [{ type: 'start', id: `${around.prefix}start`, path, turn, agent, log: state.log }];
    case 'prepare': {
      const facts = {
        entering: state.entering,
        input: state.view ?? state.log,
        toolChoiceUsed: state.toolUsers.includes(agent),
        server,
      };
      return [{ type: 'prepare_turn', id: `${at}prepare`, path, turn, agent, ...facts }];
    }
    case 'model': {
      const { plan } = state;
      if (plan === null) return none;
      return [
        { type: 'call_model', id: `${at}model`, path, turn, agent, plan, input: state.view ?? state.log, server },
      ];
    }
    case 'tools':
      return toolEffects(state, step, { ...around, prefix: at });
    case 'hand_off':
      return [{ type: 'hand_off', id: `${at}handoff`, path, turn, agent, call: step.call, state }];
    case 'finish':
      return [{ type: 'finish', id: `${at}finish`, path, turn, agent, candidate: step.candidate, state }];
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
function slotEffects(state: LoopState, slot: Slot, { path, prefix, room }: Around): readonly Effect[] | undefined {
  const { call } = slot;
  const id = prefix + pathSegment(call.callId);
  const at = { type: 'run_tool', path, turn: state.turn, agent: state.agent, call } as const;
  switch (slot.type) {
    case 'ready':
    case 'decided':
      if (room.tools !== null && room.tools-- <= 0) return undefined;
      if (slot.type === 'ready') return [{ ...at, id, decision: null, ended: null }];
      return [{ ...at, id: `${id}/decided`, decision: slot.decision, ended: null }];
    case 'nested':
      return isPending(slot)
        ? undefined
        : effectsAt(slot.state, { path: [...path, call.callId], prefix: `${id}/`, room });
    case 'ended':
      return [{ ...at, id: `${id}/ended`, decision: null, ended: slot.state }];
    default:
      return undefined;
  }
}

function saveEffect(state: LoopState, around: Around): Effect | undefined {
  const { saves, log } = state;
  if (saves === null || saves.done >= saves.due) return undefined;
  const id = `${around.prefix}save/${saves.done}`;
  return { type: 'save', ...place(state, around, id), from: saves.done, to: saves.due, log };
}

function place({ turn, agent }: LoopState, { path }: Around, id: string): Place {
  return { id, path, turn, agent };
}

/** A call id as one segment of an effect id. */
function pathSegment(callId: string): string {
  return callId.includes('/') || callId.includes('%') ? encodeURIComponent(callId) : callId;
}
