import type { Agent, AgentOptions, ModelProvider, ModelTable, RunConfig } from '@polyrun/core';
import type { McpServerOptions } from '@polyrun/mcp';

/** What `polyrun.config.ts` exports as its default. */
export type ChatConfig = {
  /** Who answers, by the names that `/provider` and the models' names use: `{ mistral: mistral() }`. The first one is the default. */
  providers: { readonly [name: string]: ModelProvider };
  /** Names of your own for models: another name, or several that are tried in order (`{ fallback: […] }`). */
  models?: ModelTable | undefined;
  /** The model to begin with: `provider/model`, or one of `models`. Default: the first provider's default model. */
  model?: string | undefined;
  /** Agents by their names. Default: one called `Assistant`. */
  agents?: { readonly [name: string]: AgentDescription | Agent<unknown, unknown> } | undefined;
  /** The agent to begin with. Default: the first one. */
  agent?: string | undefined;
  /** For every agent that is described here; an `Agent` of your own keeps what it has. */
  tools?: AgentOptions<unknown, unknown>['tools'];
  /** Tools from MCP servers, for the same agents. They are started when they are first needed and end with the program. */
  mcpServers?: { readonly [name: string]: Omit<McpServerOptions, 'name'> } | undefined;
  /** Where conversations are kept, seen from the config file. Default: `~/.polyrun/chat.db`. */
  sessionFile?: string | undefined;
  /** What models cost, by `provider/model` or by the model's name alone. Without a price only tokens are told. */
  prices?: { readonly [model: string]: Price } | undefined;
  /** The currency of `prices`. Default: `USD`. */
  currency?: string | undefined;
  /** Anything else that runs take: settings, limits, guardrails, hooks, trace processors. */
  runConfig?: Omit<RunConfig, 'model' | 'modelProvider' | 'conversationId' | 'previousResponseId'> | undefined;
};

/** An agent in the config: the options of `Agent` without its name; `handoffs` are names of other agents of the config. */
export type AgentDescription = Omit<AgentOptions<unknown, unknown>, 'name' | 'handoffs'> & {
  readonly handoffs?: readonly string[] | undefined;
};

/** For a million tokens. Cached input costs as much as other input unless the price says otherwise. */
export type Price = {
  readonly input: number;
  readonly output: number;
  readonly cachedInput?: number | undefined;
  readonly cacheWrite?: number | undefined;
};

/** Gives a config its type; it is checked when it is loaded. */
export function defineConfig(config: ChatConfig): ChatConfig {
  return config;
}
