import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import { strictSchema, toJson, type FunctionToolSpec, type Json, type ModelRequest } from '@polyrun/core';
import { given, isFunctionTool, isList, refuseTools } from '@polyrun/core/http';
import { hostedTool } from './hosted-tools.ts';
import type { Target } from './target.ts';
import { isJsonObject, type JsonObject } from './wire.ts';

/** What the tools of a request become: the list of tools, and fields of the body that go with them. */
export type Tools = { readonly tools: readonly JsonObject[]; readonly fields: JsonObject };

/** How much of a request may be strict: beyond it the API answers 400. platform.claude.com/docs/en/build-with-claude/structured-outputs */
const limits = { tools: 20, optional: 24, unions: 16 } as const;
type Room = { tools: number; optional: number; unions: number };

/** The tools as this wire has them. A hosted one that it lacks is a `UserError`. */
export function toolsOf(request: ModelRequest, target: Target): Tools {
  const { tools: specs, output } = request;
  const { capabilities, provider, model } = target;
  refuseTools(request, capabilities.tools, `${provider}/${model}`);
  const room: Room = { ...limits };
  const answer = output && exactSchema(output.schema);
  if (typeof answer === 'object') fits({ ...answer, tools: 0 }, room);
  const made = specs.map((spec) => (isFunctionTool(spec) ? spec : hostedTool(spec, target)));
  const hosted = made.filter((each) => 'tool' in each);
  const declared = new Set(hosted.map(({ tool }) => tool['name']));
  const tools = made.flatMap((each) => {
    if ('tool' in each) return [each.tool];
    // A tool that the provider defines and this side runs: the provider's declaration is the one that counts.
    return declared.has(each.name) ? [] : [functionTool(each, room, target)];
  });
  const mcp_servers = hosted.flatMap(({ server }) => server ?? []);
  const { container } = hosted.find((each) => each.container) ?? {};
  return { tools, fields: { ...(mcp_servers.length > 0 && { mcp_servers }), ...given({ container }) } };
}

function functionTool(
  { name, description, parameters, strict }: FunctionToolSpec,
  room: Room,
  target: Target,
): JsonObject {
  const about = { name, description };
  const can = target.capabilities.structuredOutput === 'with_tools';
  const exact = strict && can ? exactSchema(parameters) : undefined;
  if (typeof exact === 'object' && fits({ ...exact, tools: 1 }, room))
    return { ...about, input_schema: exact.schema, strict: true };
  const reason = typeof exact === 'string' ? exact : `more than ${JSON.stringify(limits)}`;
  if (exact) target.report('changed_schema', name, `not strict: ${reason}`);
  return { ...about, input_schema: looseSchema(parameters) };
}

/** Takes the room that a schema needs, if there is as much. */
function fits({ tools, optional, unions }: Omit<ExactSchema, 'schema'> & { tools: number }, room: Room): boolean {
  if (tools > room.tools || optional > room.optional || unions > room.unions) return false;
  room.tools -= tools;
  room.optional -= optional;
  room.unions -= unions;
  return true;
}

/** The root must say that it is an object. */
function looseSchema(schema: Json): JsonObject {
  return { ...(isJsonObject(schema) && schema), type: 'object' };
}

/** A schema in the form that answers can be held to, and how much it counts towards the limits of a request. */
export type ExactSchema = { readonly schema: JsonObject; readonly optional: number; readonly unions: number };

/**
 * The form that the API compiles, as the client makes it: objects closed, optional properties left so, what cannot be enforced told in
 * descriptions; or the reason why there is none. Source: platform.claude.com/docs/en/build-with-claude/structured-outputs.
 */
export function exactSchema(given: Json): ExactSchema | string {
  // What OpenAI's strict mode cannot express, open objects above all, this one cannot either.
  const strict = strictSchema(given);
  if (!strict.strict) return strict.reason;
  const text = JSON.stringify(given);
  // A reference may lead back to where it stands, and the client changes only what is of one type.
  const obstacle = /"\$ref":|"type":\[[^\]]*"(?:object|array)"/.exec(text)?.[0];
  if (obstacle !== undefined) return `${obstacle.slice(0, 7)} that this form cannot hold`;
  const schema = toJson(transformJSONSchema(JSON.parse(text)));
  let optional = 0;
  let unions = 0;
  for (const { properties, required, anyOf, type } of partsOf(schema)) {
    optional += Object.keys(Object(properties)).length - (isList(required) ? required.length : 0);
    if (anyOf !== undefined || isList(type)) unions++;
  }
  return { schema: isJsonObject(schema) ? schema : {}, optional, unions };
}

/** A schema and all the schemas that it is made of. */
function partsOf(schema: Json | undefined): JsonObject[] {
  if (isList(schema)) return schema.flatMap(partsOf);
  if (!isJsonObject(schema)) return [];
  const { properties, items, anyOf } = schema;
  const inner = [...(isJsonObject(properties) ? Object.values(properties) : []), items, anyOf];
  return [schema, ...inner.flatMap(partsOf)];
}
