import type { AnyAgent, ToolResult } from '../../agent/agent.ts';
import type { OutputGuardrail } from '../../agent/guardrails.ts';
import { outputText } from '../../agent/agent-tool.ts';
import { issuesText } from '../../agent/schema/parse-arguments.ts';
import {
  type AgentsError,
  ContentFilterError,
  LimitReachedError,
  misfit,
  MaxTurnsExceededError,
  ModelBehaviorError,
  ModelRefusalError,
  OutputGuardrailTripwireTriggered,
  OutputTruncatedError,
  UserError,
} from '../../errors.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { Candidate } from '../../loop/state.ts';
import type { MessageItem } from '../../protocol/items.ts';
import { parseJson } from '../../protocol/json.ts';
import type { GuardrailResult } from '../../protocol/verdicts.ts';
import type { ErrorHandlerName } from '../config.ts';
import { dataOf } from '../result.ts';
import { settle, wait, waitAll, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';
import { verdictOf } from './check-input.ts';

/** What an answer, the tools or an error handler came to. */
type Verdict =
  | { type: 'final'; output: unknown; items?: readonly MessageItem[] }
  | { type: 'again'; items: readonly MessageItem[]; reask: boolean }
  | Problem;
/** What ends the run unless its handler answers. */
type Problem = { type: 'error'; handler: ErrorHandlerName; error: AgentsError };

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
    case 'max_turns':
      return problem(
        'maxTurns',
        new MaxTurnsExceededError(
          `The run used up its ${work.effect.state.options.maxTurns} turns; raise maxTurns to go on from its state.`,
        ),
      );
    case 'limit': {
      const { limit } = candidate;
      return problem(
        'limitReached',
        new LimitReachedError(`The run reached limits.${limit}; raise it to go on from its state.`, { limit }),
      );
    }
  }
}

function problem(handler: ErrorHandlerName, error: AgentsError): Problem {
  return { type: 'error', handler, error };
}

function* judgedTools({ scope }: Work<'finish'>, agent: AnyAgent, toolResults: readonly ToolResult[]): Steps<Verdict> {
  const again: Verdict = { type: 'again', items: [], reask: false };
  const behavior = agent.toolUseBehavior;
  if (behavior === 'run_llm_again') return again;
  if (typeof behavior === 'function') {
    const choice = yield* wait(behavior({ runContext: scope.contextOf(agent), toolResults }));
    return choice.isFinalOutput ? { type: 'final', output: choice.finalOutput } : again;
  }
  const chosen = toolResults.find(
    ({ toolName }) => behavior === 'stop_on_first_tool' || behavior.stopAtToolNames.includes(toolName),
  );
  return chosen ? { type: 'final', output: chosen.output } : again;
}

/** Nothing but a normal end becomes the final output silently. */
function judgedStop(
  { text, refusal, stop }: Extract<Candidate, { type: 'answer' }>,
  agent: AnyAgent,
): Problem | undefined {
  const partialText = text ?? '';
  const of = `of agent '${agent.name}'`;
  if (refusal !== null || stop === 'refusal') {
    const message = `The model ${of} refused; errorHandlers.modelRefusal may answer instead.`;
    return problem('modelRefusal', new ModelRefusalError(message, { refusal: refusal ?? partialText }));
  }
  if (stop === 'content_filter') {
    const message = `A content filter ended the answer ${of}.`;
    return problem('contentFilter', new ContentFilterError(message, { partialText }));
  }
  if (stop !== 'length') return undefined;
  const message = `The answer ${of} hit the output limit; raise modelSettings.maxTokens.`;
  return problem('outputTruncated', new OutputTruncatedError(message, { partialText }));
}

function* judgedText({ effect, scope }: Work<'finish'>, agent: AnyAgent, text: string | null): Steps<Verdict> {
  const schema = scope.outputOf(agent);
  if (schema === undefined) return { type: 'final', output: text ?? '' };
  const value = text ? parseJson(text) : undefined;
  const read = value === undefined ? undefined : yield* wait(schema.read(value));
  if (read && !read.issues) return { type: 'final', output: read.value };
  const wrong = read ? issuesText(read.issues) : `it is ${text ? 'not valid JSON' : 'empty'}`;
  if (effect.state.reasks < agent.outputRetries) {
    const content = `Your answer does not fit the required output: ${wrong}. Answer again with only the JSON value.`;
    return { type: 'again', reask: true, items: [{ type: 'message', role: 'user', content }] };
  }
  const message = `The answer of agent '${agent.name}' does not fit its outputType: ${wrong}.`;
  return problem('invalidFinalOutput', new ModelBehaviorError(message));
}

function* handled({ scope, run, effect }: Work<'finish'>, verdict: Problem): Steps<Verdict> {
  const { errorHandlers } = scope;
  const name = errorHandlers[verdict.handler] ? verdict.handler : 'default';
  const agent = scope.agent(effect.agent);
  const { error } = verdict;
  const answer = yield* wait(
    errorHandlers[name]?.({ error, runContext: scope.contextOf(agent), runData: dataOf(run, scope, effect.state) }),
  );
  if (answer === undefined || answer === null) return verdict;
  const field = `errorHandlers.${name}`;
  if (typeof answer !== 'object' || !('finalOutput' in answer))
    throw misfit(field, '{ finalOutput }, or undefined to let the error stand', answer);
  const { finalOutput, includeInHistory = true } = answer;
  const read = yield* wait(scope.outputOf(agent)?.read(finalOutput) ?? { value: finalOutput });
  if (read.issues)
    throw new UserError(
      `${field}: its finalOutput does not fit the outputType of agent '${agent.name}': ${issuesText(read.issues)}.`,
      { cause: error },
    );
  const message: MessageItem = {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'output_text', text: outputText(finalOutput) }],
  };
  return { type: 'final', output: read.value, items: includeInHistory ? [message] : [] };
}

type Final = { agent: AnyAgent; output: unknown; items: readonly MessageItem[] };

/** Lets the output guardrails of the agent and of the run look at the final output, all at the same time. */
function* guarded(work: Work<'finish'>, { agent, output, items }: Final): Steps<Settled> {
  const { scope, run, effect } = work;
  const guardrails = [...agent.outputGuardrails, ...(scope.config.outputGuardrails ?? [])];
  if (guardrails.length === 0) return { type: 'finished', output, items, verdicts: [] };
  const at = { runContext: scope.contextOf(agent), agent, output };
  const answers = yield* waitAll(guardrails.map((guardrail) => settle(answerOf(work, guardrail, at))));
  const verdicts = answers.flatMap(({ result }) => result ?? []);
  const tripped = verdicts.find((verdict) => verdict.output.tripwireTriggered);
  if (tripped) {
    const message = `Output guardrail '${tripped.guardrail}' tripped.`;
    const failure = run.failure(effect, new OutputGuardrailTripwireTriggered(message, { result: tripped }));
    return { type: 'failed', failure, usage: null, tripped: { verdicts } };
  }
  for (const { error } of answers) if (error instanceof Error) throw error;
  return { type: 'finished', output, items, verdicts };
}

type At = Parameters<OutputGuardrail<never>['execute']>[0];

/** An error is a value here, so that all guardrails are heard. */
function* answerOf(
  work: Work<'finish'>,
  guardrail: OutputGuardrail<never>,
  at: At,
): Steps<{ result?: GuardrailResult; error?: unknown }> {
  try {
    const output = yield* verdictOf(work, guardrail, { at, of: 'the output' });
    return { result: { guardrail: guardrail.name, agent: at.agent.name, output } };
  } catch (error) {
    return { error };
  }
}
