import type { CallToolResult, Tool as McpTool } from '@modelcontextprotocol/client';
import { isFields, jsonSchema, tool, toJson, UserError, type Tool, type ToolContext } from '@polyrun/core';
import { outputOf, wordsOfResult } from './content.ts';
import type { ErrorWords } from './errors.ts';
import type { McpServerOptions, NeedsApproval, ToolFilter } from './options.ts';
import { offeredNames } from './tool-names.ts';

/** What a server's tools are made with. */
export type ToolSetup<C> = {
  readonly options: McpServerOptions<C>;
  readonly words: ErrorWords;
  readonly call: (
    definition: McpTool,
    args: { [name: string]: unknown },
    context: ToolContext<C>,
  ) => Promise<CallToolResult>;
};
type Arguments = { [name: string]: unknown };

/** The tools of a server as tools of an agent, in an order that does not depend on the server's. */
export function toolsOf<C>(definitions: readonly McpTool[], setup: ToolSetup<C>): readonly Tool<C>[] {
  const { toolFilter, toolPrefix = '' } = setup.options;
  const known = new Map(definitions.map((definition) => [definition.name, definition]));
  const names = offeredNames([...known.keys()], toolPrefix);
  return [...known.values()]
    .filter(({ name }) => isListed(name, toolFilter))
    .map((definition) => made(definition, names.get(definition.name) ?? definition.name, setup))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Throws for names in the options that no tool of the server has: a misspelt one would let through what was to be stopped. */
export function checkNames<C>(definitions: readonly McpTool[], options: McpServerOptions<C>): void {
  const { name: server, toolFilter, needsApproval } = options;
  const { allow = [], block = [] } = typeof toolFilter === 'object' ? toolFilter : {};
  const asked = Array.isArray(needsApproval) ? needsApproval : [];
  const names = definitions.map(({ name }) => name);
  const lists = { 'toolFilter.allow': allow, 'toolFilter.block': block, needsApproval: asked };
  for (const [field, list] of Object.entries(lists)) {
    const unknown = list.find((name) => !names.includes(name));
    if (unknown === undefined) continue;
    throw new UserError(
      `mcpServer '${server}' ${field}: the server has no tool '${unknown}'; it has ${names.join(', ')}. ` +
        'Where its tools come and go, use a function.',
    );
  }
}

/** Whether a tool may destroy something, as far as the server tells: hints of a server that you do not trust are no protection. */
export function isDestructive({ annotations = {} }: Pick<McpTool, 'annotations'>): boolean {
  // What the specification says of absent hints.
  const { readOnlyHint = false, destructiveHint = true } = annotations;
  return !readOnlyHint && destructiveHint;
}

function isListed<C>(name: string, filter: ToolFilter<C> | undefined): boolean {
  if (typeof filter !== 'object') return true;
  return (filter.allow?.includes(name) ?? true) && !filter.block?.includes(name);
}

function made<C>(definition: McpTool, name: string, setup: ToolSetup<C>): Tool<C> {
  const { options, call } = setup;
  const { toolFilter, structuredContent = 'fallback', timeouts } = options;
  return tool<C, Arguments>({
    name,
    description: definition.description ?? definition.title ?? definition.annotations?.title ?? '',
    parameters: jsonSchema<Arguments>(parametersOf(definition)),
    // A server's schema is rarely within the strict dialect, and it checks arguments itself.
    strict: false,
    isEnabled: typeof toolFilter === 'function' ? (at) => toolFilter({ ...at, tool: definition }) : true,
    needsApproval: approvalOf(definition, options.needsApproval),
    timeoutMs: timeouts?.callMs,
    timeoutBehavior: options.timeoutBehavior,
    errorFunction: options.errorFunction,
    inputGuardrails: options.inputGuardrails,
    outputGuardrails: options.outputGuardrails,
    execute: async (args, context) => {
      const result = await call(definition, args, context);
      if (result.isError) throw setup.words.reported(wordsOfResult(result));
      await checkStructured(definition, result, setup.words);
      return outputOf(result, structuredContent);
    },
  });
}

function parametersOf({ inputSchema }: McpTool): { type: 'object' } {
  const schema = toJson(inputSchema);
  return { ...(isFields(schema) ? schema : {}), type: 'object' };
}

function approvalOf<C>(definition: McpTool, needs: NeedsApproval<C> | undefined) {
  if (typeof needs !== 'function') return Array.isArray(needs) ? needs.includes(definition.name) : needs === true;
  return (at: Omit<Parameters<typeof needs>[0], 'tool'>) => needs({ ...at, tool: definition });
}

/** A result that is not what the tool's own schema promises is an error: programs behind the model count on it. */
async function checkStructured(
  definition: McpTool,
  { structuredContent }: CallToolResult,
  words: ErrorWords,
): Promise<void> {
  const schema = toJson(definition.outputSchema);
  if (structuredContent === undefined || !isFields(schema)) return;
  const { issues } = await jsonSchema(schema)['~standard'].validate(structuredContent);
  const [first] = issues ?? [];
  if (first === undefined) return;
  const at = (first.path ?? []).map((key) => String(typeof key === 'object' ? key.key : key)).join('.');
  throw words.error('protocol', `gave structured content that does not fit the output schema of '${definition.name}'`, {
    text: `${at === '' ? 'the value' : at}: ${first.message}`,
  });
}
