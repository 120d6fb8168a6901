import {
  toJson,
  UserError,
  type Adaptation,
  type FunctionToolSpec,
  type ModelRequest,
  type ModelSettings,
  type ToolSpec,
} from '@polyrun/core';
import { knownSettings, refuseServerState, refuseTools, type Report } from '@polyrun/core/http';
import { settingFields } from './capabilities.ts';
import { messageWriter } from './messages.ts';
import type { Destination, Target } from './target.ts';
import { todo } from './todo.ts';
import type { Body, JsonObject } from './wire.ts';

/** Encodes the requests of one model. What the wire cannot carry becomes an adaptation or, when it cannot be left out, a `UserError`. */
export function requestEncoder(
  destination: Destination,
): (request: ModelRequest) => { body: Body; adaptations: readonly Adaptation[] } {
  const write = messageWriter(destination);
  return (request) => {
    refuseServerState(request, destination.provider);
    refuseTools(request, destination.capabilities.tools, destination.model);
    const adaptations: Adaptation[] = [];
    const report: Report = (type, name, detail) => void adaptations.push({ type, name, detail });
    const target: Target = { ...destination, report };
    const { settings, tools } = request;
    const body: Body = {
      model: destination.model,
      messages: write(request, report),
      ...toolFields(tools, target),
      ...settingsIn(settings, target),
      ...settings.providerOptions?.[destination.provider],
    };
    return { body, adaptations };
  };
}

/** The fields of a body that tell of tools; none without tools. */
function toolFields(specs: readonly ToolSpec[], target: Target): JsonObject {
  if (specs.length === 0) return {};
  return { tools: specs.map((spec) => (isFunctionTool(spec) ? functionTool(spec) : hostedTool(spec, target))) };
}

function isFunctionTool(spec: ToolSpec): spec is FunctionToolSpec {
  return spec.type === 'function';
}

function functionTool({ name, description, parameters }: FunctionToolSpec): JsonObject {
  return todo('src/encode.ts, functionTool: how the wire spells a tool', name, description, parameters);
}

function hostedTool({ type }: ToolSpec, { provider, model }: Destination): never {
  throw new UserError(`tools: ${provider}/${model} has no hosted tool '${type}'; leave it out or change the model.`);
}

function settingsIn(settings: ModelSettings, { capabilities, report }: Target): JsonObject {
  const known = knownSettings(settings, capabilities.settings, { report });
  const fields = new Map(Object.entries(settingFields));
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) => {
      const field = fields.get(name);
      return field === undefined ? [] : [[field, toJson(value)]];
    }),
  );
}
