import type { AnyAgent } from '../agent/agent.ts';
import type { RunContext } from '../agent/context.ts';
import { compileSchema } from '../agent/schema/compile.ts';
import { issuesText } from '../agent/schema/parse-arguments.ts';
import type { Schema } from '../agent/schema/standard-schema.ts';
import { ModelBehaviorError, UserError } from '../errors.ts';
import { inputOf, seen } from '../loop/log.ts';
import type { LoopState } from '../loop/state.ts';
import type { Item } from '../protocol/items.ts';
import type { Adaptation, ModelResponse } from '../protocol/response.ts';
import type { Usage } from '../protocol/usage.ts';
import type { GuardrailResult, ToolGuardrailResult } from '../protocol/verdicts.ts';
import type { Run } from './run.ts';
import { interruptionsOf, runItemsOf, type RunItem, type ToolApprovalItem } from './run-items.ts';
import { RunState } from './run-state.ts';
import type { Scope } from './scope.ts';

/** What a run came to. `finalOutput` is undefined when it was interrupted or cancelled. */
export type RunResult<C, O> = {
  readonly finalOutput: O | undefined;
  /** The final output checked against a schema; throws `ModelBehaviorError` when it does not fit. */
  finalOutputAs<T>(schema: Schema<T>): T;
  readonly input: readonly Item[];
  readonly newItems: readonly RunItem[];
  readonly rawResponses: readonly ModelResponse[];
  readonly lastAgent: AnyAgent;
  readonly lastResponseId: string | undefined;
  readonly usage: Usage;
  readonly adaptations: readonly Adaptation[];
  readonly runContext: RunContext<C>;
  /** Calls that wait for a person: decide them on `state`, then run with it. */
  readonly interruptions: readonly ToolApprovalItem[];
  readonly state: RunState;
  readonly inputGuardrailResults: readonly GuardrailResult[];
  readonly outputGuardrailResults: readonly GuardrailResult[];
  readonly toolInputGuardrailResults: readonly ToolGuardrailResult[];
  readonly toolOutputGuardrailResults: readonly ToolGuardrailResult[];
  /** Input plus everything new, ready to be the next input. `view: 'model'` gives what the last agent saw (after handoff filters). */
  toInputList(options?: { view?: 'log' | 'model' }): Item[];
  /** What a person wants to see of a result: `JSON.stringify` and Node's `console.log` show this. */
  toJSON(): object;
};

/** What a run had done when an error ended it. */
export type RunData = {
  input: readonly Item[];
  newItems: readonly RunItem[];
  rawResponses: readonly ModelResponse[];
  lastAgent: AnyAgent;
  usage: Usage;
};

/** What a run has done by a state. */
export function dataOf(run: Run, scope: Scope, state: LoopState): RunData {
  const { input, newItems, rawResponses, lastAgent, usage } = new Result(run, scope, state);
  return { input, newItems, rawResponses, lastAgent, usage };
}

/** The result of a run, or of one inside it, as its state tells it. */
export class Result implements RunResult<never, unknown> {
  readonly #run: Run;
  readonly #scope: Scope;
  readonly #ended: LoopState | undefined;
  #newItems: readonly RunItem[] | undefined;
  #handle: { of: LoopState; state: RunState } | undefined;

  /** With a state the result stands; without one it follows the run. */
  constructor(run: Run, scope: Scope, state?: LoopState) {
    this.#run = run;
    this.#scope = scope;
    this.#ended = state;
  }

  get loopState(): LoopState {
    return this.#ended ?? this.#run.state;
  }

  get finalOutput(): unknown {
    const { end } = this.loopState;
    return end?.type === 'done' ? end.output : undefined;
  }

  finalOutputAs<T>(schema: Schema<T>): T {
    const read = compileSchema(schema, 'finalOutputAs schema').read(this.finalOutput);
    if (read instanceof Promise) {
      throw new UserError('finalOutputAs schema: it is asynchronous; validate result.finalOutput yourself.');
    }
    if (!read.issues) return read.value;
    throw new ModelBehaviorError(`The final output does not fit the schema: ${issuesText(read.issues)}.`);
  }

  get input(): readonly Item[] {
    const { log } = this.loopState;
    return inputOf(log);
  }

  get newItems(): readonly RunItem[] {
    const { log } = this.loopState;
    if (this.#newItems?.length !== log.facts.length || !this.#ended)
      this.#newItems = runItemsOf(log, this.#scope.agents);
    return this.#newItems;
  }

  get rawResponses(): readonly ModelResponse[] {
    return seen(this.loopState.responses).slice();
  }

  get lastAgent(): AnyAgent {
    return this.#scope.agent(this.loopState.agent);
  }

  get lastResponseId(): string | undefined {
    return this.rawResponses.at(-1)?.id;
  }

  get usage(): Usage {
    return this.loopState.usage;
  }

  get adaptations(): readonly Adaptation[] {
    return this.rawResponses.flatMap(({ adaptations }) => adaptations);
  }

  get runContext(): RunContext<never> {
    return this.#scope.contextOf(this.lastAgent);
  }

  get interruptions(): readonly ToolApprovalItem[] {
    return interruptionsOf(this.loopState, this.#scope.agents);
  }

  /** The same one as long as the run stands where it does, so that decisions made on it are kept. */
  get state(): RunState {
    const { loopState } = this;
    if (this.#handle?.of !== loopState) {
      const state = new RunState(loopState, { agents: this.#scope.agents, runId: this.#run.runId });
      this.#handle = { of: loopState, state };
    }
    return this.#handle.state;
  }

  get inputGuardrailResults(): readonly GuardrailResult[] {
    return this.loopState.verdicts.input.map(({ result }) => result);
  }

  get outputGuardrailResults(): readonly GuardrailResult[] {
    return this.loopState.verdicts.output;
  }

  get toolInputGuardrailResults(): readonly ToolGuardrailResult[] {
    return this.loopState.verdicts.toolInput;
  }

  get toolOutputGuardrailResults(): readonly ToolGuardrailResult[] {
    return this.loopState.verdicts.toolOutput;
  }

  toJSON(): object {
    const { finalOutput, lastAgent, usage, newItems, interruptions } = this;
    const told = newItems.map(({ type, rawItem }) => ({ type, rawItem }));
    return { finalOutput, lastAgent: lastAgent.name, usage, newItems: told, interruptions: interruptions.length };
  }

  toInputList({ view = 'log' }: { view?: 'log' | 'model' } = {}): Item[] {
    const { log, view: seenByModel } = this.loopState;
    return seen(((view === 'model' ? seenByModel : null) ?? log).items).slice();
  }

  static {
    const shown = function shown(this: Result): object {
      return this.toJSON();
    };
    Object.defineProperty(this.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: shown });
  }
}
