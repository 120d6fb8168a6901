import type { AnyAgent } from '../../agent/agent.ts';
import { ModelError, UserError } from '../../errors.ts';
import type { Settled } from '../../loop/outcome.ts';
import { localCall } from '../../loop/respond.ts';
import type { ServerState, TurnPlan } from '../../loop/state.ts';
import { newToModel } from '../../loop/turn.ts';
import type { OutputItem } from '../../protocol/items.ts';
import type { ModelRequest } from '../../protocol/request.ts';
import type { ModelResponse } from '../../protocol/response.ts';
import { nameOf } from '../../protocol/validate.ts';
import { acceptItem } from '../../transcript/accept.ts';
import type { CallIds } from '../../transcript/call-ids.ts';
import { asRan } from '../../transcript/edits.ts';
import { Attempts, isResponse } from '../attempts.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';

const mostPauses = 10;

/** Calls the model of a turn: hooks around it, retries and pauses within it. The outcome holds every response and all it cost. */
export function* callModel(work: Work<'call_model'>): Steps<Settled> {
  const { effect, scope, control } = work;
  const agent = scope.agent(effect.agent);
  const request = requestOf(work);
  if (scope.hooks?.onModelStart ?? agent.hooks?.onModelStart) {
    const shown = shownToHooks(request);
    yield* wait(
      scope.fire(agent, (hooks) => hooks.onModelStart?.({ runContext: scope.contextOf(agent), agent, request: shown })),
    );
  }
  const attempts = new Attempts(work, scope.modelOf(agent));
  control.spent = attempts;
  const responses: ModelResponse[] = [];
  const filters = scope.config.callModelOutputFilter !== undefined;
  const hooked = (scope.hooks?.onModelEnd ?? agent.hooks?.onModelEnd) !== undefined;
  let asked = request;
  for (;;) {
    const answer = yield* attempts.call(asked);
    const response = acceptedResponse(filters ? yield* filtered(answer, agent, work) : answer, work);
    if (hooked) yield* told(response, agent, work);
    responses.push(response);
    if (!isPause(response, effect.plan)) return { type: 'responded', responses, usage: attempts.usage };
    asked = continued(asked, responses, effect.state.server);
  }
}

/** The request as hooks see it: its input is copied when one looks, for the log that it is a part of goes on growing. */
function shownToHooks({ input, ...request }: ModelRequest): ModelRequest {
  const { length } = input;
  return {
    ...request,
    get input() {
      return input.slice(0, length);
    },
  };
}

function requestOf({ effect, scope }: Work<'call_model'>): ModelRequest {
  const { plan, state } = effect;
  return { ...plan.request, input: asRan(plan.input ?? newToModel(state), scope.edits(state.log)) };
}

/** True when the provider is to go on by itself. With a call for this side, the turn is over all the same. */
function isPause({ stop, output }: ModelResponse, plan: TurnPlan): boolean {
  return stop.type === 'pause' && !output.some((item) => localCall(item, plan));
}

/** The request after a pause. A provider that keeps the conversation has what it said. */
function continued(asked: ModelRequest, responses: readonly ModelResponse[], server: ServerState | null): ModelRequest {
  if (responses.length > mostPauses) {
    const message = `The model paused ${mostPauses} times in one turn without an answer.`;
    throw new ModelError({ kind: 'protocol', message });
  }
  const { id, output = [] } = responses.at(-1) ?? {};
  const paused = id === undefined ? asked : { ...asked, pausedResponseId: id };
  if (server === null || (server.chain && id === undefined)) return { ...paused, input: [...asked.input, ...output] };
  return server.chain && id !== undefined ? { ...paused, input: [], previousResponseId: id } : { ...paused, input: [] };
}

/** A response as the user's filter wants it. */
function* filtered(response: ModelResponse, agent: AnyAgent, { scope }: Work<'call_model'>): Steps<ModelResponse> {
  const runContext = scope.contextOf(agent);
  return checkedResponse(yield* wait<unknown>(scope.config.callModelOutputFilter?.({ response, agent, runContext })));
}

function* told(response: ModelResponse, agent: AnyAgent, { scope }: Work<'call_model'>): Steps<void> {
  const runContext = scope.contextOf(agent);
  yield* wait(scope.fire(agent, (hooks) => hooks.onModelEnd?.({ runContext, agent, response })));
}

/** A response as the run goes on with it: checked, its call ids unique in the conversation. */
function acceptedResponse(response: ModelResponse, { effect, scope }: Work<'call_model'>): ModelResponse {
  const output = acceptedOutput(response, () => scope.callIds(effect.state.log));
  return output === response.output ? response : { ...response, output };
}

function checkedResponse(value: unknown): ModelResponse {
  if (isResponse(value)) return value;
  throw new UserError(
    `runConfig.callModelOutputFilter: expected a model response, got ${nameOf(value)}; return the response to go on with.`,
  );
}

function acceptedOutput({ output }: ModelResponse, callIds: () => CallIds): readonly OutputItem[] {
  const accepted = output.map((item) => acceptItem(item, item?.origin?.provider ?? 'openai', callIds));
  return accepted.every((item, index) => item === output[index]) ? output : accepted;
}
