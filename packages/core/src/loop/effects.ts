import type { Log } from './log.ts';
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
  return effectsAt(state, outermost, '', { tools: toolBudget(state) });
}

function toolBudget({ options: { limits }, toolCalls }: LoopState): number | null {
  return limits?.toolCalls === undefined ? null : limits.toolCalls - toolCalls;
}

/** `room.tools` is how many more tools may be listed; what is listed counts down. */
function effectsAt(
  state: LoopState,
  path: readonly string[],
  prefix: string,
  room: { tools: number | null },
): readonly Effect[] {
  const save = saveEffect(state, path, prefix);
  const work =
    state.end === null || state.end.type === 'ending'
      ? workEffects(state, path, prefix, room)
      : restEffects(state, path, prefix);
  if (save === undefined) return work;
  return work.length === 0 ? [save] : [save, ...work];
}

/** A run that is to stop after its turn goes on until the next one would begin. */
function restEffects(state: LoopState, path: readonly string[], prefix: string): readonly Effect[] {
  const finishing = state.end?.type === 'halted' && state.end.when === 'after_turn' && state.step.type !== 'prepare';
  return finishing ? workEffects({ ...state, end: null }, path, prefix, { tools: toolBudget(state) }) : none;
}

function workEffects(
  state: LoopState,
  path: readonly string[],
  prefix: string,
  room: { tools: number | null },
): readonly Effect[] {
  if (state.end?.type === 'ending') {
    return [{ type: 'finish', ...place(state, path, `${prefix}${state.turn}/end`), candidate: state.end.cause, state }];
  }
  if (state.checks.length === 0) return stepEffects(state, path, prefix, room);
  // Before the verdict: what a guardrail of gate `model` holds back, else everything up to the model call.
  const blocking = state.checks.some(({ gate }) => gate === 'model');
  const checks = state.checks
    .filter(({ gate }) => !blocking || gate === 'model')
    .map(({ index }): Effect => ({
      type: 'check_input',
      ...place(state, path, `${prefix}check/${index}`),
      index,
      log: state.log,
    }));
  const held = blocking || (state.step.type !== 'prepare' && state.step.type !== 'model');
  return held ? checks : [...checks, ...stepEffects(state, path, prefix, room)];
}

function stepEffects(
  state: LoopState,
  path: readonly string[],
  prefix: string,
  room: { tools: number | null },
): readonly Effect[] {
  const { step, turn, agent } = state;
  const at = `${prefix}${turn}/`;
  switch (step.type) {
    case 'start':
      return [{ type: 'start', id: `${prefix}start`, path, turn, agent, log: state.log }];
    case 'prepare': {
      const { entering, server } = state;
      const toolChoiceUsed = state.toolUsers.includes(agent);
      return [
        {
          type: 'prepare_turn',
          id: `${at}prepare`,
          path,
          turn,
          agent,
          entering,
          input: state.view ?? state.log,
          toolChoiceUsed,
          server,
        },
      ];
    }
    case 'model':
      if (state.plan === null) return none;
      return [
        {
          type: 'call_model',
          id: `${at}model`,
          path,
          turn,
          agent,
          plan: state.plan,
          input: state.view ?? state.log,
          server: state.server,
        },
      ];
    case 'tools':
      return toolEffects(state, step, { path, prefix: at, room });
    case 'hand_off':
      return [{ type: 'hand_off', id: `${at}handoff`, path, turn, agent, call: step.call, state }];
    case 'finish':
      return [{ type: 'finish', id: `${at}finish`, path, turn, agent, candidate: step.candidate, state }];
  }
}

type Around = { readonly path: readonly string[]; readonly prefix: string; readonly room: { tools: number | null } };

function toolEffects(state: LoopState, step: ToolsStep, around: Around): readonly Effect[] {
  const effects: Effect[] = [];
  let left = state.options.maxConcurrency ?? step.slots.length;
  for (const slot of step.slots) {
    if (left <= 0) break;
    if (slotEffects(state, slot, around, effects)) left -= 1;
  }
  return effects;
}

/** Adds what one call wants to `effects`; true when the call takes a place among the concurrent ones. */
function slotEffects(state: LoopState, slot: Slot, { path, prefix, room }: Around, effects: Effect[]): boolean {
  const { call } = slot;
  const id = prefix + pathSegment(call.callId);
  const run = (suffix: string, facts: Pick<Extract<Effect, { type: 'run_tool' }>, 'decision' | 'ended'>) =>
    effects.push({ type: 'run_tool', id: id + suffix, path, turn: state.turn, agent: state.agent, call, ...facts });
  switch (slot.type) {
    case 'ready':
    case 'decided':
      if (room.tools !== null && room.tools-- <= 0) return false;
      if (slot.type === 'ready') run('', { decision: null, ended: null });
      else run('/decided', { decision: slot.decision, ended: null });
      return true;
    case 'nested':
      effects.push(...effectsAt(slot.state, [...path, call.callId], `${id}/`, room));
      return true;
    case 'ended':
      run('/ended', { decision: null, ended: slot.state });
      return true;
    default:
      return false;
  }
}

function saveEffect(state: LoopState, path: readonly string[], prefix: string): Effect | undefined {
  const { saves, log } = state;
  if (saves === null || saves.done >= saves.due) return undefined;
  return { type: 'save', ...place(state, path, `${prefix}save/${saves.done}`), from: saves.done, to: saves.due, log };
}

function place({ turn, agent }: LoopState, path: readonly string[], id: string): Place {
  return { id, path, turn, agent };
}

/** A call id as one segment of an effect id. */
function pathSegment(callId: string): string {
  return callId.includes('/') || callId.includes('%') ? encodeURIComponent(callId) : callId;
}
