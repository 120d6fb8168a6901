import {
  toJson,
  UserError,
  type Adaptation,
  type Capabilities,
  type FunctionToolSpec,
  type HostedToolSpec,
  type Json,
  type ModelRequest,
  type ModelSettings,
  type ToolChoice,
  type ToolSpec,
} from '@polyrun/core';
import type { Dialect } from './dialects.ts';
import { chatMessages } from './messages.ts';
import { ordered } from './order.ts';
import type { Destination, Target } from './target.ts';
import type { Body, ChatMessage, JsonObject } from './wire.ts';

/**
 * A request as the body of a Chat Completions call. What the endpoint cannot carry becomes an adaptation; hosted tools that it
 * lacks and server-held conversations are a `UserError`.
 */
export function encodeRequest(
  request: ModelRequest,
  capabilities: Capabilities,
  destination: Destination,
): { body: Body; adaptations: readonly Adaptation[] } {
  refuseServerState(request, destination);
  const adaptations: Adaptation[] = [];
  const target: Target = { ...destination, capabilities, report: (adaptation) => void adaptations.push(adaptation) };
  const { tools, fields } = toolFields(request.tools, target);
  const output = outputFields(request, target);
  const { role, settings } = { role: destination.dialect.systemRole, settings: request.settings };
  const instructions = [request.instructions, output.instructions].filter((text) => text !== undefined && text !== '');
  const messages: ChatMessage[] = instructions.length > 0 ? [{ role, content: instructions.join('\n\n') }] : [];
  const body: Body = {
    model: destination.model,
    messages: ordered([...messages, ...chatMessages(request.input, target)], target),
    ...fields,
    ...(tools.length > 0 ? { tools, ...choiceFields(settings.toolChoice, target) } : {}),
    ...output.fields,
    ...settingFields(settings, { target, withTools: tools.length > 0 }),
    ...settings.providerOptions?.[destination.provider],
  };
  return { body, adaptations };
}

function refuseServerState({ conversationId, previousResponseId }: ModelRequest, { provider }: Destination): void {
  const given = conversationId !== undefined ? 'conversationId' : 'previousResponseId';
  if (conversationId === undefined && previousResponseId === undefined) return;
  throw new UserError(
    `${given}: the chat-completions adapter (${provider}) keeps no conversation on the server. Leave it out and pass the ` +
      'history as input or use a session; the openai-responses adapter has server state.',
  );
}

function toolFields(specs: readonly ToolSpec[], target: Target): { tools: JsonObject[]; fields: JsonObject } {
  const tools: JsonObject[] = [];
  let fields: JsonObject = {};
  for (const spec of specs) {
    const { tool, body } = isFunctionTool(spec) ? { tool: functionTool(spec, target) } : hostedTool(spec, target);
    if (tool) tools.push(tool);
    if (body) fields = { ...fields, ...body };
  }
  return { tools, fields };
}

function isFunctionTool(spec: ToolSpec): spec is FunctionToolSpec {
  return spec.type === 'function';
}

function functionTool(spec: FunctionToolSpec, { dialect, capabilities, provider, model }: Target): JsonObject {
  if (capabilities.tools === false)
    throw new UserError(
      `tools: ${model} of ${provider} has no function tools; leave out '${spec.name}' or change the model.`,
    );
  const { name, description, parameters } = spec;
  const strict = spec.strict && dialect.strictTools ? { strict: true } : {};
  return { type: 'function', function: { name, description, parameters, ...strict } };
}

function hostedTool(spec: HostedToolSpec, target: Target): { tool?: JsonObject; body?: JsonObject } {
  const { dialect, capabilities, provider, model } = target;
  if (Object.hasOwn(dialect.hostedTools, spec.type)) return dialect.hostedTools[spec.type]?.(spec) ?? {};
  if (capabilities.hostedTools?.includes(spec.type)) return { tool: spec };
  const known = Object.keys(dialect.hostedTools);
  throw new UserError(
    `tools: ${model} of ${provider} has no hosted tool '${spec.type}' on the chat-completions wire (it has ` +
      `${known.length > 0 ? known.join(', ') : 'none'}). Leave it out, or list it in the option capabilities.hostedTools to send it as it is.`,
  );
}

