import {
  isFields,
  parseJson,
  RunState,
  UserError,
  type Agent,
  type AnyAgent,
  type InputItem,
  type Item,
  type Json,
  type RunResult,
  type Tool,
  type Usage,
} from '@polyrun/core';
import { runDurably, type DurableOptions, type DurableStep } from '@polyrun/core/durable';
import {
  ActivityCancellationType,
  proxyActivities,
  setHandler,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { AgentActivities, Outline } from '../outline.ts';
import { Approvals, type AskedQuestion, type CarriedAnswers } from './approvals.ts';
import { TemporalEngine } from './engine.ts';
import { answer, checkedAnswer, progress, questions } from './messages.ts';
import { outlinedAgent, workersSession } from './outlined-agent.ts';
import { completeSandbox } from './sandbox.ts';

export type WorkflowRunOptions = {
  input: string | readonly InputItem[];
  /** Given to the workers' `options`, and to tools that run inside the workflow. */
  context?: Json | undefined;
  /** Beats what the workers' `options` say. */
  maxTurns?: number | null | undefined;
  /** Tools of these names run inside the workflow, where they may sleep for days, wait for signals or start child workflows. */
  tools?: readonly Tool[] | undefined;
  /** How activities are run. Default: an hour for each try, a heartbeat within 30 seconds, tried again for ever. */
  activity?: ActivityOptions | undefined;
  /** The same for the calls of one tool, by its name: another task queue, fewer tries. */
  toolActivity?: { readonly [toolName: string]: ActivityOptions } | undefined;
  /** Tells people of a call that waits for approval, by an activity of yours. */
  onQuestion?: ((question: AskedQuestion) => Promise<void>) | undefined;
  /** After so much time without an answer a call is rejected. Default: a call waits for ever. */
  answerWithinMs?: number | undefined;
  /** Goes on as a new execution: calls `continueAsNew` with what it is given, which comes back as `carried`. Without it histories grow. */
  continueWith?: ((carried: string) => Promise<never>) | undefined;
  /** Events of the history after which `continueWith` is called, between two turns. Default: when the server suggests it. */
  maxHistoryEvents?: number | undefined;
  /** What the execution before this one has carried over. */
  carried?: string | undefined;
};

/** What a run came to, as JSON. */
export type AgentReply<O> = {
  readonly finalOutput: O | undefined;
  readonly lastAgent: string;
  readonly newItems: readonly Item[];
  readonly usage: Usage;
};
/** The final output of an agent: `OutputOf<typeof agent>`. */
export type OutputOf<A extends AnyAgent> = A extends Agent<never, infer O> ? O : unknown;

const defaultActivity: ActivityOptions = {
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  // A step that is cancelled tells what it has cost.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
};

/**
 * Runs an agent inside a workflow: each effect of the run is an activity of a worker that has the agent of this name. Rejects with an
 * `ApplicationFailure` of the error's name, not to be tried again, when the run fails by itself; with what cancelled the scope it is called in, once
 * that is cancelled. `import type` the agent for the type of its output: `runAgent<typeof assistant>('assistant', …)`. One run at a time.
 */
export async function runAgent<A extends AnyAgent = AnyAgent>(
  agent: string,
  options: WorkflowRunOptions,
): Promise<AgentReply<OutputOf<A>>> {
  completeSandbox();
  const carried = options.carried === undefined ? undefined : carriedFrom(options.carried);
  const isOver = () => options.continueWith !== undefined && isLong(options.maxHistoryEvents);
  const asked = carried ? Promise.resolve(carried.outline) : askOutline(agent, options);
  const engine = new TemporalEngine({ isOver, perform: performer(agent, options, asked) });
  const { onQuestion, answerWithinMs } = options;
  const ask = async (question: AskedQuestion) => onQuestion?.(question);
  const approvals = new Approvals({ ask, answerWithinMs, isOver }, carried?.answers);
  // Before anything is waited for: whoever asks early is answered, too.
  listen(engine, approvals);
  const outline = await asked;
  const known = outlinedAgent<OutputOf<A>>(outline, options.tools ?? []);
  const result = await runDurably(engine, {
    agent: known,
    input: carried ? RunState.fromString(known, carried.run) : options.input,
    options: { ...durableOptions(options, outline), decide: approvals.decide.bind(approvals) },
  });
  if (engine.cancelled !== undefined) throw engine.cancelled;
  if (options.continueWith && (engine.carries || result.interruptions.length > 0))
    return options.continueWith(
      JSON.stringify({ run: result.state.toString(), outline, answers: approvals.carried() }),
    );
  return replyOf(result);
}

/** What is made known of the agents once, and recorded. */
function askOutline(agent: string, { activity, context = null }: WorkflowRunOptions): Promise<Outline> {
  return activities({ activity, summary: agent })['agent.outline']({ agent, context });
}

function performer(agent: string, options: WorkflowRunOptions, asked: Promise<Outline>) {
  const inside = new Set(options.tools?.map(({ name }) => name));
  const { context = null, activity, toolActivity = {} } = options;
  return async (step: DurableStep): Promise<string> => {
    const { id, type, toolName = '' } = step;
    const outline = await asked;
    if (type === 'run_tool' && inside.has(toolName)) return step.perform();
    if (type === 'run_end' && !outline.endHook) return step.perform();
    const own = type === 'run_tool' ? toolActivity[toolName] : undefined;
    const summary = type === 'run_tool' ? `${id} ${toolName}` : id;
    const request = { agent, context, version: outline.version, step: step.describe() };
    return activities({ activity: { ...activity, ...own }, summary })[`agent.${type}`](request);
  };
}

function activities(how: { activity: ActivityOptions | undefined; summary: string }): AgentActivities {
  return proxyActivities<AgentActivities>({ ...defaultActivity, summary: how.summary, ...how.activity });
}

function durableOptions(options: WorkflowRunOptions, outline: Outline): DurableOptions<unknown> {
  const { limits, maxConcurrency } = outline;
  return {
    context: options.context,
    maxTurns: options.maxTurns === undefined ? outline.maxTurns : options.maxTurns,
    // The step at the end is also what tells the engine how the run ended.
    hooks: { onRunEnd: () => undefined },
    runConfig: { limits, toolExecution: { maxConcurrency } },
    ...(outline.session && { session: workersSession }),
  };
}

function listen(engine: TemporalEngine, approvals: Approvals): void {
  setHandler(answer, (sent) => approvals.take(sent));
  setHandler(checkedAnswer, (sent) => approvals.take(sent), { validator: (sent) => approvals.check(sent) });
  setHandler(questions, () => approvals.open);
  setHandler(progress, () => ({
    state: engine.state?.toString() ?? null,
    steps: engine.steps,
    questions: approvals.open,
  }));
}

function isLong(maxEvents: number | undefined): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return maxEvents === undefined ? continueAsNewSuggested : historyLength >= maxEvents;
}

type Carried = { readonly run: string; readonly outline: Outline; readonly answers: CarriedAnswers };

function carriedFrom(text: string): Carried {
  const carried = parseJson(text);
  if (isCarried(carried)) return carried;
  throw new UserError('carried: expected what continueWith was given.');
}

function isCarried(value: unknown): value is Carried {
  return isFields(value) && typeof value['run'] === 'string' && isFields(value['outline']);
}

function replyOf<O>({ finalOutput, lastAgent, newItems, usage }: RunResult<unknown, O>): AgentReply<O> {
  return { finalOutput, lastAgent: lastAgent.name, newItems: newItems.map((item) => item.toInputItem()), usage };
}
