import { outputText } from '../../agent/agent-tool.ts';
import type { AnyAgent } from '../../agent/agent.ts';
import { after, isThenable, type MaybePromise } from '../../agent/maybe-promise.ts';
import type { BoundCall, Tool } from '../../agent/tool.ts';
import {
  ModelBehaviorError,
  ToolCallError,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
  ToolTimeoutError,
} from '../../errors.ts';
import type { EffectOf } from '../../loop/effects.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { LoopState } from '../../loop/state.ts';
import type { FunctionCallItem } from '../../protocol/items.ts';
import type { ToolGuardrailResult } from '../../protocol/verdicts.ts';
import { wait, type Steps } from '../steps.ts';
import { CallContext } from '../tool-context.ts';
import { editedArguments, inWords, outputItem, type Trouble } from '../tool-output.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Work } from '../work.ts';
import { verdictOf } from './check-input.ts';
import { endNested, nestedState } from './nested.ts';
import { answerApproval } from './mcp-approval.ts';

/** One call on its way through guardrails, hooks and execution. */
type Call = {
  readonly work: Work<'run_tool'>;
  readonly agent: AnyAgent;
  readonly tool: Tool<never>;
  readonly context: CallContext;
  readonly toolCall: FunctionCallItem;
  /** Of a tool that has guardrails. */
  readonly verdicts: { input: ToolGuardrailResult[]; output: ToolGuardrailResult[] } | null;
};

/** Answers one call of the model: approval, guardrails, hooks, execution. Whatever goes wrong becomes an output that the model sees. */
export function runTool(work: Work<'run_tool'>): Steps<Settled> {
  const { effect, scope } = work;
  if (effect.call.route.type === 'approval') return answerApproval(work);
  const { toolbox } = scope.known(effect.agent);
  return toolbox ? found(work, toolbox) : opened(work);
}

/** After a resume in another process the toolbox is to be opened anew. */
function* opened(work: Work<'run_tool'>): Steps<Settled> {
  const { effect, scope } = work;
  return yield* found(work, yield* scope.toolbox(scope.agent(effect.agent), work));
}

function found(work: Work<'run_tool'>, { tools, handoffs }: Toolbox): Steps<Settled> {
  const { effect, scope } = work;
  const { call, ended } = effect;
  const agent = scope.agent(effect.agent);
  const tool = tools.get(call.name);
  const context = new CallContext(work, agent);
  if (tool === undefined) return notFound(work, [...tools.keys(), ...handoffs.keys()], context);
  const toolCall = asFunctionCall(effect);
  const isGuarded = tool.inputGuardrails.length + tool.outputGuardrails.length > 0;
  const verdicts = isGuarded ? { input: [], output: [] } : null;
  const made: Call = { work, agent, tool, context, toolCall, verdicts };
  return ended === null ? asked(made) : settleNested(made, ended);
}

/** Finds out whether the call may run, and whether a person is to be asked first. */
function* asked(made: Call): Steps<Settled> {
  const { effect, scope } = made.work;
  const { callId } = effect.call;
  const { publisher } = scope;
  const binding = bind(made);
  if (binding instanceof Promise) publisher?.hold(callId);
  const bound = binding instanceof Promise ? yield* wait(binding) : binding;
  if ('kind' in bound) return yield* troubled(made, bound);
  const asks = effect.decision === null && bound.needsApproval({ runContext: scope.contextOf(made.agent), callId });
  if (asks instanceof Promise) publisher?.hold(callId);
  if (asks && (yield* wait(asks))) return { type: 'tool_waiting', callId };
  const told = publisher?.pass(callId);
  if (told) yield* wait(told);
  return yield* begun(made, bound);
}

/** The call with arguments that have passed the tool's schema; or what is wrong with them, or that a person was against it. */
function bind({ tool, work }: Call): MaybePromise<BoundCall<never> | Trouble> {
  const { call, decision } = work.effect;
  return after(tool.bind(editedArguments(decision) ?? call.arguments), ({ call: bound, problem }) => {
    if (bound === undefined) return { kind: 'invalid_arguments', message: problem };
    if (decision?.type !== 'rejected') return bound;
    const { message = 'Tool execution was not approved.' } = decision;
    return { kind: 'approval_rejected', message, worded: decision.message !== undefined };
  });
}

/** A call that may run: input guardrails, the start hook, the tool, then what follows it. */
function* begun(made: Call, bound: BoundCall<never>): Steps<Settled> {
  const { tool, context, work, verdicts } = made;
  const { rejection } = tool.inputGuardrails.length === 0 ? unguarded : yield* screened(made, 'input', undefined);
  if (rejection !== undefined) return settled(work, { value: rejection, isError: true, verdicts });
  const told = hookStart(made);
  if (told) yield* wait(told);
  work.control.check();
  let value: unknown;
  try {
    value = bound.execute(context);
    if (isThenable(value)) value = yield* inTime(made, value);
  } catch (error) {
    // What was stopped has come to nothing yet: a resumed run makes the call again.
    work.control.check();
    if (error instanceof ToolTimeoutError && tool.timeoutBehavior === 'raise') throw error;
    return yield* failedCall(made, error);
  }
  if (tool.nested === undefined) return yield* passedOn(made, value);
  return { type: 'tool_nested', callId: context.callId, state: nestedState(work, tool.nested, value), verdicts };
}

type Screened = { value: unknown; rejection?: string };
const tripwires = { input: ToolInputGuardrailTripwireTriggered, output: ToolOutputGuardrailTripwireTriggered } as const;

const unguarded: Screened = { value: undefined };

