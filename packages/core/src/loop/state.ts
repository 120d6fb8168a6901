import type { FunctionCallItem, Item, ProviderItem } from '../protocol/items.ts';
import type { Json } from '../protocol/json.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { ModelResponse, StopType } from '../protocol/response.ts';
import { noUsage, type Usage } from '../protocol/usage.ts';
import type { GuardrailResult, ToolGuardrailResult } from '../protocol/verdicts.ts';
import { newLog, shared, type Log, type Shared } from './log.ts';

/** Everything a run is, as JSON. Never changed: `advance` makes the next one. */
export type LoopState = {
  readonly version: 1;
  /** The name of the agent whose turn it is. */
  readonly agent: string;
  /** True until the agent's first turn since it became current has been prepared. */
  readonly entering: boolean;
  /** The turn that goes on, counted from 1; model calls of the whole run. */
  readonly turn: number;
  readonly step: Step;
  readonly end: End | null;
  readonly log: Log;
  /** What the current agent's model sees where that is not the log: after a handoff filter or a session callback. */
  readonly view: Log | null;
  /** Length of the log and of the view when the turn began. */
  readonly turnStart: { readonly log: number; readonly view: number };
  readonly plan: TurnPlan | null;
  readonly responses: Shared<ModelResponse>;
  readonly usage: Usage;
  readonly toolCalls: number;
  readonly elapsedMs: number;
  /** Input guardrails that have not answered. */
  readonly checks: readonly Check[];
  /** Items of the log that the session holds, and how many it should hold by now; `failure`: it would not take them. `null`: no session. */
  readonly saves: { readonly done: number; readonly due: number; readonly failure?: Failure } | null;
  /** What the provider keeps of the conversation. `null`: nothing, each request carries all of it. */
  readonly server: ServerState | null;
  /** Agents that have run a tool: a forced tool choice of theirs is lifted. */
  readonly toolUsers: readonly string[];
  /** Answers to approvals that hold for the rest of the run. */
  readonly standing: readonly StandingDecision[];
  readonly reasks: number;
  readonly verdicts: Verdicts;
  readonly options: LoopOptions;
};

/** What does not change while a run goes on, but may be given anew when it is resumed. */
export type LoopOptions = {
  readonly maxTurns: number | null;
  readonly maxConcurrency: number | null;
  readonly limits: Limits | null;
};
export type Limits = { readonly [K in LimitName]?: number };
export type LimitName = 'toolCalls' | 'inputTokens' | 'outputTokens' | 'totalTokens' | 'wallMs';

export type Step =
  | { readonly type: 'start' }
  | { readonly type: 'prepare' }
  | { readonly type: 'model' }
  | ToolsStep
  | { readonly type: 'hand_off'; readonly call: LocalCall }
  | { readonly type: 'finish'; readonly candidate: Candidate };
/** `open` counts the slots that can go on without a person; all slots before `next` are in the log or wait for one. */
export type ToolsStep = {
  readonly type: 'tools';
  readonly slots: readonly Slot[];
  readonly open: number;
  readonly next: number;
};

/** A state that is being made: `advance` works on one before anybody sees it. */
export type Draft = { -readonly [K in Exclude<keyof LoopState, 'step'>]: LoopState[K] } & {
  step: Exclude<Step, ToolsStep> | DraftTools;
};
export type DraftTools = { type: 'tools'; slots: Slot[]; open: number; next: number };

/** How a run stands when it does not simply go on. A step that has not ended stays, so that the run can be resumed. */
export type End =
  | { readonly type: 'ending'; readonly cause: EndCause }
  | { readonly type: 'halted'; readonly when: 'now' | 'after_turn' }
  | { readonly type: 'done'; readonly output: unknown }
  | { readonly type: 'failed'; readonly failure: Failure };
/** Reached from the outside, and answerable by an error handler. */
export type EndCause = { readonly type: 'max_turns' } | { readonly type: 'limit'; readonly limit: LimitName };
/** What is known of an error after a round trip through JSON. `data` holds what its class needs beside the message. */
export type Failure = {
  readonly effectId: string;
  readonly name: string;
  readonly message: string;
  readonly data?: Json;
};

export type Candidate =
  | { readonly type: 'answer'; readonly text: string | null; readonly refusal: string | null; readonly stop: StopType }
  | { readonly type: 'tools'; readonly results: readonly { toolName: string; callId: string; output: unknown }[] };

/** Where a call of the model leads: to a tool, to an agent used as one, to a decision on a hosted call, to another agent, or nowhere. */
export type Route =
  | { readonly type: 'tool' | 'agent' | 'approval' | 'unknown' }
  | { readonly type: 'handoff'; readonly to: string };
