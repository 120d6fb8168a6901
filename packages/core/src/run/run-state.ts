import type { AnyAgent } from '../agent/agent.ts';
import { agentsFrom } from '../agent/graph.ts';
import { UserError } from '../errors.ts';
import { advance } from '../loop/advance.ts';
import type { Decision, LoopState } from '../loop/state.ts';
import { isFields, parseJson, stringify, toJson, type Json } from '../protocol/json.ts';
import { changedCall, interruptionsOf } from './interruptions.ts';
import type { ToolApprovalItem } from './run-items.ts';

type Around = { agents: ReadonlyMap<string, AnyAgent>; runId: string };
const formatVersion = 1;

/** A run that can be taken up again: decide what waits, then run with it. As JSON it lives in any store and loads in any process. */
export class RunState {
  #state: LoopState;
  readonly #around: Around;

  /** Runs and `fromString` make states; a program has no need to. */
  constructor(state: LoopState, around: Around) {
    this.#state = state;
    this.#around = around;
  }

  /** Loads what `toString` wrote. `agent` is the one that the run began with; throws `UserError` when the state is of another. */
  static fromString(agent: AnyAgent, text: string): RunState {
    const stored = parseJson(text);
    if (!isFields(stored))
      throw new UserError('RunState.fromString text: expected what RunState.toString wrote, got something else.');
    const { version, runId, state } = stored;
    if (typeof version === 'number' && version > formatVersion) {
      throw new UserError(
        `RunState.fromString text: it is of version ${version}, this package reads up to ${formatVersion}; update @polyrun/core.`,
      );
    }
    if (!isLoopState(state))
      throw new UserError('RunState.fromString text: it holds no state; expected what RunState.toString wrote.');
    const changed = changedCall(state);
    if (changed) {
      throw new UserError(
        `RunState.fromString text: the call '${changed.callId}' was changed after a person was asked about it; load the state as it was.`,
      );
    }
    const agents = agentsFrom(agent);
    if (!agents.has(state.agent)) {
      throw new UserError(
        `RunState.fromString agent: the state is at agent '${state.agent}', which '${agent.name}' does not lead to; pass the agent that the run began with.`,
      );
    }
    return new RunState(state, { agents, runId: typeof runId === 'string' ? runId : crypto.randomUUID() });
  }

  /** The calls that wait for a person. */
  get interruptions(): readonly ToolApprovalItem[] {
    return interruptionsOf(this.#state, this.#around.agents);
  }

  /** Lets a call run. `always`: this tool of this agent for the rest of the run. `arguments`: run with these instead. */
  approve(item: ToolApprovalItem, options: { always?: boolean; arguments?: Json } = {}): void {
    if (options.arguments !== undefined && item.rawItem.type !== 'function_call')
      throw new UserError(`approve arguments: only a function call can be edited, not ${item.rawItem.type}.`);
    const edited = options.arguments === undefined ? {} : { arguments: stringify(options.arguments) ?? '' };
    this.#decide(item, { type: 'approved', ...edited }, options.always ?? false);
  }

  /** Answers a call with a refusal; `message` is what the model is told. */
  reject(item: ToolApprovalItem, options: { always?: boolean; message?: string } = {}): void {
    const message = options.message === undefined ? {} : { message: options.message };
    this.#decide(item, { type: 'rejected', ...message }, options.always ?? false);
  }

  toString(): string {
    return JSON.stringify(this.toJSON());
  }

  toJSON(): Json {
    return toJson({ version: formatVersion, runId: this.#around.runId, state: this.#state });
  }

  /** What a run needs to go on. */
  resume(): { state: LoopState; runId: string } {
    return { state: this.#state, runId: this.#around.runId };
  }

  #decide(item: ToolApprovalItem, decision: Decision, always: boolean): void {
    const waiting = this.interruptions.find(
      ({ callId, path }) => callId === item.callId && String(path) === String(item.path),
    );
    if (waiting === undefined)
      throw new UserError(`RunState: no call '${item.callId}' waits for approval; take items from interruptions.`);
    if (waiting.toolName !== item.toolName || waiting.arguments !== item.arguments) {
      throw new UserError(
        `RunState: the call '${item.callId}' is not the one that waits; its tool or arguments were changed.`,
      );
    }
    const { callId, path } = waiting;
    this.#state = advance(this.#state, {
      type: 'decided',
      callId,
      decision,
      always,
      id: 'decision',
      path,
      turn: this.#state.turn,
      ms: 0,
    });
  }
}

/** Tells a state from what else a store may hold. */
export function isLoopState(value: unknown): value is LoopState {
  return (
    isFields(value) &&
    isFields(value['step']) &&
    isFields(value['log']) &&
    typeof value['agent'] === 'string' &&
    typeof value['turn'] === 'number'
  );
}
