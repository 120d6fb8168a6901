import type { AnyAgent } from '../agent/agent.ts';
import type { RunContext } from '../agent/context.ts';
import { agentNamed, agentsFrom } from '../agent/graph.ts';
import type { Hooks } from '../agent/hooks.ts';
import { all, type MaybePromise } from '../agent/maybe-promise.ts';
import type { NestedRun } from '../agent/agent-tool.ts';
import { compileSchema, type CompiledSchema } from '../agent/schema/compile.ts';
import { isTool } from '../agent/tool.ts';
import { misfit, UserError } from '../errors.ts';
import type { Log } from '../loop/log.ts';
import { limitNames } from '../loop/advance.ts';
import type { Limits, LoopOptions, TurnPlan } from '../loop/state.ts';
import type { Model } from '../model/model.ts';
import { given } from '../model/settings.ts';
import { CallIds } from '../transcript/call-ids.ts';
import { noteEdit } from '../transcript/edits.ts';
import type { Usage } from '../protocol/usage.ts';
import { overlaid, type ErrorHandlers, type RunConfig } from './config.ts';
import type { Steps } from './steps.ts';
import type { RunStreamEvent } from './run-events.ts';
import { Publisher } from './publisher.ts';
import { openToolbox, type Toolbox } from './toolbox.ts';
import type { Work } from './work.ts';

/** What has been found out about an agent. */
type Known = {
  context?: RunContext<never>;
  model?: Model;
  output?: CompiledSchema<unknown>;
  /** As the agent's latest turn was prepared with it; none after a resume in another process. */
  toolbox?: Toolbox;
  /** The plan of an agent whose turns are always prepared alike, but for a forced tool choice that has been `used`. */
  plan?: { used: boolean; plan: TurnPlan };
};

/** What the effects of one run, or of one inner run, see of the user's program: agents, config, hooks, context. */
export class Scope {
  readonly config: RunConfig<never>;
  readonly hooks: Hooks<never> | undefined;
  readonly errorHandlers: ErrorHandlers<never>;
  /** Tells what happens, where somebody listens. */
  publisher: Publisher | undefined;
  readonly #context: never;
  readonly #usage: () => Usage;
  readonly #known = new Map<string, Known>();
  readonly #start: AnyAgent;
  #agents: ReadonlyMap<string, AnyAgent> | undefined;
  readonly #callIds = new CallIds();
  readonly #edits = new Map<string, string>();
  #editsSeen = 0;

  constructor(
    start: AnyAgent,
    setting: {
      config: RunConfig<never>;
      errorHandlers?: ErrorHandlers<never> | undefined;
      context: never;
      usage: () => Usage;
    },
  ) {
    this.#start = start;
    this.config = setting.config;
    this.hooks = setting.config.hooks;
    this.errorHandlers = setting.errorHandlers ?? {};
    this.#context = setting.context;
    this.#usage = setting.usage;
  }

