import { UserError, type HostedToolSpec, type Json } from '@polyrun/core';
import { given, isList, noSuchTool, stringOf } from '@polyrun/core/http';
import type { Target } from './target.ts';
import { isJsonObject, type JsonObject } from './wire.ts';

/** What one hosted tool adds to a request. */
export type HostedTool = { readonly tool: JsonObject; readonly server?: JsonObject; readonly container?: Json };

/** A tool by the names that it goes by elsewhere: the provider's dated type, its name, and how its fields are spelled here. */
type Row = readonly [type: string, name: string, convert?: (spec: HostedToolSpec, target: Target) => JsonObject];

const search: Row = ['web_search_20250305', 'web_search', searchFields];
/** A size that screenshots are seen well in. */
const display = { display_width_px: 1024, display_height_px: 768 } as const;

/**
 * The tools that Anthropic defines, in their most widely taken versions; any other version goes by its own name, as in
 * `anthropic:web_search_20260318`. platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference
 */
const rows: { readonly [type: string]: Row } = {
  web_search: search,
  web_search_preview: search,
  web_fetch: ['web_fetch_20250910', 'web_fetch'],
  code_execution: ['code_execution_20250825', 'code_execution'],
  code_interpreter: ['code_execution_20250825', 'code_execution', () => ({})],
  tool_search: ['tool_search_tool_bm25_20251119', 'tool_search_tool_bm25'],
  memory: ['memory_20250818', 'memory'],
  bash: ['bash_20250124', 'bash'],
  text_editor: ['text_editor_20250728', 'str_replace_based_edit_tool'],
  computer: ['computer_20250124', 'computer', ({ type: _, ...rest }) => ({ ...display, ...rest })],
};

/** The hosted tools that may be declared; `anthropic:<type>` beside them. */
export const hostedTypes: readonly string[] = [...Object.keys(rows), 'mcp'];

const prefix = 'anthropic:';

/** A hosted tool as this wire has it; one that it lacks is a `UserError`. */
export function hostedTool(spec: HostedToolSpec, target: Target): HostedTool {
  const { type, container, ...fields } = spec;
  if (type === 'mcp') return mcpServer(spec, target);
  const own = type.startsWith(prefix) || target.capabilities.hostedTools?.includes(type);
  const short = type.replace(prefix, '');
  const row = Object.hasOwn(rows, short) ? rows[short] : undefined;
  if (!row && !own) throw noSuchTool(type, target, [...hostedTypes, 'anthropic:<type>']);
  const [dated, name, convert] = row ?? [short, nameFor(short)];
  const converted = short === type ? convert?.(spec, target) : undefined;
  const tool = { type: dated, ...given({ name }), ...(converted ?? fields) };
  // The Responses API names a container by its id, or asks for a new one, which is what happens anyway.
  return { tool, ...(typeof container === 'string' && { container }) };
}

/** The name that goes with a dated type; toolsets have none. */
function nameFor(type: string): string | undefined {
  const name = type.replace(/_\d+$/, '');
  if (name.endsWith('toolset')) return undefined;
  return Object.hasOwn(rows, name) ? rows[name]?.[1] : name;
}

/** The Responses API keeps domains under `filters`. */
function searchFields(spec: HostedToolSpec, { report }: Target): JsonObject {
  const { type: _, filters, search_context_size: size, external_web_access: _access, ...rest } = spec;
  if (size !== undefined) report('unsupported_setting', 'search_context_size', 'not here');
  return { ...rest, ...(isJsonObject(filters) && filters) };
}

/** An MCP server that the provider connects to. platform.claude.com/docs/en/agents-and-tools/mcp-connector */
function mcpServer(spec: HostedToolSpec, { report }: Target): HostedTool {
  const { server_label, server_url, authorization, allowed_tools, require_approval = '', headers } = spec;
  const name = stringOf(server_label);
  const url = stringOf(server_url);
  const refuse = (why: string) =>
    new UserError(`tools: MCP server '${name}': ${why}, or take its tools from @polyrun/mcp.`);
  if (url === '') throw refuse('give its server_url');
  if (require_approval === '') report('other', 'mcp', `nobody approves calls of '${name}'`);
  else if (require_approval !== 'never') throw refuse("set require_approval: 'never'");
  const token = stringOf(authorization);
  if (headers) report('unsupported_setting', 'mcp.headers', 'only authorization');
  return {
    server: { type: 'url', name, url, ...(token !== '' && { authorization_token: token }) },
    tool: { type: 'mcp_toolset', mcp_server_name: name, ...toolFilter(allowed_tools) },
  };
}

/** Some tools of a server alone: a list of names, or an object that holds one. */
function toolFilter(allowed: Json | undefined): JsonObject {
  const names = isJsonObject(allowed) ? allowed['tool_names'] : allowed;
  if (!isList(names)) return {};
  const configs = Object.fromEntries(names.map((tool) => [stringOf(tool), { enabled: true }]));
  return { default_config: { enabled: false }, configs };
}
