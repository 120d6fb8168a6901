import {
  toDialect,
  toJson,
  type Adaptation,
  type FunctionToolSpec,
  type HostedToolSpec,
  type Json,
  type ModelRequest,
  type ModelSettings,
  type ToolChoice,
  type ToolSpec,
} from '@polyrun/core';
import {
  fieldsOf,
  isFunctionTool,
  knownSettings,
  noSuchTool,
  refuseServerState,
  refuseTools,
  reporter,
} from '@polyrun/core/http';
import type { Dialect } from './dialects.ts';
import { messageWriter } from './messages.ts';
import { ordered } from './order.ts';
import { reasoningIn } from './reasoning.ts';
import { api, type Destination, type Target } from './target.ts';
import type { Body, ChatMessage, JsonObject } from './wire.ts';

type Encoded = { body: Body; adaptations: readonly Adaptation[] };

/**
 * Makes the body of a Chat Completions call of a request. What the endpoint cannot carry becomes an adaptation; hosted tools that it
 * lacks and server-held conversations are a `UserError`. Items that were in an earlier request are not converted again.
 */
export function requestEncoder(destination: Destination): (request: ModelRequest) => Encoded {
  const write = messageWriter(destination);
  return (request) => encodeRequest(request, destination, write);
}

function encodeRequest(
  request: ModelRequest,
  destination: Destination,
  write: ReturnType<typeof messageWriter>,
): Encoded {
  const { provider, model, dialect, capabilities } = destination;
  refuseServerState(request, api);
  refuseTools(request, capabilities.tools, `${provider}/${model}`);
  const { adaptations, report } = reporter();
  const target: Target = { ...destination, report };
  const { settings } = request;
  const { tools, fields } = toolFields(request.tools, target);
  const { instructions = '' } = request;
  const first: ChatMessage[] = instructions === '' ? [] : [{ role: dialect.systemRole, content: instructions }];
  const messages = ordered([...first, ...write(request.input, report)], target);
  const body: Body = {
    model,
    messages,
    ...fields,
    ...(tools.length > 0 && { tools, ...choiceField(settings.toolChoice, tools, target) }),
    ...outputFormat(request, target),
    ...settingFields(settings, tools.length > 0, target),
    ...effortField(settings.reasoning, target),
    ...reasoningOff(messages, settings, target),
    ...settings.providerOptions?.[provider],
  };
  return { body, adaptations };
}

function toolFields(specs: readonly ToolSpec[], target: Target): { tools: JsonObject[]; fields: JsonObject } {
  const added = specs.map((spec) =>
    isFunctionTool(spec) ? { tool: functionTool(spec, target) } : hostedTool(spec, target),
  );
  return {
    tools: added.map(({ tool }) => tool).filter((tool) => tool !== undefined),
    fields: Object.assign({}, ...added.map(({ body }) => body)),
  };
}

function functionTool({ name, description, parameters, strict }: FunctionToolSpec, target: Target): JsonObject {
  return {
    type: 'function',
    function: {
      name,
      description,
      ...schemaFields(name, parameters, { target, asked: strict && target.dialect.strictTools }),
    },
  };
}

/** A schema in the form that the endpoint takes, and strict where that is asked for and possible. */
function schemaFields(
  name: string,
  schema: Json,
  { target, asked }: { target: Target; asked: boolean },
): { parameters: Json; strict?: true } {
  const form = target.capabilities.schemaDialect === 'basic' ? 'basic' : asked ? 'openai_strict' : 'full';
  const { schema: parameters, verdict, detail } = toDialect(schema, form);
  if (detail !== '') target.report('changed_schema', name, detail);
  return form === 'openai_strict' && verdict !== 'rejected' ? { parameters, strict: true } : { parameters };
}

function hostedTool(spec: HostedToolSpec, target: Target): { tool?: JsonObject; body?: JsonObject } {
  const { dialect, capabilities } = target;
  const known = dialect.hostedTools;
  const mapped = Object.hasOwn(known, spec.type) ? known[spec.type]?.(spec) : undefined;
  if (mapped) return mapped;
  if (capabilities.hostedTools?.includes(spec.type)) return { tool: spec };
  throw noSuchTool(spec.type, target, Object.keys(known));
}

function choiceField(
  choice: ToolChoice | undefined,
  tools: readonly JsonObject[],
  { dialect, capabilities, report }: Target,
): JsonObject {
  if (choice === undefined) return {};
  const forced = choice !== 'auto' && choice !== 'none';
  if (forced && capabilities.forcedToolChoice === false) {
    report('unsupported_setting', 'toolChoice', 'this model cannot be forced to call a tool');
    return {};
  }
  if (typeof choice === 'object') {
    const { name } = choice;
    const type = tools.some(({ custom }) => fieldsOf(custom)['name'] === name) ? 'custom' : 'function';
    return { tool_choice: { type, [type]: { name } } };
  }
  return { tool_choice: forced ? dialect.required : choice };
}

/** The core asks for an output type only where the model has it beside what else is asked; JSON mode is a schema that permits anything. */
function outputFormat({ output }: ModelRequest, target: Target): JsonObject {
  if (output === undefined) return {};
  if (output.schema === true) return { response_format: { type: 'json_object' } };
  const name = output.name.replace(/[^\w-]/g, '_').slice(0, 64);
  const { parameters, strict = false } = schemaFields(output.name, output.schema, { target, asked: output.strict });
  return { response_format: { type: 'json_schema', json_schema: { name, schema: parameters, strict } } };
}

function settingFields(settings: ModelSettings, withTools: boolean, target: Target): JsonObject {
  const { dialect, capabilities, report } = target;
  const asked = { ...settings, 'reasoning.summary': settings.reasoning?.summary };
  const known = Object.entries(knownSettings(asked, capabilities.settings, { report }));
  const fields = known.filter(([name]) => !elsewhere.has(name) && (withTools || name !== 'parallelToolCalls'));
  return Object.fromEntries(fields.map(([name, value]) => [fieldOf(name, dialect), toJson(value)]));
}

function fieldOf(name: string, { names }: Dialect): string {
  const other = Object.entries(names).find(([setting]) => setting === name)?.[1];
  return other ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Settings that are not one field of the body. */
const elsewhere: ReadonlySet<string> = new Set(['toolChoice', 'reasoning', 'providerOptions']);

function effortField(reasoning: ModelSettings['reasoning'], { dialect, capabilities, report }: Target): JsonObject {
  if (reasoning?.effort === undefined) return {};
  const effort = dialect.efforts[reasoning.effort] ?? reasoning.effort;
  const lacking = capabilities.reasoning === 'none';
  // The highest effort just has another name there.
  const same = effort === reasoning.effort || effort === 'xhigh';
  if (lacking || !same)
    report('unsupported_setting', 'reasoning.effort', lacking ? 'not a reasoning model' : `sent as ${effort}`);
  return lacking ? {} : dialect.effort(effort);
}

/** A model that wants its reasoning back refuses past calls that come without; then it must not reason at all. */
function reasoningOff(messages: readonly ChatMessage[], { reasoning }: ModelSettings, target: Target): JsonObject {
  const { capabilities, dialect, report } = target;
  const possible = dialect.efforts['none'] === undefined && reasoning?.effort !== 'none';
  if (capabilities.reasoningReplay !== 'required' || !possible) return {};
  if (!messages.some((message) => message['tool_calls'] !== undefined && reasoningIn(message).text === '')) return {};
  report('reasoning_off', 'reasoning', 'a past call came without the reasoning that this model wants back');
  return dialect.effort('none');
}