  /** The scope of the run that a call of an agent as a tool is: its own agents and config, the same context and usage. */
  inner({ agent, toolName }: { agent: string; toolName: string }, path: readonly string[]): Scope {
    const { agent: start, runConfig, onStream } = this.#nested(agent, toolName);
    const {
      hooks: _hooks,
      inputGuardrails: _input,
      outputGuardrails: _output,
      limits: _limits,
      maxTurns: _turns,
      ...shared
    } = this.config;
    const made = new Scope(start, { config: overlaid(shared, runConfig), context: this.#context, usage: this.#usage });
    const outer = this.publisher?.emit;
    if (outer || onStream) {
      const callId = path.at(-1) ?? '';
      const emit = (event: RunStreamEvent) =>
        all([onStream?.({ event, callId }), outer?.({ type: 'nested_run_event', callId, event })]);
      made.publisher = new Publisher(made, emit, path);
    }
    return made;
  }

  #nested(agentName: string, toolName: string): NestedRun<never> {
    const opened = this.known(agentName).toolbox?.tools.get(toolName)?.nested;
    const nested =
      opened ??
      this.agent(agentName)
        .tools.filter((entry) => isTool(entry))
        .find(({ name }) => name === toolName)?.nested;
    if (nested) return nested;
    throw new UserError(
      `Agent '${agentName}' has no agent as a tool '${toolName}'; pass the agent that the run began with.`,
    );
  }

  /** All agents that the run may come to, by name. Throws `UserError` when two of them bear one name. */
  get agents(): ReadonlyMap<string, AnyAgent> {
    this.#agents ??= agentsFrom(this.#start);
    return this.#agents;
  }

  agent(name: string): AnyAgent {
    return agentNamed(name, this.agents);
  }

  /** What has been found out about an agent so far. */
  known(agentName: string): Known {
    let known = this.#known.get(agentName);
    if (known === undefined) this.#known.set(agentName, (known = {}));
    return known;
  }

  contextOf(agent: AnyAgent): RunContext<never> {
    return (this.known(agent.name).context ??= new LiveContext(this.#context, agent, this.#usage));
  }

  /** The model of an agent: the run config's, else the agent's, else the provider's default. */
  modelOf(agent: AnyAgent): Model {
    const chosen = this.config.model ?? agent.model;
    if (typeof chosen === 'object') return chosen;
    return (this.known(agent.name).model ??= this.#named(chosen, agent));
  }

  #named(name: string | undefined, agent: AnyAgent): Model {
    if (this.config.modelProvider) return this.config.modelProvider.getModel(name);
    const asked = name === undefined ? 'has no model' : `names the model '${name}'`;
    throw new UserError(`Agent '${agent.name}' ${asked}: give runConfig.modelProvider, or a Model as its model.`);
  }

  /** How the final output of an agent with an output type is asked for and read. */
  outputOf(agent: AnyAgent): CompiledSchema<unknown> | undefined {
    if (agent.outputType === undefined) return undefined;
    return (this.known(agent.name).output ??= compileSchema(agent.outputType, `Agent '${agent.name}' outputType`));
  }

  /** The toolbox of an agent on this turn. */
  *toolbox(agent: AnyAgent, { run, control }: Pick<Work<'prepare_turn'>, 'run' | 'control'>): Steps<Toolbox> {
    const known = this.known(agent.name);
    if (known.toolbox?.fixed) return known.toolbox;
    known.toolbox = yield* openToolbox({
      agent,
      runContext: this.contextOf(agent),
      signal: () => control.signal,
      listing: (source) => run.spans?.part(control, 'mcp_tools', source),
    });
    return known.toolbox;
  }

  /** Gives new calls ids that no call of the conversation has. */
  callIds({ items }: Log): CallIds {
    return this.#callIds.in(items);
  }

  /** Arguments of calls that a person edited, by call; each item is looked at once. */
  edits({ items: { items, length } }: Log): ReadonlyMap<string, string> {
    for (; this.#editsSeen < length; this.#editsSeen++) noteEdit(items[this.#editsSeen], this.#edits);
    return this.#edits;
  }

  /** Fires one hook of the run and of the agent, at the same time, and waits for both. */
  fire(agent: AnyAgent, call: (hooks: Hooks<never>) => MaybePromise<void> | undefined): MaybePromise<void> {
    const { hooks } = this;
    if (hooks === undefined) return agent.hooks && call(agent.hooks);
    if (agent.hooks === undefined) return call(hooks);
    const run = call(hooks);
    const own = run instanceof Promise ? Promise.resolve(agent.hooks).then(call) : call(agent.hooks);
    return all([run, own]);
  }

  /** What the loop is told of the config; `asked`: the turns that the run's own options ask for. */
  loopOptions(asked: number | null | undefined, fallback: number | null): LoopOptions {
    const { limits, toolExecution, maxTurns = fallback } = this.config;
    return {
      maxTurns: counted(asked === undefined ? maxTurns : asked, 'maxTurns'),
      maxConcurrency: counted(toolExecution?.maxConcurrency ?? null, 'runConfig.toolExecution.maxConcurrency'),
      limits: limits === undefined ? null : checked(given(limits)),
    };
  }
}

/** The context of a run as callbacks see it; `usage` is always the latest. */
class LiveContext implements RunContext<never> {
  readonly context: never;
  readonly agent: AnyAgent;
  readonly #usage: () => Usage;

  constructor(context: never, agent: AnyAgent, usage: () => Usage) {
    this.context = context;
    this.agent = agent;
    this.#usage = usage;
  }

  get usage(): Usage {
    return this.#usage();
  }
}

/** A limit that is no number, or misspelt, would hold nothing. */
function checked(limits: Limits): Limits {
  for (const [name, most] of Object.entries(limits)) {
    const known = limitNames.some((each) => each === name);
    if (!known || !(most >= 0)) throw misfit(`runConfig.limits.${name}`, 'a known limit of at least 0', most);
  }
  return limits;
}

function counted(value: number | null, field: string): number | null {
  if (value === null || (Number.isInteger(value) && value > 0)) return value;
  throw new UserError(`${field}: expected a whole number above 0 or null, got ${String(value)}.`);
}
