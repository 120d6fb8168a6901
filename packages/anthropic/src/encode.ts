import type { Adaptation, Capabilities, Fields, Json, ModelRequest, OutputSpec } from '@polyrun/core';
import { fieldsOf, given, isList, listOf, refuseServerState, reporter, stringOf } from '@polyrun/core/http';
import { withCacheMarks } from './cache.ts';
import { conversationOf, type Encoding } from './messages.ts';
import { choiceField, isForced, settingFields } from './settings.ts';
import type { Destination, Target } from './target.ts';
import { thinkingFor, type Thinking } from './thinking.ts';
import { exactSchema, toolsOf } from './tools.ts';
import { isJsonObject, type Body, type JsonObject, type Message } from './wire.ts';

/** What a codec knows beside the request. */
export type Setting = Destination & { readonly capabilities: Capabilities } & Pick<Encoding, 'pieces'>;

/**
 * A request as the body of a Messages API call. What the model cannot carry becomes an adaptation; hosted tools that it lacks and
 * server-held conversations are a `UserError`.
 */
export function encodeRequest(
  request: ModelRequest,
  setting: Setting,
): { body: Body; adaptations: readonly Adaptation[] } {
  refuseServerState(request, 'anthropic');
  const { adaptations, report } = reporter();
  const target: Encoding = { ...setting, report };
  return { body: bodyOf(request, target), adaptations };
}

function bodyOf(request: ModelRequest, target: Encoding): Body {
  const { model, provider, family } = target;
  const { settings } = request;
  const { betas: asked, output_config, ...options } = settings.providerOptions?.[provider] ?? {};
  const { tools, fields } = toolsOf(request, target);
  const { system, messages } = conversationOf(request, target);
  const maxTokens = settings.maxTokens ?? family.maxTokens;
  const forced = tools.length > 0 && isForced(settings, target);
  const { thinking, effort, active } = thinkingFor({ settings, options, messages, maxTokens, forced }, target);
  const marked = withCacheMarks({ tools, system, messages }, options['cache_control'] ? 'none' : settings.cache);
  const body = {
    model,
    max_tokens: maxTokens,
    ...(system.length > 0 && { system: marked.system }),
    messages: marked.messages,
    ...(tools.length > 0 && { tools: marked.tools, ...choiceField(settings, forced) }),
    ...outputField({ output: request.output, effort, own: output_config }, target),
    ...settingFields(settings, active, target),
    ...fields,
    ...options,
    // Where thinking had to be switched off, the user's own field for it gives way too.
    ...thinkingField(thinking, options),
  };
  const betas = betasFor(body, asked);
  return { ...body, ...(betas.length > 0 && { betas }) };
}

function thinkingField(thinking: Thinking['thinking'], { thinking: own }: JsonObject): JsonObject {
  if (thinking !== undefined) return { thinking };
  return own === undefined ? {} : { thinking: { type: 'disabled' } };
}

type Output = { output: OutputSpec | undefined; effort: string | undefined; own: Json | undefined };

function outputField({ output, effort, own }: Output, target: Target): JsonObject {
  const config = {
    ...given({ effort }),
    ...(output && { format: { type: 'json_schema', schema: answerSchema(output, target) } }),
    ...(isJsonObject(own) && own),
  };
  return Object.keys(config).length > 0 ? { output_config: config } : {};
}

/** Native where the schema has a form that the API compiles; any other is sent as it is, and the API judges. */
function answerSchema({ name, schema }: OutputSpec, { report }: Target): JsonObject {
  const exact = exactSchema(schema);
  if (typeof exact === 'object') return exact.schema;
  report('changed_schema', name, `sent as it is, with ${exact}`);
  return isJsonObject(schema) ? schema : {};
}

/**
 * What is still in beta, by the type of a tool, an edit or a source, or a field of thinking; a date in the type is the beta's own. Other betas are the user's to
 * name. platform.claude.com/docs/en/api/beta-headers
 */
const rows: readonly (readonly [RegExp, string])[] = [
  [/^computer_\d/, 'computer-use-'],
  [/^advisor_/, 'advisor-tool-'],
  [/^compact_/, 'compact-'],
  [/^clear_/, 'context-management-2025-06-27'],
  [/^mcp_toolset$/, 'mcp-client-2025-11-20'],
  [/^(file|container_upload)$/, 'files-api-2025-04-14'],
  [/^block_binding$/, 'thinking-binding-controls-2026-08-01'],
];

/** The betas that a body needs, and those that the user asks for, without repetition. */
function betasFor(
  body: Fields & { readonly messages: readonly Message[] },
  asked: Json | undefined,
): readonly string[] {
  const { tools, thinking, context_management, messages } = body;
  const blocks = [
    ...listOf(tools),
    ...listOf(fieldsOf(context_management)['edits']),
    ...messages.flatMap(({ content }) => content),
  ];
  const types = new Set([...Object.keys(fieldsOf(thinking)), ...blocks.flatMap(typesIn)]);
  const wanted = isList(asked) ? asked.map(stringOf) : [];
  return [...new Set([...wanted, ...[...types].map((type) => betaOf(stringOf(type)))])].filter(Boolean);
}

function typesIn({ type, source, content }: Fields): unknown[] {
  return [type, fieldsOf(source)['type'], ...(type === 'tool_result' ? listOf(content).flatMap(typesIn) : [])];
}

function betaOf(type: string): string {
  const beta = rows.find(([sign]) => sign.test(type))?.[1] ?? '';
  return beta.endsWith('-') ? beta + type.slice(-8).replace(/(\d{4})(\d\d)/, '$1-$2-') : beta;
}
