import type { AnyAgent } from '../../agent/agent.ts';
import type { RunContext } from '../../agent/context.ts';
import type { MaybePromise } from '../../agent/maybe-promise.ts';
import { misfit, ModelError } from '../../errors.ts';
import type { Settled } from '../../loop/outcome.ts';
import { localCall } from '../../loop/respond.ts';
import type { ServerState, TurnPlan } from '../../loop/state.ts';
import { newToModel } from '../../loop/turn.ts';
import type { Item } from '../../protocol/items.ts';
import type { ModelRequest } from '../../protocol/request.ts';
import type { ModelResponse } from '../../protocol/response.ts';
import { acceptItem } from '../../transcript/accept.ts';
import { asRan } from '../../transcript/edits.ts';
import { Attempts, isResponse } from '../attempts.ts';
import type { Scope } from '../scope.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';

const mostPauses = 10;

/** Calls the model of a turn: hooks around it, retries and pauses within it. The outcome holds every response and all it cost. */
export function* callModel(work: Work<'call_model'>): Steps<Settled> {
  const { effect, scope, control } = work;
  const agent = scope.agent(effect.agent);
  let request = requestOf(work);
  const began = tellStart(scope, agent, request);
  if (began) yield* wait(began);
  const attempts = new Attempts(work, scope.modelOf(agent));
  control.spent = attempts;
  const { callModelOutputFilter: filter } = scope.config;
  let responses: readonly ModelResponse[] = [];
  for (;;) {
    const answer = yield* attempts.call(request);
    const response = acceptedResponse(
      filter ? checked(yield* wait(filter({ ...at(scope, agent), response: answer }))) : answer,
      work,
    );
    const ended = tellEnd(scope, agent, response);
    if (ended) yield* wait(ended);
    responses = [...responses, response];
    if (!isPause(response, effect.plan)) return { type: 'responded', responses, usage: attempts.usage };
    request = continued(request, responses, effect.state.server);
  }
}

function tellStart(scope: Scope, agent: AnyAgent, request: ModelRequest): MaybePromise<void> | undefined {
  return scope.fire(agent, (hooks) => hooks.onModelStart?.({ ...at(scope, agent), request: shownToHooks(request) }));
}

function tellEnd(scope: Scope, agent: AnyAgent, response: ModelResponse): MaybePromise<void> | undefined {
  return scope.fire(agent, (hooks) => hooks.onModelEnd?.({ ...at(scope, agent), response }));
}

function at(scope: Scope, agent: AnyAgent): { runContext: RunContext<never>; agent: AnyAgent } {
  return { runContext: scope.contextOf(agent), agent };
}

/** The request as hooks see it. */
function shownToHooks({ input, ...request }: ModelRequest): ModelRequest {
  return Object.assign(new Shown(input), request);
}

/** Copies the input when a hook looks, for the log that it is a part of goes on growing. */
class Shown {
  declare readonly input: readonly Item[];
  readonly #items: readonly Item[];
  readonly #length: number;
  // One getter for all: objects with a getter each would have a shape each.
  static readonly #input: PropertyDescriptor & ThisType<Shown> = {
    get() {
      return this.#items.slice(0, this.#length);
    },
    enumerable: true,
  };

  constructor(items: readonly Item[]) {
    this.#items = items;
    this.#length = items.length;
    Object.defineProperty(this, 'input', Shown.#input);
  }
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
    const message = `The model paused ${mostPauses} times in one turn.`;
    throw new ModelError({ kind: 'protocol', message });
  }
  const { id, output = [] } = responses.at(-1) ?? {};
  const paused = id === undefined ? asked : { ...asked, pausedResponseId: id };
  if (server === null || (server.chain && id === undefined)) return { ...paused, input: [...asked.input, ...output] };
  return { ...paused, input: [], ...(server.chain && id !== undefined && { previousResponseId: id }) };
}

/** What the user's filter made of a response. */
function checked(value: unknown): ModelResponse {
  if (isResponse(value)) return value;
  throw misfit('runConfig.callModelOutputFilter', 'the model response to go on with', value);
}

/** A response as the run goes on with it: each item checked, its call ids unique in the conversation. */
function acceptedResponse(response: ModelResponse, { effect, scope }: Work<'call_model'>): ModelResponse {
  const callIds = scope.callIds(effect.state.log);
  let changed = false;
  const output = response.output.map((item) => {
    const accepted = acceptItem(item, item?.origin?.provider ?? 'openai', callIds);
    changed ||= accepted !== item;
    return accepted;
  });
  return changed ? { ...response, output } : response;
}
