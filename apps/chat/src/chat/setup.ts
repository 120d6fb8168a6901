import { homedir } from 'node:os';
import path from 'node:path';
import { Agent, MultiProvider, UserError, type Model, type ModelProvider, type RunConfig } from '@polyrun/core';
import type { McpServer } from '@polyrun/mcp';
import type { AgentDescription, ChatConfig, Price } from './config/define-config.ts';

/** An agent that can be talked to: it needs no context. */
export type ChatAgent = Agent<unknown, unknown>;

/** A config put together: what the chat runs on. */
export type Setup = {
  readonly agents: ReadonlyMap<string, ChatAgent>;
  readonly firstAgent: ChatAgent;
  /** The names of the providers, the default one first. */
  readonly providers: readonly string[];
  /** The model that the config names. */
  readonly firstModel: string | undefined;
  /** Names of one's own for models. */
  readonly models: readonly string[];
  /** Routes `provider/model`; without a name it gives the config's model. */
  readonly modelProvider: ModelProvider;
  readonly runConfig: RunConfig;
  readonly servers: readonly McpServer[];
  readonly prices: { readonly [model: string]: Price };
  readonly currency: string;
  readonly sessionFile: string;
};

/** `folder`: where the config lies. Throws `UserError` where agents or models do not fit together. */
export async function setUp(config: ChatConfig, folder: string): Promise<Setup> {
  const servers = await serversOf(config);
  const agents = agentsOf(config, servers);
  const firstAgent = agents.get(config.agent ?? '') ?? [...agents.values()][0];
  if (!firstAgent) throw new UserError('agents: expected at least one agent.');
  return {
    agents,
    firstAgent,
    providers: Object.keys(config.providers),
    firstModel: config.model,
    models: Object.keys(config.models ?? {}),
    modelProvider: providerOf(config),
    runConfig: config.runConfig ?? {},
    servers,
    prices: config.prices ?? {},
    currency: config.currency ?? 'USD',
    sessionFile:
      config.sessionFile === undefined ? path.join(stateFolder(), 'chat.db') : path.resolve(folder, config.sessionFile),
  };
}

/** Where the chat keeps what outlives it. */
export function stateFolder(): string {
  return path.join(homedir(), '.polyrun');
}

/** Agents and names of models stay as they are; only here is it said which providers stand behind them. */
function providerOf({ providers, models, model }: ChatConfig): ModelProvider {
  const routes = new MultiProvider({ ...providers }, { default: Object.keys(providers)[0], models });
  return { name: 'chat', getModel: (name = model): Model => routes.getModel(name) };
}

async function serversOf({ mcpServers }: ChatConfig): Promise<readonly McpServer[]> {
  if (!mcpServers) return [];
  const { mcpServer } = await import('@polyrun/mcp');
  return Object.entries(mcpServers).map(([name, options]) => mcpServer({ ...options, name }));
}

function agentsOf(config: ChatConfig, servers: readonly McpServer[]): ReadonlyMap<string, ChatAgent> {
  const { agents = { Assistant: { instructions: 'You are a helpful assistant.' } }, tools = [] } = config;
  const made = new Map<string, ChatAgent>();
  for (const [name, entry] of Object.entries(agents))
    made.set(name, entry instanceof Agent ? entry : described(name, entry));
  return reachable(made);

  function described(name: string, { handoffs = [], ...rest }: AgentDescription): ChatAgent {
    return new Agent<unknown, unknown>({
      ...rest,
      name,
      tools: [...(rest.tools ?? []), ...tools, ...servers],
      // By the time that they are read, all agents have been made.
      handoffs: () => handoffs.flatMap((other) => made.get(other) ?? []),
    });
  }
}

/** These agents, and those that they hand off to. */
function reachable(agents: ReadonlyMap<string, ChatAgent>): ReadonlyMap<string, ChatAgent> {
  const found = new Map(agents);
  // A map that grows while it is read gives what was added, too.
  for (const agent of found.values())
    for (const entry of agent.handoffs) {
      const next = 'type' in entry ? entry.agent : entry;
      if (!found.has(next.name)) found.set(next.name, next);
    }
  return found;
}
