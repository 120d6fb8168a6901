import type { AnyAgent } from '../../agent/agent.ts';
import { ModelError, UserError } from '../../errors.ts';
import type { Settled } from '../../loop/outcome.ts';
import { localCall } from '../../loop/respond.ts';
import type { ServerState } from '../../loop/state.ts';
import { newToModel } from '../../loop/turn.ts';
import type { OutputItem } from '../../protocol/items.ts';
import { isFields } from '../../protocol/json.ts';
import type { ModelRequest } from '../../protocol/request.ts';
import type { ModelResponse } from '../../protocol/response.ts';
import { nameOf } from '../../protocol/validate.ts';
import { acceptItem } from '../../transcript/accept.ts';
import type { CallIds } from '../../transcript/call-ids.ts';
import { asRan } from '../../transcript/edits.ts';
import { Attempts } from '../attempts.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';

const mostPauses = 10;

/** Calls the model of a turn: hooks around it, retries and pauses within it. The outcome holds every response and all it cost. */
export function* callModel(work: Work<'call_model'>): Steps<Settled> {
  const { effect, scope, control } = work;
  const agent = scope.agent(effect.agent);
  const request = requestOf(work);
  if (scope.hooks?.onModelStart ?? agent.hooks?.onModelStart) {
    const told = { ...request, input: request.input.slice() };
    yield* wait(
      scope.fire(agent, (hooks) => hooks.onModelStart?.({ runContext: scope.contextOf(agent), agent, request: told })),
    );
  }
  const attempts = new Attempts(work, scope.modelOf(agent));
  control.spent = attempts;
  const responses: ModelResponse[] = [];
  let asked = request;
  for (;;) {
    const response = yield* received(yield* attempts.call(asked), agent, work);
    responses.push(response);
    if (response.stop.type !== 'pause' || response.output.some((item) => localCall(item, effect.plan))) break;
    if (responses.length > mostPauses) {
      throw new ModelError({
        kind: 'protocol',
        message: `The model paused ${mostPauses} times in one turn without an answer.`,
      });
    }
    asked = continued(asked, response, effect.state.server);
  }
  return { type: 'responded', responses, usage: attempts.usage };
}

function requestOf({ effect, scope }: Work<'call_model'>): ModelRequest {
  const { plan, state } = effect;
  return { ...plan.request, input: asRan(plan.input ?? newToModel(state), scope.edits(state.log)) };
}

/** The request after a pause. A provider that keeps the conversation has what it said. */
function continued(asked: ModelRequest, { id, output }: ModelResponse, server: ServerState | null): ModelRequest {
  if (server === null || (server.chain && id === undefined)) return { ...asked, input: [...asked.input, ...output] };
  return server.chain && id !== undefined ? { ...asked, input: [], previousResponseId: id } : { ...asked, input: [] };
}

/** A response as the run goes on with it: edited by the user's filter, checked, its call ids unique in the conversation. */
function* received(
  response: ModelResponse,
  agent: AnyAgent,
  { effect, scope }: Work<'call_model'>,
): Steps<ModelResponse> {
  const { callModelOutputFilter } = scope.config;
  const runContext = scope.contextOf(agent);
  const edited = callModelOutputFilter
    ? checkedResponse(yield* wait<unknown>(callModelOutputFilter({ response, agent, runContext })))
    : response;
  const output = acceptedOutput(edited, () => scope.callIds(effect.state.log));
  const accepted = output === edited.output ? edited : { ...edited, output };
  if (scope.hooks?.onModelEnd ?? agent.hooks?.onModelEnd) {
    yield* wait(scope.fire(agent, (hooks) => hooks.onModelEnd?.({ runContext, agent, response: accepted })));
  }
  return accepted;
}

function checkedResponse(value: unknown): ModelResponse {
  if (isResponse(value)) return value;
  throw new UserError(
    `runConfig.callModelOutputFilter: expected a model response, got ${nameOf(value)}; return the response to go on with.`,
  );
}

function isResponse(value: unknown): value is ModelResponse {
  return isFields(value) && Array.isArray(value['output']) && isFields(value['usage']) && isFields(value['stop']);
}

function acceptedOutput({ output }: ModelResponse, callIds: () => CallIds): readonly OutputItem[] {
  const accepted = output.map((item) => acceptItem(item, item?.origin?.provider ?? 'openai', callIds));
  return accepted.every((item, index) => item === output[index]) ? output : accepted;
}
