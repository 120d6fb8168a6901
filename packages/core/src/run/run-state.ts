import type { AnyAgent } from '../agent/agent.ts';
import { agentNamed, agentsFrom } from '../agent/graph.ts';
import { misfit, UserError } from '../errors.ts';
import { advance } from '../loop/advance.ts';
import type { Decision, LoopState } from '../loop/state.ts';
import { isFields, parseJson, stringify, toJson, type Json } from '../protocol/json.ts';
import { changedCall, interruptionsOf, type ToolApprovalItem } from './run-items.ts';

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
    const field = 'RunState.fromString text';
    const stored = parseJson(text);
    const { version, runId, state } = isFields(stored) ? stored : {};
    if (typeof version === 'number' && version > formatVersion) {
      throw new UserError(`${field}: it is of version ${version}; update @polyrun/core.`);
    }
    if (!isLoopState(state)) throw misfit(field, 'what RunState.toString wrote', stored);
    const changed = changedCall(state);
    if (changed) {
      throw new UserError(`${field}: call '${changed.callId}' was changed after a person was asked.`);
    }
    const agents = agentsFrom(agent);
    agentNamed(state.agent, agents);
    return new RunState(state, { agents, runId: typeof runId === 'string' ? runId : crypto.randomUUID() });
  }

  /** The calls that wait for a person. */
  get interruptions(): readonly ToolApprovalItem[] {
    return interruptionsOf(this.#state, this.#around.agents);
  }

  /** Lets a call run. `always`: this tool of this agent for the rest of the run. `arguments`: run with these instead. */
  approve(item: ToolApprovalItem, { always, arguments: edited }: { always?: boolean; arguments?: Json } = {}): void {
    if (edited !== undefined && item.rawItem.type !== 'function_call')
      throw new UserError('approve arguments: only a function call has them.');
    const changes = edited === undefined ? {} : { arguments: stringify(edited) ?? '' };
    this.#decide(item, { type: 'approved', ...changes }, always);
  }

  /** Answers a call with a refusal; `message` is what the model is told. */
  reject(item: ToolApprovalItem, { always, message }: { always?: boolean; message?: string } = {}): void {
    this.#decide(item, { type: 'rejected', ...(message !== undefined && { message }) }, always);
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

  #decide(item: ToolApprovalItem, decision: Decision, always = false): void {
    const { callId, path }: Partial<ToolApprovalItem> = item ?? {};
    // A program without types may give anything, above all the first of no interruptions.
    if (!path || !this.interruptions.some((each) => facts(each) === facts(item)))
      throw new UserError(
        `RunState: no call '${callId}' waits for approval with these arguments; take one of interruptions.`,
      );
    const { turn } = this.#state;
    const at = { callId, path, turn, ms: 0, id: 'decision' };
    this.#state = advance(this.#state, { type: 'decided', decision, always, ...at });
  }
}

/** What a person is asked about. */
function facts({ callId, path, toolName, arguments: text }: ToolApprovalItem): string {
  return JSON.stringify([callId, path, toolName, text]);
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
