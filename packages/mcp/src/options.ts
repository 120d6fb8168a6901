import type {
  AuthProvider,
  CreateMessageRequestParams,
  CreateMessageResult,
  ElicitRequestParams,
  ElicitResult,
  LoggingLevel,
  OAuthClientProvider,
  Root,
  Tool as McpTool,
  Transport,
  VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { UserError, type AnyAgent, type MaybePromise, type RunContext, type ToolOptions } from '@polyrun/core';

/** How a server is reached. */
export type McpTransport =
  /** A program of its own, spoken to over its standard input and output. Needs Node, Bun or Deno. */
  | {
      readonly type: 'stdio';
      readonly command: string;
      readonly args?: readonly string[] | undefined;
      /** Added to the few variables that are safe to inherit (PATH, HOME, …); the rest of the environment is not passed on. */
      readonly env?: { readonly [name: string]: string } | undefined;
      readonly cwd?: string | undefined;
      /** `'inherit'` prints what the server writes to its standard error. Default: `'ignore'`. */
      readonly stderr?: 'inherit' | 'ignore' | undefined;
    }
  /** Streamable HTTP. */
  | ({ readonly type: 'http' } & HttpOptions)
  /** HTTP with server-sent events, of servers that are older than streamable HTTP. */
  | ({ readonly type: 'sse' } & HttpOptions)
  /** Any other transport for the official client; asked for a new one at each connection. */
  | { readonly type: 'custom'; readonly open: () => MaybePromise<Transport> };

/** How to speak to a server over HTTP. */
export type HttpOptions = {
  readonly url: string | URL;
  /** Sent with every request to the server (and to no other origin). A function is asked at each request. */
  readonly headers?: HeaderFields | (() => MaybePromise<HeaderFields>) | undefined;
  /** OAuth or another source of bearer tokens, as the official client takes it. */
  readonly authProvider?: AuthProvider | OAuthClientProvider | undefined;
  /** Used in the place of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
};
type HeaderFields = { readonly [name: string]: string };

/** Milliseconds; null: no deadline. */
export type McpTimeouts = {
  /** From the start of a connection until the server is ready. Default 60,000. */
  readonly connectMs?: number | null | undefined;
  /** For a list (of tools, resources or prompts, all pages), a resource or a prompt. Default 30,000. */
  readonly listMs?: number | null | undefined;
  /** For a whole call of a tool. Default in a run: the run config's, else 5 minutes; of `callTool`: 5 minutes. */
  readonly callMs?: number | undefined;
  /** For a call, without a sign of life: each progress notification of the server starts it anew. Default: none. */
  readonly idleMs?: number | null | undefined;
  /** Until a closed connection is given up; a process that does not end by itself is killed within it. Default 5,000. */
  readonly closeMs?: number | undefined;
};

/** Names of tools as the server spells them, without prefix. A name that the server does not have is a `UserError` at the first listing. */
export type ToolNames = readonly string[];

/** Which tools are offered: by name, or by a function that is asked at each turn. */
export type ToolFilter<C> =
  | { readonly allow?: ToolNames | undefined; readonly block?: ToolNames | undefined }
  | ((at: { tool: McpTool; runContext: RunContext<C>; agent: AnyAgent }) => MaybePromise<boolean>);

/** Which calls a person must approve: all, those of some tools, or what a function says. */
export type NeedsApproval<C> =
  | boolean
  | ToolNames
  | ((at: {
      tool: McpTool;
      runContext: RunContext<C>;
      arguments: { readonly [name: string]: unknown };
      callId: string;
    }) => MaybePromise<boolean>);

/** Options of `mcpServer`. */
export type McpServerOptions<C = unknown> = {
  /** What the server is called in errors. */
  readonly name: string;
  readonly transport: McpTransport;
  readonly timeouts?: McpTimeouts | undefined;
  /** Put before the name of each tool, such as `'files_'`: two servers of one agent must not offer the same name. */
  readonly toolPrefix?: string | undefined;
  readonly toolFilter?: ToolFilter<C> | undefined;
  readonly needsApproval?: NeedsApproval<C> | undefined;
  /** Whether the list of tools is kept until the server says that it has changed, or the connection was lost. Default true. */
  readonly cacheTools?: boolean | undefined;
  /** Whether the model is shown structured content in place of text (`'prefer'`), or only where there is no content. Default `'fallback'`. */
  readonly structuredContent?: 'fallback' | 'prefer' | undefined;
  /** Given to every tool, as in `tool()`. */
  readonly errorFunction?: ToolOptions<C, unknown>['errorFunction'];
  readonly timeoutBehavior?: ToolOptions<C, unknown>['timeoutBehavior'];
  readonly inputGuardrails?: ToolOptions<C, unknown>['inputGuardrails'];
  readonly outputGuardrails?: ToolOptions<C, unknown>['outputGuardrails'];
  /** `'auto'` asks the server whether it speaks the protocol of 2026-07-28 before falling back to the one of 2025. Default `'legacy'`: 2025. */
  readonly protocol?: VersionNegotiationMode | undefined;
  /** Who the server is told it speaks to. */
  readonly clientInfo?: { readonly name: string; readonly version: string } | undefined;
  /** Folders that the server may work in, if it asks. Without them it is told that this client has none to tell of. */
  readonly roots?: readonly Root[] | (() => MaybePromise<readonly Root[]>) | undefined;
  /** Answers a question of the server to the person. Without it such questions are refused. */
  readonly onElicitation?: ((at: { request: ElicitRequestParams }) => MaybePromise<ElicitResult>) | undefined;
  /** Answers a server that wants to use a model. Without it such requests are refused. */
  readonly onSampling?:
    | ((at: { request: CreateMessageRequestParams }) => MaybePromise<CreateMessageResult>)
    | undefined;
  readonly onProgress?:
    | ((at: {
        tool: string;
        progress: number;
        total?: number | undefined;
        message?: string | undefined;
      }) => MaybePromise<void>)
    | undefined;
  readonly onLog?:
    | ((at: { level: LoggingLevel; logger?: string | undefined; data: unknown }) => MaybePromise<void>)
    | undefined;
};

/** Throws `UserError` for options that cannot work, before anything is started. */
export function checkOptions<C>(options: McpServerOptions<C>): void {
  const { name, transport, timeouts = {}, toolPrefix = '' } = options;
  if (typeof name !== 'string' || name === '') throw new UserError('mcpServer name: expected a name, got none.');
  const field = `mcpServer '${name}'`;
  checkTransport(field, transport);
  for (const [key, ms] of Object.entries(timeouts)) {
    if (ms !== null && ms !== undefined && !(ms > 0))
      throw new UserError(`${field} timeouts.${key}: expected milliseconds above 0, got ${ms}.`);
  }
  if (!/^[a-zA-Z0-9_-]{0,32}$/.test(toolPrefix))
    throw new UserError(`${field} toolPrefix: expected up to 32 characters of [a-zA-Z0-9_-], got '${toolPrefix}'.`);
}

function checkTransport(field: string, transport: McpTransport): void {
  switch (transport?.type) {
    case 'stdio':
      if (typeof transport.command === 'string' && transport.command !== '') return;
      throw new UserError(`${field} transport.command: expected the program to start, got none.`);
    case 'http':
    case 'sse':
      if (/^https?:$/.test(protocolOf(transport.url))) return;
      throw new UserError(`${field} transport.url: expected a URL that begins with http:// or https://.`);
    case 'custom':
      return;
    default:
      throw new UserError(`${field} transport.type: expected 'stdio', 'http', 'sse' or 'custom'.`);
  }
}

function protocolOf(url: string | URL): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}