/** Lets the guardrails of one side judge a call, one after the other: what the output is after them, or the words that reject it. */
function* screened(made: Call, side: 'input' | 'output', returned: unknown): Steps<Screened> {
  const { tool, context, toolCall, verdicts } = made;
  let value = returned;
  for (const guardrail of side === 'input' ? tool.inputGuardrails : tool.outputGuardrails) {
    const { name } = guardrail;
    const at = side === 'input' ? { context, toolCall } : { context, toolCall, output: value };
    const output = yield* verdictOf(made.work, guardrail, { at, of: `tool '${tool.name}'` });
    const result = { guardrail: name, toolName: tool.name, callId: context.callId, output };
    verdicts?.[side].push(result);
    if (output.type === 'reject_content') return { value, rejection: output.message };
    if (output.type === 'raise_exception') {
      const message = `The ${side} guardrail '${name}' of tool '${tool.name}' raised an exception.`;
      throw new tripwires[side](message, { result });
    }
    if (output.output !== undefined) value = output.output;
  }
  return { value };
}

/** Waits for what the tool has not answered at once, until its deadline. */
function* inTime({ tool, context, work }: Call, pending: PromiseLike<unknown>): Steps<unknown> {
  const timeoutMs = tool.timeoutMs ?? work.scope.config.toolExecution?.timeoutMs ?? 300_000;
  const deadline = work.run.deadlines.set(timeoutMs, () => {
    const error = new ToolTimeoutError(`Tool '${tool.name}' did not answer within ${timeoutMs} ms.`);
    context.abort(error);
    work.control.wait?.interrupt(error);
  });
  try {
    return yield pending;
  } finally {
    work.run.deadlines.cancel(deadline);
  }
}

/** The tool has returned: output guardrails, then the end hook. */
function* passedOn(made: Call, returned: unknown): Steps<Settled> {
  const isFree = made.tool.outputGuardrails.length === 0;
  const screening: Screened = isFree ? { value: returned } : yield* screened(made, 'output', returned);
  const isError = screening.rejection !== undefined;
  const value = screening.rejection ?? screening.value;
  const told = hookEnd(made, value);
  if (told) yield* wait(told);
  return settled(made.work, { value, isError, verdicts: made.verdicts });
}

function hookStart({ work, agent, context, tool, toolCall }: Call): MaybePromise<void> | undefined {
  return work.scope.fire(agent, (hooks) => hooks.onToolStart?.({ context, agent, tool, toolCall }));
}

function hookEnd({ work, agent, context, tool, toolCall }: Call, output: unknown): MaybePromise<void> | undefined {
  return work.scope.fire(agent, (hooks) => hooks.onToolEnd?.({ context, agent, tool, toolCall, output }));
}

/** An agent used as a tool has ended: its output goes the way of any tool's. */
function* settleNested(made: Call, ended: LoopState): Steps<Settled> {
  const { nested } = made.tool;
  const { output, error } = nested
    ? yield* endNested(made.work, nested, ended)
    : { output: undefined, error: new Error('This tool is no agent.') };
  return error === undefined ? yield* passedOn(made, output) : yield* failedCall(made, error);
}

function* failedCall(made: Call, error: unknown): Steps<Settled> {
  const timedOut = error instanceof ToolTimeoutError;
  const words = error instanceof Error ? error.message : outputText(error);
  const message = timedOut ? words : `An error occurred while running the tool. Please try again. Error: ${words}`;
  const outcome = yield* troubled(made, { kind: timedOut ? 'timeout' : 'error', message, error });
  yield* wait(hookEnd(made, outcome.value));
  return outcome;
}

/** What went wrong, in words for the model; with `errorFunction: null` it fails the run. */
function* troubled({ tool, context, work, verdicts }: Call, trouble: Trouble): Steps<OutcomeOfCall> {
  const { errorFunction, name } = tool;
  const { kind, message, error = message } = trouble;
  if (errorFunction === null && kind !== 'approval_rejected') {
    const why = kind === 'invalid_arguments' ? 'its arguments were invalid' : 'see the cause';
    throw new ToolCallError(`Tool '${name}' failed: ${why}.`, { cause: error });
  }
  const value = yield* inWords(work, { context, trouble, errorFunction: errorFunction ?? undefined });
  return settled(work, { value, isError: true, verdicts });
}

function* notFound(work: Work<'run_tool'>, known: readonly string[], context: CallContext): Steps<Settled> {
  const { name } = work.effect.call;
  const offered = known.length === 0 ? 'There are no tools.' : `Available tools: ${known.join(', ')}.`;
  if (work.scope.config.toolNotFoundBehavior === 'raise') {
    const { agent } = work.effect;
    throw new ModelBehaviorError(`The model called '${name}', which agent '${agent}' does not have. ${offered}`);
  }
  const trouble: Trouble = { kind: 'tool_not_found', message: `Tool '${name}' not found. ${offered}` };
  const value = yield* inWords(work, { context, trouble, errorFunction: undefined });
  return settled(work, { value, isError: true, verdicts: null });
}

type OutcomeOfCall = Extract<Settled, { type: 'tool_settled' }>;

/** What a call came to. Only a tool that has run to its end gives no error. */
function settled(
  { effect }: Work<'run_tool'>,
  { value, isError, verdicts }: { value: unknown; isError: boolean; verdicts: Call['verdicts'] },
): OutcomeOfCall {
  const { callId } = effect.call;
  const output = outputItem(effect, value);
  return { type: 'tool_settled', callId, output, value, isError, ran: !isError, verdicts };
}

/** Hooks and guardrails are shown every call as a function call, a provider's own kinds too. */
function asFunctionCall({ call, decision }: EffectOf<'run_tool'>): FunctionCallItem {
  const edited = editedArguments(decision);
  const { item, callId, name } = call;
  if (item.type !== 'function_call') return { type: 'function_call', call_id: callId, name, arguments: call.arguments };
  return edited === undefined ? item : { ...item, arguments: edited };
}