function choiceFields(choice: ToolChoice | undefined, { dialect, capabilities, report }: Target): JsonObject {
  if (choice === undefined) return {};
  if (choice === 'auto' || choice === 'none') return { tool_choice: choice };
  if (capabilities.forcedToolChoice === false) {
    report({ type: 'unsupported_setting', name: 'toolChoice', detail: 'this model cannot be forced to call a tool' });
    return {};
  }
  return {
    tool_choice: choice === 'required' ? dialect.required : { type: 'function', function: { name: choice.name } },
  };
}

/** Native where the model has it; else the schema goes into the instructions and any JSON is asked for. */
function outputFields({ output, tools }: ModelRequest, target: Target): { fields: JsonObject; instructions?: string } {
  if (output === undefined) return { fields: {} };
  const { structuredOutput } = target.capabilities;
  if (structuredOutput !== 'none' && !(structuredOutput === 'without_tools' && tools.length > 0)) {
    const name = output.name.replace(/[^\w-]/g, '_').slice(0, 64);
    const json_schema = { name, schema: output.schema, strict: output.strict };
    return { fields: { response_format: { type: 'json_schema', json_schema } } };
  }
  const detail = 'the schema stands in the instructions and any JSON object is asked for';
  target.report({ type: 'output_strategy', name: 'prompted', detail });
  const instructions = `Answer with one JSON object that obeys this JSON Schema:\n${JSON.stringify(output.schema)}`;
  // JSON mode would keep the model from calling tools.
  return { fields: tools.length > 0 ? {} : { response_format: { type: 'json_object' } }, instructions };
}

/** Settings that are not just a field of the body. */
const special: ReadonlySet<string> = new Set(['toolChoice', 'reasoning', 'truncation', 'cache', 'providerOptions']);

function settingFields(
  settings: ModelSettings,
  { target, withTools }: { target: Target; withTools: boolean },
): JsonObject {
  const { dialect, capabilities, report } = target;
  const body: { [field: string]: Json } = {};
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || value === null || special.has(name)) continue;
    const field = settingField(name, dialect, capabilities);
    if (field === undefined)
      report({ type: 'unsupported_setting', name, detail: `${target.provider} has no such setting` });
    else if (name !== 'parallelToolCalls' || withTools) body[field] = toJson(value);
  }
  if (settings.truncation === 'auto')
    report({ type: 'unsupported_setting', name: 'truncation', detail: 'Chat Completions does not shorten its input' });
  if (settings.cache !== undefined && settings.cache !== 'auto')
    report({ type: 'unsupported_setting', name: 'cache', detail: 'caching here is up to the provider' });
  return { ...body, ...reasoningFields(settings.reasoning, target) };
}

function settingField(name: string, dialect: Dialect, capabilities: Capabilities): string | undefined {
  const allowed: readonly string[] | undefined = capabilities.settings;
  if (allowed && !allowed.includes(name)) return undefined;
  const field = Object.entries(dialect.fields).find(([setting]) => setting === name)?.[1];
  return field ?? undefined;
}

function reasoningFields(reasoning: ModelSettings['reasoning'], { dialect, capabilities, report }: Target): JsonObject {
  if (reasoning?.summary !== undefined)
    report({ type: 'unsupported_setting', name: 'reasoning.summary', detail: 'Chat Completions has no summaries' });
  const effort = reasoning?.effort;
  if (effort === undefined) return {};
  const unsupported = capabilities.settings && !capabilities.settings.includes('reasoning');
  if (dialect.effort === null || unsupported || capabilities.reasoning === 'none') {
    report({ type: 'unsupported_setting', name: 'reasoning.effort', detail: 'this model takes no effort' });
    return {};
  }
  const sent = dialect.efforts[effort];
  if (sent === undefined) return dialect.effort(effort);
  if (sent !== 'xhigh')
    report({ type: 'unsupported_setting', name: 'reasoning.effort', detail: `'${effort}' is sent as '${sent}'` });
  return dialect.effort(sent);
}
