import { UserError, type Agent, type InputItem, type Item, type RunResult, type Usage } from '@polyrun/core';
import { verdictFrom, type Verdict } from '@polyrun/core/durable';
import {
  InvocationIdParser,
  TerminalError,
  workflow,
  type WorkflowContext,
  type WorkflowDefinition,
  type WorkflowOptions,
  type WorkflowSharedContext,
} from '@restatedev/restate-sdk';
import type { AskedQuestion } from './approvals.ts';
import { runAsked, type RestateRunOptions } from './run-agent.ts';

/** What a workflow is begun with. */
export type AgentRequest = { readonly input: string | readonly InputItem[] };
/** What a workflow came to, as JSON. */
export type AgentReply<O> = {
  readonly finalOutput: O | undefined;
  readonly lastAgent: string;
  readonly newItems: readonly Item[];
  readonly usage: Usage;
};
/** A person's answer to the question of that id. */
export type AnswerRequest = Verdict & { readonly id: string };

/** The handlers of an agent's workflow. */
export type AgentHandlers<R extends AgentRequest, O> = {
  /** Runs the agent to its final output. */
  run: (ctx: WorkflowContext, request: R) => Promise<AgentReply<O>>;
  /** The calls that wait for a person. */
  questions: (ctx: WorkflowSharedContext) => Promise<readonly AskedQuestion[]>;
  /** Answers one of them. */
  answer: (ctx: WorkflowSharedContext, answer: AnswerRequest) => Promise<void>;
  /** Stops the run: what goes on is aborted, and the workflow ends as cancelled. */
  cancel: (ctx: WorkflowSharedContext) => Promise<void>;
};

/** How an agent becomes a workflow. */
export type AgentWorkflowOptions<C, O, R extends AgentRequest, Name extends string> = {
  /** Of the service, as Restate and its clients know it. */
  name: Name;
  agent: Agent<C, O>;
  /** What each run is given. Called in every attempt: it does nothing but make the options, from what does not change. */
  run?: ((request: R, ctx: WorkflowContext) => RestateRunOptions<C>) | undefined;
  /** Restate's own: retention, timeouts, who may call it. */
  options?: WorkflowOptions | undefined;
};

/**
 * An agent as a Restate workflow: one run for each key. Calls that need approval are asked about, with `questions` and `answer` for
 * people to say so, and `cancel`.
 */
export function agentWorkflow<C, O, R extends AgentRequest = AgentRequest, Name extends string = string>({
  name,
  agent,
  run,
  options,
}: AgentWorkflowOptions<C, O, R, Name>): WorkflowDefinition<Name, AgentHandlers<R, O>> {
  const handlers: AgentHandlers<R, O> = {
    run: async (ctx, request) => {
      ctx.set('invocation', ctx.request().id);
      const board = { show: (questions: readonly AskedQuestion[]) => ctx.set('questions', questions) };
      const input = inputOf(request);
      const asked = { ...run?.(request, ctx), input };
      return replyOf(await runAsked(ctx, { agent, asked, board }));
    },
    questions,
    answer: async (ctx, answer) => {
      const { id, verdict } = await readAnswer(answer, () => questions(ctx));
      ctx.resolveAwakeable(id, verdict);
    },
    cancel: async (ctx) => {
      const id = await ctx.get<string>('invocation');
      if (id === null) throw new TerminalError('cancel: this run has not begun.', { errorCode: 404 });
      ctx.invocation(InvocationIdParser.fromString(id)).cancel();
    },
  };
  return workflow({ name, handlers, options: options ?? {} });
}

async function questions(ctx: WorkflowSharedContext): Promise<readonly AskedQuestion[]> {
  return (await ctx.get<readonly AskedQuestion[]>('questions')) ?? [];
}

/** Whoever sends no answer is told so; the run goes on waiting. */
async function readAnswer(
  sent: AnswerRequest,
  open: () => Promise<readonly AskedQuestion[]>,
): Promise<{ id: string; verdict: Verdict }> {
  const question = (await open()).find(({ id }) => id === sent?.id);
  if (!question)
    throw new TerminalError('answer.id: no call waits under it; take one of questions.', { errorCode: 404 });
  try {
    return { id: question.id, verdict: verdictFrom(sent, question) };
  } catch (error) {
    if (error instanceof UserError) throw new TerminalError(error.message, { errorCode: 400 });
    throw error;
  }
}

function inputOf(request: AgentRequest): AgentRequest['input'] {
  if (typeof request?.input === 'string' || Array.isArray(request?.input)) return request.input;
  throw new TerminalError('input: expected a string or a list of items.', { errorCode: 400 });
}

function replyOf<C, O>({ finalOutput, lastAgent, newItems, usage }: RunResult<C, O>): AgentReply<O> {
  return { finalOutput, lastAgent: lastAgent.name, newItems: newItems.map((item) => item.toInputItem()), usage };
}
