import {
  strictSchema,
  UserError,
  type FunctionToolSpec,
  type HostedToolSpec,
  type Json,
  type OutputSpec,
  type ToolChoice,
  type ToolSpec,
} from '@polyrun/core';
import { isFunctionTool, noSuchTool } from '@polyrun/core/http';
import type { Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** The tools that Mistral runs itself, with the fields that each takes: https://docs.mistral.ai/api/endpoint/chat */
const hosted: { readonly [type: string]: readonly string[] } = {
  web_search: ['tool_configuration'],
  code_interpreter: ['tool_configuration'],
  image_generation: ['tool_configuration'],
  'mistral:web_search_premium': ['tool_configuration'],
  'mistral:document_library': ['library_ids', 'tool_configuration'],
  'mistral:connector': ['connector_id', 'authorization', 'tool_configuration'],
};

/** What hosted tools are called here. */
export const hostedTypes: readonly string[] = Object.keys(hosted);

/** The fields of a body that tell of tools; none without tools. */
export function toolFields(specs: readonly ToolSpec[], choice: ToolChoice | undefined, target: Target): JsonObject {
  if (specs.length === 0) return {};
  const tools = specs.map((spec) => (isFunctionTool(spec) ? functionTool(spec, target) : hostedTool(spec, target)));
  return { tools, ...choiceField(choice, target) };
}

function functionTool({ name, description, parameters, strict }: FunctionToolSpec, target: Target): JsonObject {
  const { capabilities, provider, model } = target;
  if (capabilities.tools === false)
    throw new UserError(`tools: ${provider}/${model} has none; leave out '${name}' or change the model.`);
  const { schema, exact } = schemaOf({ name, schema: parameters, strict }, target);
  return { type: 'function', function: { name, description, parameters: schema, ...(exact && { strict: true }) } };
}

function hostedTool(
  { type, ...fields }: HostedToolSpec,
  { capabilities, provider, model, report }: Target,
): JsonObject {
  if (!capabilities.hostedTools?.includes(type)) throw noSuchTool(type, { provider, model }, capabilities.hostedTools);
  const takes = Object.hasOwn(hosted, type) ? hosted[type] : undefined;
  const [known, unknown] = [new Map<string, Json>(), new Set<string>()];
  for (const [field, value] of Object.entries(fields))
    if (takes?.includes(field) ?? true) known.set(field, value);
    else unknown.add(field);
  for (const field of unknown) report('unsupported_setting', `${type}.${field}`, 'this tool has no such field here');
  return { type: type.replace(/^mistral:/, ''), ...Object.fromEntries(known) };
}

function choiceField(choice: ToolChoice | undefined, { capabilities, report }: Target): JsonObject {
  if (choice === undefined) return {};
  const forced = choice !== 'auto' && choice !== 'none';
  if (forced && capabilities.forcedToolChoice === false) {
    report('unsupported_setting', 'toolChoice', 'this model cannot be forced to call a tool');
    return {};
  }
  if (typeof choice === 'object') return { tool_choice: { type: 'function', function: { name: choice.name } } };
  return { tool_choice: forced ? 'any' : choice };
}

/** How the answer is to be formed: after a schema, or as any JSON object. */
export function outputFields(output: OutputSpec | undefined, target: Target): JsonObject {
  if (output === undefined) return {};
  if (output.schema === true) return { response_format: { type: 'json_object' } };
  const { schema, exact } = schemaOf(output, target);
  const name = output.name.replace(/[^\w-]/g, '_').slice(0, 64);
  return { response_format: { type: 'json_schema', json_schema: { name, schema, strict: exact } } };
}

/** A schema as it goes out: where strictness is asked for, in the strict form that the official client makes, too. */
function schemaOf({ name, schema, strict }: OutputSpec, { report }: Target): { schema: Json; exact: boolean } {
  const made = strict ? strictSchema(schema) : undefined;
  if (made?.strict) return { schema: made.schema, exact: true };
  if (made) report('changed_schema', name, `not strict, because it has ${made.reason}`);
  return { schema, exact: false };
}
