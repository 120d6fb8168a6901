import type { Agent } from '../agent/agent.ts';
import { isThenable } from '../agent/maybe-promise.ts';
import { UserError } from '../errors.ts';
import type { Effect } from '../loop/effects.ts';
import type { Model, SyncCall } from '../model/model.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { ModelResponse } from '../protocol/response.ts';
import type { SyncSession } from '../session/session.ts';
import type { RunInput, RunOptions } from './config.ts';
import { inputGuardrails } from './effects/start.ts';
import type { SyncJournal } from './journal.ts';
import type { RunResult } from './result.ts';
import { Run, type Begun } from './run.ts';
import { begin, conclude, resultFor } from './runner.ts';
import type { Steps } from './steps.ts';

/**
 * Runs an agent on the calling thread without waiting for anything but its models' `sync` and the pauses between attempts, during
 * which the thread stands still. A promise, wherever it comes from, is a `UserError`. The session and the journal need their `sync`.
 * `standIn` may give one that has `sync` for a model that has none.
 */
export function runBlocking<C, O>(
  agent: Agent<C, O>,
  input: RunInput,
  { standIn, ...options }: RunOptions<C> & { standIn?: StandIn } = {},
): RunResult<C, O> {
  const asked = { agent, input, options };
  const { run, problem } = begin({}, asked, { kind: BlockingRun });
  if (run instanceof BlockingRun) run.standIn = standIn;
  return resultFor(asked, stand(conclude(run, problem)));
}

type StandIn = (model: Model) => Model;

/** A run none of whose effects may be waited for. */
class BlockingRun extends Run {
  standIn: StandIn | undefined;

  override get session(): SyncSession | undefined {
    const { session } = this.options;
    if (session && !session.sync) throw lacksSync('session');
    return session?.sync;
  }

  override get journal(): SyncJournal | undefined {
    const { journal } = this.options;
    if (journal && !journal.sync) throw lacksSync('journal');
    return journal?.sync;
  }

  override later(pending: PromiseLike<unknown>, { effect, steps }: Begun): never {
    giveUp(pending);
    // Not thrown into them: steps turn what a tool throws into words for the model.
    steps.return({ type: 'aborted', usage: null });
    throw promised(this.#placeOf(effect));
  }

  override respond(model: Model, request: ModelRequest, call: SyncCall): ModelResponse {
    const { sync } = model.sync ? model : (this.standIn?.(model) ?? model);
    if (sync) return sync.getResponse(request, call);
    throw new UserError(
      `model: '${model.name}' of ${model.provider} only answers with a promise, and this run cannot wait. Take it from a provider that has a reference, or use Runner.run.`,
    );
  }

  override sleep(ms: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  #placeOf(effect: Effect): string {
    const of = `of agent '${effect.agent}'`;
    if (effect.type === 'run_tool')
      return `tool '${effect.call.name}' ${of} (or a guardrail, hook or approval around it)`;
    if (effect.type !== 'check_input') return `${places[effect.type]} ${of}`;
    const scope = this.scopeAt(effect.path);
    const guardrail = inputGuardrails(scope, scope.agent(effect.agent))[effect.index];
    return `input guardrail '${guardrail?.name}' ${of}`;
  }
}

/** Takes steps that come to no promise to their end. */
function stand<T>(steps: Steps<T>): T {
  let next = steps.next();
  while (next.done !== true) {
    giveUp(next.value);
    next = steps.throw(promised('hooks.onRunEnd'));
  }
  return next.value;
}

/** What a promise comes to that nobody waits for is nobody's error. */
function giveUp(value: unknown): void {
  if (isThenable(value)) value.then(undefined, () => undefined);
}

const places: Readonly<Record<Exclude<Effect['type'], 'run_tool' | 'check_input'>, string>> = {
  start: 'hooks.onRunStart or sessionInputCallback at the start',
  prepare_turn: 'instructions, onAgentStart, isEnabled, a tool source or callModelInputFilter',
  call_model: 'onModelStart, onModelEnd, callModelOutputFilter, retry.policy or a streamed model call',
  hand_off: 'a handoff (its callback, schema, filter or hook)',
  finish: 'the end (toolUseBehavior, outputType, onAgentEnd, an output guardrail or error handler)',
  save: 'the session',
};

function promised(where: string): UserError {
  return new UserError(`${where} gave a promise, and this run cannot wait: make it synchronous, or use Runner.run.`);
}

function lacksSync(field: string): UserError {
  return new UserError(
    `${field}: it only answers with promises, and this run cannot wait. Give one that has 'sync', or use Runner.run.`,
  );
}
