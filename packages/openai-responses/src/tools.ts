import {
  strictSchema,
  type FunctionToolSpec,
  type HostedToolSpec,
  type Json,
  type ModelRequest,
  type ToolChoice,
  type ToolSpec,
} from '@polyrun/core';
import { isFunctionTool, noSuchTool, refuseTools, type Report } from '@polyrun/core/http';
import type { Destination } from './target.ts';
import type { JsonObject } from './wire.ts';

type At = Destination & { readonly report: Report };

/** The tools of a request. Hosted ones go as they are; one that the server lacks is a `UserError`. */
export function toolFields(request: ModelRequest, at: At): JsonObject {
  const { tools, settings } = request;
  if (tools.length === 0) return {};
  refuseTools(request, at.capabilities.tools, `${at.provider}/${at.model}`);
  return {
    tools: tools.map((spec) => (isFunctionTool(spec) ? functionTool(spec, at) : hostedTool(spec, at))),
    ...choiceField(settings.toolChoice, tools, at),
  };
}

function functionTool({ name, description, parameters, strict }: FunctionToolSpec, at: At): JsonObject {
  const { schema, strict: exact } = schemaOf(name, parameters, strict ? at.report : undefined);
  return { type: 'function', name, description, parameters: schema, strict: exact };
}

/** A schema in the form that strict mode wants, where it is asked for and there is one. */
export function schemaOf(name: string, schema: Json, report?: Report): { schema: Json; strict: boolean } {
  const made = report && strictSchema(schema);
  if (made?.strict) return { schema: made.schema, strict: true };
  if (made) report('changed_schema', name, `not strict, because it has ${made.reason}`);
  return { schema, strict: false };
}

function hostedTool(spec: HostedToolSpec, at: At): JsonObject {
  const { provider } = at;
  const { hostedTools } = at.capabilities;
  const type = spec.type.startsWith(`${provider}:`) ? spec.type.slice(provider.length + 1) : spec.type;
  // Without a list the server knows best, but the tools of another provider are not its.
  if (hostedTools ? hostedTools.includes(type) : !type.includes(':')) return { ...spec, type };
  throw noSuchTool(spec.type, at, hostedTools);
}

function choiceField(
  choice: ToolChoice | undefined,
  tools: readonly ToolSpec[],
  { capabilities, report }: At,
): JsonObject {
  if (choice === undefined) return {};
  const forced = choice !== 'auto' && choice !== 'none';
  if (forced && capabilities.forcedToolChoice === false) {
    report('unsupported_setting', 'toolChoice', 'this model cannot be forced to call a tool');
    return {};
  }
  return { tool_choice: typeof choice === 'object' ? namedChoice(choice.name, tools) : choice };
}

/** https://platform.openai.com/docs/api-reference/responses/create#responses_create-tool_choice */
function namedChoice(name: string, tools: readonly ToolSpec[]): JsonObject {
  const named = tools.find(
    (spec) => !isFunctionTool(spec) && [spec['name'], spec['server_label'], spec.type].includes(name),
  );
  if (!named || isFunctionTool(named)) return { type: 'function', name };
  const { type } = named;
  if (type === 'custom') return { type, name };
  return type === 'mcp' ? { type, server_label: named['server_label'] ?? name } : { type };
}
