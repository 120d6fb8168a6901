import type { AnyAgent, ToolResult } from '../../agent/agent.ts';
import type { OutputGuardrail } from '../../agent/guardrails.ts';
import { outputText } from '../../agent/agent-tool.ts';
import { issuesText } from '../../agent/schema/parse-arguments.ts';
import {
  type AgentsError,
  ContentFilterError,
  type GuardrailExecutionError,
  LimitReachedError,
  MaxTurnsExceededError,
  ModelBehaviorError,
  ModelRefusalError,
  OutputGuardrailTripwireTriggered,
  OutputTruncatedError,
  UserError,
} from '../../errors.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { Candidate, EndCause } from '../../loop/state.ts';
import type { MessageItem } from '../../protocol/items.ts';
import { parseJson } from '../../protocol/json.ts';
import { nameOf } from '../../protocol/validate.ts';
import type { GuardrailResult } from '../../protocol/verdicts.ts';
import type { ErrorHandlerName } from '../config.ts';
import { dataOf } from '../result.ts';
import { settle, wait, waitAll, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';
import { brokenGuardrail } from './check-input.ts';

/** What an answer, the tools or an error handler came to. */
type Verdict =
  | { type: 'final'; output: unknown; items?: readonly MessageItem[] }
  | { type: 'again'; items: readonly MessageItem[]; reask: boolean }
  | { type: 'error'; error: AgentsError; handler: ErrorHandlerName };

/** Decides whether the run ends here: tool use behaviour, output type, error handlers; then the agent end hook and output guardrails. */
export function* finish(work: Work<'finish'>): Steps<Settled> {
  const { effect, scope } = work;
  const agent = scope.agent(effect.agent);
  let verdict = yield* judged(work, agent);
  if (verdict.type === 'error') verdict = yield* handled(work, verdict);
  if (verdict.type === 'error') throw verdict.error;
  if (verdict.type === 'again') return { type: 'continued', items: verdict.items, reask: verdict.reask };
  const { output, items = [] } = verdict;
  yield* wait(scope.fire(agent, (hooks) => hooks.onAgentEnd?.({ runContext: scope.contextOf(agent), agent, output })));
  return yield* guarded(work, { agent, output, items });
}

function* judged(work: Work<'finish'>, agent: AnyAgent): Steps<Verdict> {
  const { candidate } = work.effect;
  switch (candidate.type) {
    case 'tools':
      return yield* judgedTools(work, agent, candidate.results);
    case 'answer':
      return judgedStop(candidate, agent) ?? (yield* judgedText(work, agent, candidate.text));
    default:
      return { type: 'error', ...reached(work, candidate) };
  }
}

function* judgedTools({ scope }: Work<'finish'>, agent: AnyAgent, toolResults: readonly ToolResult[]): Steps<Verdict> {
  const again: Verdict = { type: 'again', items: [], reask: false };
  const behavior = agent.toolUseBehavior;
  if (typeof behavior === 'function') {
    const choice = yield* wait(behavior({ runContext: scope.contextOf(agent), toolResults }));
    return choice.isFinalOutput ? { type: 'final', output: choice.finalOutput } : again;
  }
  if (behavior === 'run_llm_again') return again;
  const names = behavior === 'stop_on_first_tool' ? undefined : behavior.stopAtToolNames;
  const chosen = toolResults.find(({ toolName }) => names === undefined || names.includes(toolName));
  return chosen ? { type: 'final', output: chosen.output } : again;
}

/** Nothing but a normal end becomes the final output silently. */
function judgedStop(
  { text, refusal, stop }: Extract<Candidate, { type: 'answer' }>,
  agent: AnyAgent,
): Verdict | undefined {
  const partialText = text ?? '';
  if (refusal !== null || stop === 'refusal') {
    const error = new ModelRefusalError(
      `The model of agent '${agent.name}' refused to answer; errorHandlers.modelRefusal may answer instead.`,
      {
        refusal: refusal ?? partialText,
      },
    );
    return { type: 'error', error, handler: 'modelRefusal' };
  }
  if (stop === 'content_filter') {
    const error = new ContentFilterError(`The provider's content filter ended the answer of agent '${agent.name}'.`, {
      partialText,
    });
    return { type: 'error', error, handler: 'contentFilter' };
  }
  if (stop === 'length') {
    const error = new OutputTruncatedError(
      `The answer of agent '${agent.name}' hit the output limit; raise modelSettings.maxTokens.`,
      { partialText },
    );
    return { type: 'error', error, handler: 'outputTruncated' };
  }
  return undefined;
}

function* judgedText({ effect, scope }: Work<'finish'>, agent: AnyAgent, text: string | null): Steps<Verdict> {
  const schema = scope.outputOf(agent);
  if (schema === undefined) return { type: 'final', output: text ?? '' };
  const value = text === null || text === '' ? undefined : parseJson(text);
  const read =
    value === undefined
      ? { issues: [{ message: text ? 'it is not valid JSON' : 'it is empty' }] }
      : yield* wait(schema.read(value));
  if (!read.issues) return { type: 'final', output: read.value };
  const problem = issuesText(read.issues);
  if (effect.state.reasks < agent.outputRetries) {
    const content = `Your answer does not fit the required output: ${problem}. Answer again with only the JSON value.`;
    return { type: 'again', reask: true, items: [{ type: 'message', role: 'user', content }] };
  }
  const error = new ModelBehaviorError(`The answer of agent '${agent.name}' does not fit its outputType: ${problem}.`);
  return { type: 'error', error, handler: 'invalidFinalOutput' };
}

function reached({ effect }: Work<'finish'>, cause: EndCause): { error: AgentsError; handler: ErrorHandlerName } {
  if (cause.type === 'max_turns') {
    const { maxTurns } = effect.state.options;
    return {
      error: new MaxTurnsExceededError(
        `The run used up its ${maxTurns} turns; raise maxTurns to go on from this error's state.`,
      ),
      handler: 'maxTurns',
    };
  }
  const { limit } = cause;
  return {
    error: new LimitReachedError(`The run reached limits.${limit}; raise it to go on from this error's state.`, {
      limit,
    }),
    handler: 'limitReached',
  };
}

function* handled({ scope, effect }: Work<'finish'>, verdict: Extract<Verdict, { type: 'error' }>): Steps<Verdict> {
  const handler = scope.errorHandlers[verdict.handler] ?? scope.errorHandlers.default;
  if (handler === undefined) return verdict;
  const agent = scope.agent(effect.agent);
  const { error } = verdict;
  const answer = yield* wait(
    handler({ error, runContext: scope.contextOf(agent), runData: dataOf(scope, effect.state) }),
  );
  if (answer === undefined || answer === null) return verdict;
  if (typeof answer !== 'object' || !('finalOutput' in answer)) {
    throw new UserError(
      `errorHandlers.${verdict.handler}: expected { finalOutput }, got ${nameOf(answer)}; return undefined to let the error stand.`,
    );
  }
  const { finalOutput, includeInHistory = true } = answer;
  const message: MessageItem = {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'output_text', text: outputText(finalOutput) }],
  };
  return { type: 'final', output: finalOutput, items: includeInHistory ? [message] : [] };
}

