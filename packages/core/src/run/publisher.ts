import { slotsOf, type LoopState } from '../loop/state.ts';
import type { MaybePromise } from '../agent/maybe-promise.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { RunItemEventName, RunStreamEvent } from './run-events.ts';
import { approvalItem, runItemsOf, type RunItemType } from './run-items.ts';
import type { Scope } from './scope.ts';

/** Where events go. A promise says that there is no room for more yet. */
export type Emit = (event: RunStreamEvent) => MaybePromise<void>;

/**
 * Turns the states of one run, and the raw events of its models, into the events that its consumer sees. While an input guardrail of
 * gate `release` has not given its verdict, events wait in a buffer here.
 */
export class Publisher {
  readonly emit: Emit;
  readonly #scope: Scope;
  readonly #path: readonly string[];
  readonly #announced = new Set<string>();
  /** Calls that a person may have to be asked about: outputs come after that question. */
  readonly #unclear = new Set<string>();
  #outputs: RunStreamEvent[] = [];
  #agent: string | undefined;
  #published = 0;
  #held: RunStreamEvent[] | undefined;
  #releasing: Promise<void> | undefined;

  /** `path`: the calls of the agents as tools around the run. */
  constructor(scope: Scope, emit: Emit, path: readonly string[] = []) {
    this.#scope = scope;
    this.#path = path;
    this.emit = emit;
  }

  /** An event of a model, as it comes. */
  raw(data: ModelEvent): MaybePromise<void> {
    return this.#tell({ type: 'raw_response_event', data });
  }

  /** It takes time to find out whether a person is asked about a call. */
  hold(callId: string): void {
    this.#unclear.add(callId);
  }

  /** Nobody is asked about the call. */
  pass(callId: string): MaybePromise<void> {
    return this.#unclear.delete(callId) && this.#unclear.size === 0
      ? this.#tellAll(this.#outputs.splice(0))
      : undefined;
  }

  /** Continues a run that an earlier call has told of. */
  skip(state: LoopState): void {
    this.#published = state.log.facts.length;
    this.#agent = state.agent;
    if (isHolding(state)) this.#held ??= [];
  }

  /** Tells what a state has that the one before had not. */
  update(state: LoopState): MaybePromise<void> {
    const events = this.#news(state);
    const holding = isHolding(state);
    // A check that trips or fails stays: then nothing that is held is ever shown.
    if (holding) this.#held ??= [];
    if (holding || this.#held === undefined) return this.#tellAll(events);
    this.#held.push(...events);
    this.#releasing = this.#release(this.#held);
    return this.#releasing;
  }

  /** Passes on what was held. What the model says meanwhile queues up behind it, and waits for it. */
  async #release(held: RunStreamEvent[]): Promise<void> {
    for (const event of held) await this.emit(event);
    this.#held = undefined;
    this.#releasing = undefined;
  }

  #tell(event: RunStreamEvent): MaybePromise<void> {
    if (this.#held === undefined) return this.emit(event);
    this.#held.push(event);
    return this.#releasing;
  }

  #tellAll(events: readonly RunStreamEvent[]): MaybePromise<void> {
    for (let index = 0; index < events.length; index++) {
      const event = events[index];
      const full = event && this.#tell(event);
      if (full instanceof Promise) return full.then(() => this.#tellAll(events.slice(index + 1)));
    }
    return undefined;
  }

  #news(state: LoopState): RunStreamEvent[] {
    const { log, turn, agent } = state;
    const before = this.#agent;
    const items = runItemsOf(log, this.#scope.agents, this.#published);
    this.#published = log.facts.length;
    const updated = before !== agent && (before !== undefined || turn > 0) ? [this.#agentUpdate(agent)] : [];
    const told = items.map((item) => ({ type: 'run_item_stream_event', name: eventNames[item.type], item }) as const);
    const news = [
      ...this.#outputs.splice(0),
      ...(before === undefined ? [...updated, ...told] : [...told, ...updated]),
    ];
    const first = news.findIndex((event) => event.type === 'run_item_stream_event' && event.name === 'tool_output');
    const outputs = first < 0 ? [] : news.splice(first);
    news.push(...this.#approvals(state));
    if (!this.#isUnclear(state)) return [...news, ...outputs];
    this.#outputs = outputs;
    return news;
  }

  #isUnclear(state: LoopState): boolean {
    if (this.#unclear.size === 0) return false;
    const ready = state.end === null ? slotsOf(state).filter(({ type }) => type === 'ready') : [];
    const open = new Set(ready.map(({ call }) => call.callId));
    for (const callId of this.#unclear) if (!open.has(callId)) this.#unclear.delete(callId);
    return this.#unclear.size > 0;
  }

  #agentUpdate(name: string): RunStreamEvent {
    this.#agent = name;
    return { type: 'agent_updated_stream_event', newAgent: this.#scope.agent(name) };
  }

  #approvals(state: LoopState): RunStreamEvent[] {
    return slotsOf(state).flatMap(({ type, call }) => {
      const { callId, route } = call;
      if (type !== 'waiting' || route.type === 'approval' || this.#announced.has(callId)) return [];
      this.#announced.add(callId);
      const item = approvalItem(call, this.#scope.agent(state.agent), this.#path);
      return { type: 'run_item_stream_event', name: 'tool_approval_requested', item };
    });
  }
}

/** True while a guardrail that holds events has not given its verdict. */
function isHolding({ checks }: LoopState): boolean {
  return checks.some(({ gate }) => gate === 'release');
}

/** The name of the event that announces a run item. */
const eventNames: { readonly [T in RunItemType]: RunItemEventName } = {
  message_output_item: 'message_output_created',
  tool_call_item: 'tool_called',
  tool_call_output_item: 'tool_output',
  handoff_call_item: 'handoff_requested',
  handoff_output_item: 'handoff_occurred',
  reasoning_item: 'reasoning_item_created',
  tool_approval_item: 'tool_approval_requested',
  mcp_approval_request_item: 'mcp_approval_requested',
  mcp_approval_response_item: 'mcp_approval_response',
  mcp_list_tools_item: 'mcp_list_tools',
  provider_item: 'provider_item_created',
};
