import type { Agent } from '../agent/agent.ts';
import { AgentsError, misfit, UserError } from '../errors.ts';
import { advance } from '../loop/advance.ts';
import { newState, type LoopState } from '../loop/state.ts';
import { Channel } from './channel.ts';
import { overlaid, type RunArguments, type RunConfig, type RunInput, type RunOptions } from './config.ts';
import { failureIn } from './failure.ts';
import { inputToItems } from './input.ts';
import { dataOf, Result, type RunResult } from './result.ts';
import type { RunStreamEvent } from './run-events.ts';
import { RunState } from './run-state.ts';
import type { Emit } from './publisher.ts';
import { Run } from './run.ts';
import { settle, wait, type Steps } from './steps.ts';
import { StreamedRun, type StreamedRunResult } from './streamed-run.ts';

const defaultMaxTurns = 10;
const noOptions = { maxTurns: null, maxConcurrency: null, limits: null } as const;

/** Runs agents. An instance has a run config bound; the static methods go without. */
export class Runner<C = unknown> {
  readonly #config: RunConfig<C>;

  constructor(runConfig: RunConfig<C> = {}) {
    this.#config = runConfig;
  }

  /** Runs an agent to its final output, an interruption or an error. Rejects with the error, which carries what the run had done. */
  static run<C, O>(agent: Agent<C, O>, input: RunInput, ...options: RunArguments<C>): Promise<RunResult<C, O>> {
    return new Runner<C>().run(agent, input, ...options);
  }

  /** The same, streamed. Returns at once and never throws: every error arrives through `completed` and the iterator. */
  static runStreamed<C, O>(agent: Agent<C, O>, input: RunInput, ...options: RunArguments<C>): StreamedRunResult<C, O> {
    return new Runner<C>().runStreamed(agent, input, ...options);
  }

  run<D extends C, O>(agent: Agent<D, O>, input: RunInput, ...options: RunArguments<D>): Promise<RunResult<D, O>> {
    return runWith(this.#config, { agent, input, options: options[0] });
  }

  runStreamed<D extends C, O>(
    agent: Agent<D, O>,
    input: RunInput,
    ...options: RunArguments<D>
  ): StreamedRunResult<D, O> {
    return streamWith(this.#config, { agent, input, options: options[0] });
  }
}

export type Asked<C, O> = { agent: Agent<C, O>; input: RunInput; options: RunOptions<C> | undefined };

async function runWith<C, O>(config: RunConfig<never>, asked: Asked<C, O>): Promise<RunResult<C, O>> {
  const { run, problem } = begin(config, asked);
  return resultFor(asked, await settle(conclude(run, problem)));
}

/** The result of a run as one of the agent that it began with. */
export function resultFor<C, O>(_asked: Asked<C, O>, result: RunResult<never, unknown>): RunResult<C, O> {
  // Inside, the context and output of whatever agent are unknown; here they are this agent's.
  return result as RunResult<C, O>;
}

function streamWith<C, O>(config: RunConfig<never>, asked: Asked<C, O>): StreamedRunResult<C, O> {
  const channel = new Channel<RunStreamEvent>();
  const { run, problem } = begin(config, asked, { emit: (event) => channel.push(event) });
  const stream: StreamedRunResult<never, unknown> = new StreamedRun(run, channel, () => settle(conclude(run, problem)));
  // As above: outside, the types are those of the starting agent.
  return stream as StreamedRunResult<C, O>;
}

type Begun = { run: Run; problem?: { error: unknown } };

/** Sets a run up. Wrong input is kept as a problem, so that it arrives like any other error. */
export function begin<C, O>(
  bound: RunConfig<never>,
  asked: Asked<C, O>,
  { emit, kind = Run }: { emit?: Emit; kind?: typeof Run } = {},
): Begun {
  const { agent, input } = asked;
  const options = asked.options ?? {};
  const config = overlaid(bound, options.runConfig);
  if (options.hooks) config.hooks = options.hooks;
  const { context, ...rest } = options;
  const asGiven: RunOptions<never> = { ...rest, runConfig: config };
  // From here on the run knows agents of any context: each is given the one that its own type asked for.
  const anyContext = context as never;
  const make = (state: LoopState) => new kind(state, { agent, config, options: asGiven, context: anyContext, emit });
  // A program without types may give anything.
  const name = agent?.name ?? '';
  try {
    if (!Array.isArray(agent?.tools)) throw misfit('agent', 'an Agent, made by new Agent({ name })', agent);
    if (input instanceof RunState) return { run: resumed(input, { options: asGiven, make }) };
    const items = inputToItems(input);
    const run = make(newState(name, items, noOptions));
    run.state = { ...run.state, options: run.scope.loopOptions(options.maxTurns, defaultMaxTurns) };
    return { run };
  } catch (error) {
    return { run: make(newState(name, [], noOptions)), problem: { error } };
  }
}

type Resume = { options: RunOptions<never>; make: (state: LoopState) => Run };

/** Takes a stored run up again, with the options of this call. */
function resumed(input: RunState, { options, make }: Resume): Run {
  const { state, runId } = input.resume();
  options.runId ??= runId;
  const run = make(state);
  // Throws where the agent that is passed does not lead to it.
  run.scope.agent(state.agent);
  if (state.step.type !== 'start' && (state.saves === null) !== (options.session === undefined)) {
    throw new UserError(`session: the run began ${state.saves ? 'with' : 'without'} one; resume it the same way.`);
  }
  const loopOptions = run.scope.loopOptions(options.maxTurns, state.options.maxTurns);
  const at = { path: [], turn: state.turn, ms: 0 };
  run.state = advance(state, { type: 'resumed', options: loopOptions, standing: [], id: 'resume', ...at });
  run.scope.publisher?.skip(run.state);
  return run;
}

/** Drives a run to its end and tells what it came to. */
export function* conclude(run: Run, problem?: { error: unknown }): Steps<Result> {
  const { scope } = run;
  let result: Result;
  try {
    if (problem) throw problem.error;
    result = new Result(run, scope, yield* driven(run));
  } catch (error) {
    const told = withData(run, error);
    try {
      const runContext = scope.contextOf(scope.agent(run.state.agent));
      yield* wait(run.tellEnd({ runContext, error: told }));
    } catch {
      // A hook that throws as well does not hide the error.
    }
    throw told;
  }
  yield* wait(run.tellEnd({ runContext: result.runContext, result }));
  return result;
}

function* driven(run: Run): Steps<LoopState> {
  const { signal } = run.options;
  const stop = () => run.stop('now');
  signal?.addEventListener('abort', stop);
  try {
    if (signal?.aborted) stop();
    const state = yield* run.drive();
    const failure = failureIn(state);
    if (failure) throw run.errorOf(failure);
    if (signal?.aborted && state.end?.type === 'halted') throw signal.reason;
    return state;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** The error with what the run had done and the state that resumes it, where it can carry them. */
function withData(run: Run, error: unknown): unknown {
  const { state, scope } = run;
  const halted = state.end?.type === 'halted' && error instanceof Error;
  if (!(error instanceof AgentsError) && !halted) return error;
  if (state.step.type === 'start' && state.end === null) return error;
  const handle = new RunState(state, { agents: scope.agents, runId: run.runId });
  const facts = { runData: dataOf(run, scope, state), state: handle };
  for (const [key, value] of Object.entries(facts)) Reflect.defineProperty(error, key, { value, configurable: true });
  return error;
}