type Final = { agent: AnyAgent; output: unknown; items: readonly MessageItem[] };

/** Lets the output guardrails of the agent and of the run look at the final output, all at the same time. */
function* guarded(work: Work<'finish'>, { agent, output, items }: Final): Steps<Settled> {
  const { scope, run, effect } = work;
  const guardrails = [...agent.outputGuardrails, ...(scope.config.outputGuardrails ?? [])];
  if (guardrails.length === 0) return { type: 'finished', output, items, verdicts: [] };
  const at = { runContext: scope.contextOf(agent), agent, output };
  const answers = yield* waitAll(guardrails.map((guardrail) => settle(verdictOf(work, guardrail, at))));
  const verdicts = answers.flatMap(({ result }) => result ?? []);
  const tripped = verdicts.find(({ output: verdict }) => verdict.tripwireTriggered);
  const broken = answers.find(({ error }) => error)?.error;
  if (tripped === undefined && broken) throw broken;
  if (tripped === undefined) return { type: 'finished', output, items, verdicts };
  const error = new OutputGuardrailTripwireTriggered(`The output guardrail '${tripped.guardrail}' tripped.`, {
    result: tripped,
  });
  return { type: 'failed', failure: run.failure(effect, error), usage: null, tripped: { verdicts } };
}

type At = Parameters<OutputGuardrail<never>['execute']>[0];

type Answer = { result?: GuardrailResult; error?: GuardrailExecutionError };

/** An error is a value here, so that all guardrails are heard. */
function* verdictOf({ run, control }: Work<'finish'>, guardrail: OutputGuardrail<never>, at: At): Steps<Answer> {
  const { name } = guardrail;
  const span = run.spans?.part(control, 'guardrail', name);
  try {
    const { tripwireTriggered, ...output } = yield* wait(guardrail.execute(at));
    span?.end({ data: { triggered: tripwireTriggered } });
    return { result: { guardrail: name, agent: at.agent.name, output: { tripwireTriggered, ...output } } };
  } catch (cause) {
    span?.end({ error: cause });
    return { error: brokenGuardrail(`output guardrail '${name}'`, cause) };
  }
}
