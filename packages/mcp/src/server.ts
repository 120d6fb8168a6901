import type {
  CallToolResult,
  Client,
  Implementation,
  Prompt,
  Resource,
  ResourceTemplateType,
  ServerCapabilities,
  Tool as McpTool,
} from '@modelcontextprotocol/client';
import type { InputPart, MaybePromise, MessageItem, Tool, ToolSource } from '@polyrun/core';
import { given } from '@polyrun/core/http';
import { messageOf, resourcePart } from './content.ts';
import { bounded, longestDelay, Shared } from './deadline.ts';
import { ErrorWords } from './errors.ts';
import { Link } from './link.ts';
import { checkOptions, type McpServerOptions } from './options.ts';
import { checkNames, toolsOf } from './tools.ts';

type Until = { readonly signal?: AbortSignal | undefined };

/** A server whose tools an agent can use. It connects when it is first needed, and again when the connection was lost. */
export interface McpServer<in C = unknown> extends ToolSource<C> {
  /** Connects now; needed only to find out early that it does not work, or after `close`. */
  connect(options?: Until): Promise<void>;
  /** Ends the connection and the server's process. Settles when both are gone, or `closeMs` is over; never rejects. */
  close(): Promise<void>;
  /** The tools that the server has now, as tools of an agent, sorted by name. */
  listTools(options?: Until): MaybePromise<readonly Tool<C>[]>;
  /** Who the server is, what it can do, and how it wants to be used. */
  describe(options?: Until): Promise<McpServerDescription>;
  /** Forgets the list of tools: it is read anew at the next turn. */
  refreshTools(): void;
  /** Calls a tool by the server's own name for it, without approval or guardrails. A failed tool is a result with `isError`. */
  callTool(
    call: { readonly name: string; readonly arguments?: { [name: string]: unknown } | undefined },
    options?: Until,
  ): Promise<CallToolResult>;
  listResources(options?: Until): Promise<readonly Resource[]>;
  listResourceTemplates(options?: Until): Promise<readonly ResourceTemplateType[]>;
  /** The contents of a resource, as parts of a message. */
  readResource(uri: string, options?: Until): Promise<readonly InputPart[]>;
  listPrompts(options?: Until): Promise<readonly Prompt[]>;
  /** A prompt, as input for a run. */
  getPrompt(
    prompt: { readonly name: string; readonly arguments?: { [name: string]: string } | undefined },
    options?: Until,
  ): Promise<readonly MessageItem[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a server tells of itself. */
export type McpServerDescription = {
  readonly info: Implementation | undefined;
  readonly capabilities: ServerCapabilities | undefined;
  readonly instructions: string | undefined;
  readonly protocolVersion: string | undefined;
};

/** An MCP server, as one of an agent's `tools`. Nothing is started before it is needed. Throws `UserError` for options that cannot work. */
export function mcpServer<C = unknown>(options: McpServerOptions<C>): McpServer<C> {
  checkOptions(options);
  return new Server(options);
}

/** Deadlines by default, in milliseconds. */
const defaults = { connectMs: 60_000, listMs: 30_000, callMs: 300_000, closeMs: 5_000 } as const;
type Request<T> = (client: Client, signal: AbortSignal) => Promise<T>;
/** `what`: what the server failed to do, when it did. */
type Asked = Until & { readonly what: string; readonly ms: number | null };

type Call = Until & {
  readonly definition: McpTool;
  readonly args: { [name: string]: unknown };
  readonly ms: number | null;
};

class Server<C> implements McpServer<C> {
  readonly type = 'tool_source';
  readonly name: string;
  readonly #options: McpServerOptions<C>;
  readonly #words: ErrorWords;
  readonly #link: Link;
  readonly #listing: Shared<readonly Tool<C>[]>;
  /** Counts the changes of the tool list: a list is good as long as nothing has changed since it was asked for. */
  #changes = 0;
  #listed: { readonly tools: readonly Tool<C>[]; readonly changes: number } | undefined;

  constructor(options: McpServerOptions<C>) {
    const { transport, timeouts = {}, protocol, clientInfo, roots, onElicitation, onSampling, onLog } = options;
    this.name = options.name;
    this.#options = options;
    this.#words = new ErrorWords(options);
    this.#link = new Link({
      transport,
      words: this.#words,
      connectMs: deadline(timeouts.connectMs, defaults.connectMs),
      closeMs: timeouts.closeMs ?? defaults.closeMs,
      onToolsChanged: () => this.refreshTools(),
      ...given({ protocol, clientInfo, roots, onElicitation, onSampling, onLog }),
    });
    this.#listing = new Shared((signal) => this.#list(signal));
  }

