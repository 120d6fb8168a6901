import type { AnyAgent } from '../agent/agent.ts';
import type { RunContext } from '../agent/context.ts';
import { handoff, type Handoff } from '../agent/handoff.ts';
import { distinctName } from '../agent/names.ts';
import { isTool, isToolSource, type IsEnabled, type Tool, type ToolSource } from '../agent/tool.ts';
import { misfit, UserError } from '../errors.ts';
import type { Route } from '../loop/state.ts';
import type { HostedToolSpec, ToolSpec } from '../protocol/request.ts';
import type { Span } from '../tracing/trace.ts';
import { wait, type Steps } from './steps.ts';

/** What an agent may call on one turn, by the names under which its model is offered it. */
export type Toolbox = {
  readonly tools: ReadonlyMap<string, Tool<never>>;
  readonly handoffs: ReadonlyMap<string, Handoff<never>>;
  readonly specs: readonly ToolSpec[];
  readonly routes: { readonly [toolName: string]: Route };
  /** The kinds of provider items that a client tool answers, with its name. */
  readonly clients: { readonly [kind: string]: string };
  /** True when it is the same on every turn. */
  readonly fixed: boolean;
};
type At = {
  agent: AnyAgent;
  runContext: RunContext<never>;
  signal: () => AbortSignal;
  /** The span of one source's listing, where the run is traced. */
  listing: (source: string) => Span | undefined;
};

/** Gathers an agent's tools and handoffs, those of its sources too, without the disabled ones. */
export function* openToolbox(at: At): Steps<Toolbox> {
  const box = new Box(at.agent);
  for (const entry of at.agent.tools) {
    if (isToolSource(entry)) yield* addSource(box, entry, at);
    else if (!isTool(entry)) box.addHosted(entry);
    else if (yield* isOffered(box, entry.isEnabled, at)) box.addTool(entry);
  }
  for (const entry of at.agent.handoffs) {
    const made = 'type' in entry ? entry : handoff(entry);
    if (yield* isOffered(box, made.isEnabled, at)) box.addHandoff(made);
  }
  return box;
}

function* addSource(box: Box, source: ToolSource<never>, at: At): Steps<void> {
  box.fixed = false;
  for (const tool of yield* listed(source, at)) {
    if (yield* isOffered(box, tool.isEnabled, at)) box.addTool(tool);
  }
}

function* listed(source: ToolSource<never>, at: At): Steps<readonly Tool<never>[]> {
  const { agent, runContext, signal } = at;
  const span = at.listing(source.name);
  try {
    const tools = yield* wait(source.listTools({ runContext, agent, signal: signal() }));
    span?.end({ data: { tools: tools.map(({ name }) => name) } });
    return tools;
  } catch (error) {
    span?.end({ error });
    throw error;
  }
}

function* isOffered(box: Box, isEnabled: IsEnabled<never>, { agent, runContext }: At): Steps<boolean> {
  if (typeof isEnabled === 'boolean') return isEnabled;
  box.fixed = false;
  return yield* wait(isEnabled({ runContext, agent }));
}

class Box implements Toolbox {
  readonly tools = new Map<string, Tool<never>>();
  readonly handoffs = new Map<string, Handoff<never>>();
  readonly specs: ToolSpec[] = [];
  readonly routes: { [toolName: string]: Route } = {};
  readonly clients: { [kind: string]: string } = {};
  fixed = true;
  readonly #agentName: string;
  /** Names that the user chose: made-up ones give way to them, wherever they stand. */
  readonly #chosen = new Set<string>();

  constructor({ name, tools, handoffs }: AnyAgent) {
    this.#agentName = name;
    for (const entry of tools) if (isTool(entry) && entry.nested?.named !== false) this.#chosen.add(entry.name);
    for (const entry of handoffs) if ('type' in entry && entry.named) this.#chosen.add(entry.toolName);
  }

  addTool(tool: Tool<never>): void {
    const { nested, client } = tool;
    const name = this.#free(tool.name, nested === undefined || nested.named ? undefined : nested.agent.name);
    this.tools.set(name, tool);
    this.routes[name] = { type: nested ? 'agent' : 'tool' };
    if (client) {
      this.clients[client.answers.replace(/_output$/, '')] = name;
      this.specs.push(client.spec);
    } else this.#offer(name, tool);
  }

  addHosted(spec: HostedToolSpec): void {
    if (typeof spec?.type !== 'string' || spec.type === 'function') {
      throw misfit(`Agent '${this.#agentName}' tools`, 'what tool() or agent.asTool() makes, or a hosted tool', spec);
    }
    this.specs.push(spec);
  }

  addHandoff(made: Handoff<never>): void {
    const name = this.#free(made.toolName, made.named ? undefined : made.agent.name);
    this.handoffs.set(name, made);
    this.routes[name] = { type: 'handoff', to: made.agent.name };
    this.#offer(name, { ...made, description: made.toolDescription });
  }

  #offer(
    name: string,
    { description, parameters, strict }: Pick<Tool<never>, 'description' | 'parameters' | 'strict'>,
  ): void {
    this.specs.push({ type: 'function', name, description, parameters, strict });
  }

  /** The name itself where it is free; a made-up one gives way to one with a hash of the agent's name. */
  #free(name: string, madeFrom: string | undefined): string {
    const isFree = (each: string) => !this.tools.has(each) && !this.handoffs.has(each);
    if (isFree(name) && (madeFrom === undefined || !this.#chosen.has(name))) return name;
    const distinct = madeFrom === undefined ? name : distinctName(name, madeFrom);
    if (isFree(distinct)) return distinct;
    throw new UserError(`Agent '${this.#agentName}' tools: two tools or handoffs are called '${name}'; rename one.`);
  }
}