/** A call that this side must answer. */
export type LocalCall = {
  readonly item: FunctionCallItem | ProviderItem;
  readonly callId: string;
  readonly name: string;
  readonly arguments: string;
  readonly route: Route;
};
export type Slot = { readonly call: LocalCall } & SlotState;
export type SlotState =
  | { readonly type: 'ready' }
  /** `seal` ties the question and the answer to the call that was asked about. */
  | { readonly type: 'waiting'; readonly seal: string }
  | { readonly type: 'decided'; readonly decision: Decision; readonly seal: string }
  /** `decision`: what a person said before the inner run began. */
  | { readonly type: 'nested'; readonly state: LoopState; readonly decision: Decision | null }
  | { readonly type: 'ended'; readonly state: LoopState; readonly decision: Decision | null }
  | { readonly type: 'handoff' }
  | ({ readonly type: 'done'; readonly logged: boolean } & Settlement);
/** What a call came to. `ran`: the tool itself returned, so its value may become the final output. */
export type Settlement = {
  readonly output: Item;
  readonly value: unknown;
  readonly isError: boolean;
  readonly ran: boolean;
};
export type Decision =
  | { readonly type: 'approved'; readonly arguments?: string }
  | { readonly type: 'rejected'; readonly message?: string };
export type StandingDecision = { readonly agent: string; readonly toolName: string; readonly decision: Decision };

export type Check = { readonly index: number; readonly gate: 'release' | 'effects' | 'model' };
/** The results of guardrails. */
export type Verdicts = {
  readonly input: readonly Verdict[];
  readonly output: readonly GuardrailResult[];
  readonly toolInput: readonly ToolGuardrailResult[];
  readonly toolOutput: readonly ToolGuardrailResult[];
};
export type Verdict = { readonly index: number; readonly result: GuardrailResult };

export type ServerState = {
  readonly conversationId: string | null;
  readonly previousResponseId: string | null;
  /** Whether each response becomes the previous one of the next request. */
  readonly chain: boolean;
  /** Items of the log that the provider has. */
  readonly sent: number;
};

/** One turn, ready to be sent: made by `prepare_turn`, read by everything after it. */
export type TurnPlan = {
  readonly request: Omit<ModelRequest, 'input'>;
  readonly routes: { readonly [toolName: string]: Route };
  /** The kinds of provider items that this side answers, with the tool that does. */
  readonly clients: { readonly [kind: string]: string };
  /** What a filter made of the input; `null`: the view as it is. */
  readonly input: readonly Item[] | null;
  /** Whether `finish` is asked after tools ran. */
  readonly mayStopAfterTools: boolean;
};

const noVerdicts: Verdicts = { input: [], output: [], toolInput: [], toolOutput: [] };

/** A run before its first effect. */
export function newState(agent: string, input: readonly Item[], options: LoopOptions): LoopState {
  return {
    version: 1,
    agent,
    entering: true,
    turn: 0,
    step: { type: 'start' },
    end: null,
    log: newLog(input),
    view: null,
    turnStart: { log: input.length, view: 0 },
    plan: null,
    responses: shared<ModelResponse>([]),
    usage: noUsage(),
    toolCalls: 0,
    elapsedMs: 0,
    checks: [],
    saves: null,
    server: null,
    toolUsers: [],
    standing: [],
    reasks: 0,
    verdicts: noVerdicts,
    options,
  };
}

/** A copy of a state to work on; what is deeper than its slots is not to be changed. */
export function draftOf(state: LoopState): Draft {
  const { step } = state;
  return { ...state, step: step.type === 'tools' ? { ...step, slots: step.slots.slice() } : step };
}

/** The calls that a state is at, none where it is not at its tools. */
export function slotsOf({ step }: LoopState): readonly Slot[] {
  return step.type === 'tools' ? step.slots : [];
}

/** The same with those of runs inside it that go on, each with the state it belongs to and the calls around it. */
export function* slotsIn(
  state: LoopState,
  path: readonly string[] = [],
): Generator<{ slot: Slot; state: LoopState; path: readonly string[] }> {
  for (const slot of slotsOf(state)) {
    yield { slot, state, path };
    if (slot.type === 'nested') yield* slotsIn(slot.state, [...path, slot.call.callId]);
  }
}

/** True when the run waits for a person: every call that can settle without one has. */
export function isInterrupted({ end, step }: LoopState): boolean {
  return end === null && step.type === 'tools' && step.open === 0;
}