  async connect({ signal }: Until = {}): Promise<void> {
    this.#link.reopen();
    await this.#link.connection(signal);
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async describe({ signal }: Until = {}): Promise<McpServerDescription> {
    const { client } = await this.#link.connection(signal);
    return {
      info: client.getServerVersion(),
      capabilities: client.getServerCapabilities(),
      instructions: client.getInstructions(),
      protocolVersion: client.getNegotiatedProtocolVersion(),
    };
  }

  listTools({ signal }: Until = {}): MaybePromise<readonly Tool<C>[]> {
    const isGood = this.#options.cacheTools !== false && this.#listed?.changes === this.#changes;
    return isGood && this.#listed ? this.#listed.tools : this.#listing.join(signal);
  }

  refreshTools(): void {
    this.#changes += 1;
  }

  async callTool(
    { name, arguments: args = {} }: { name: string; arguments?: { [name: string]: unknown } | undefined },
    { signal }: Until = {},
  ): Promise<CallToolResult> {
    const ms = this.#options.timeouts?.callMs ?? defaults.callMs;
    return await this.#call({ definition: { name, inputSchema: { type: 'object' } }, args, ms, signal });
  }

  async listResources(until: Until = {}): Promise<readonly Resource[]> {
    const { resources } = await this.#read('list its resources', until, (client, signal) =>
      client.listResources(undefined, uncached(signal)),
    );
    return resources;
  }

  async listResourceTemplates(until: Until = {}): Promise<readonly ResourceTemplateType[]> {
    const { resourceTemplates } = await this.#read('list its resource templates', until, (client, signal) =>
      client.listResourceTemplates(undefined, uncached(signal)),
    );
    return resourceTemplates;
  }

  async readResource(uri: string, until: Until = {}): Promise<readonly InputPart[]> {
    const { contents } = await this.#read(`give the resource '${uri}'`, until, (client, signal) =>
      client.readResource({ uri }, uncached(signal)),
    );
    return contents.map(resourcePart);
  }

  async listPrompts(until: Until = {}): Promise<readonly Prompt[]> {
    const { prompts } = await this.#read('list its prompts', until, (client, signal) =>
      client.listPrompts(undefined, uncached(signal)),
    );
    return prompts;
  }

  async getPrompt(
    { name, arguments: args }: { name: string; arguments?: { [name: string]: string } | undefined },
    until: Until = {},
  ): Promise<readonly MessageItem[]> {
    const { messages } = await this.#read(`give the prompt '${name}'`, until, (client, signal) =>
      client.getPrompt({ name, ...given({ arguments: args }) }, uncached(signal)),
    );
    return messages.map(messageOf);
  }

  async #list(signal: AbortSignal): Promise<readonly Tool<C>[]> {
    const asked = this.#changes;
    const { tools: definitions } = await this.#read('list its tools', { signal }, (client, inner) =>
      client.listTools(undefined, uncached(inner)),
    );
    if (this.#listed === undefined) checkNames(definitions, this.#options);
    const tools = toolsOf(definitions, {
      options: this.#options,
      words: this.#words,
      // The run has the deadline of the tool.
      call: (definition, args, { signal }) => this.#call({ definition, args, ms: null, signal }),
    });
    this.#listed = { tools, changes: asked };
    return tools;
  }

  async #call({ definition, args, ms, signal }: Call): Promise<CallToolResult> {
    const { timeouts: { idleMs } = {}, onProgress } = this.#options;
    const { outputSchema: _, ...toolDefinition } = definition;
    const { name } = toolDefinition;
    const onprogress = (progress: Progress) => void told(() => onProgress?.({ ...progress, tool: name }));
    const wantsProgress = onProgress !== undefined || typeof idleMs === 'number';
    return await this.#request({ what: `did not answer the call of '${name}'`, ms, signal }, (client, inner) =>
      client.callTool(
        { name, arguments: args },
        {
          signal: inner,
          timeout: idleMs ?? longestDelay,
          resetTimeoutOnProgress: true,
          // Results are checked by the core's validator, which needs no code generation; the client has its schema from here.
          toolDefinition,
          ...(wantsProgress ? { onprogress } : {}),
        },
      ),
    );
  }

  async #read<T>(what: string, { signal }: Until, request: Request<T>): Promise<T> {
    const ms = deadline(this.#options.timeouts?.listMs, defaults.listMs);
    return await this.#request({ what: `did not ${what}`, ms, signal }, request);
  }

  /** Makes a request under its deadline. It is made a second time only where the server has provably not seen to the first. */
  async #request<T>(asked: Asked, request: Request<T>, again = true): Promise<T> {
    const { what, ms, signal } = asked;
    const connection = await this.#link.connection(signal);
    const expired = () => this.#words.error('timeout', `${what} within ${ms} ms`);
    try {
      return await connection.use((client) => bounded({ ms, signal, expired }, (inner) => request(client, inner)));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (again && connection.isForgotten(error)) return await this.#request(asked, request, false);
      throw this.#words.failed(error, what);
    }
  }
}

type Progress = { progress: number; total?: number | undefined; message?: string | undefined };

function deadline(ms: number | null | undefined, byDefault: number): number | null {
  return ms === undefined ? byDefault : ms;
}

/** Our own cache knows more: lists are asked for only when something may have changed. The deadline of a request is ours too. */
function uncached(signal: AbortSignal) {
  return { signal, timeout: longestDelay, cacheMode: 'bypass' } as const;
}

/** Tells an observer, whose failure is no failure of the call. */
async function told(tell: () => MaybePromise<void> | undefined): Promise<void> {
  try {
    await tell();
  } catch {
    return;
  }
}
