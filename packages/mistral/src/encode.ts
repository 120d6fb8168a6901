import {
  oncePerItem,
  toJson,
  type Adaptation,
  type Capabilities,
  type Json,
  type ModelRequest,
  type ModelSettings,
} from '@polyrun/core';
import { refuseServerState } from '@polyrun/core/http';
import { convertItem } from './items.ts';
import { wireMessages } from './messages.ts';
import { outputFields, toolFields } from './tools.ts';
import type { Destination, Target } from './target.ts';
import type { Body, JsonObject } from './wire.ts';

type Encoded = { body: Body; adaptations: readonly Adaptation[] };

/**
 * Encodes the requests of one model as bodies of Mistral's chat completions. What the endpoint cannot carry becomes an adaptation; hosted
 * tools that it lacks and server-held conversations are a `UserError`. An item is converted once, however often it is sent.
 */
export function requestEncoder(
  destination: Destination,
  capabilities: Capabilities,
): (request: ModelRequest) => Encoded {
  const convert = oncePerItem((item) => convertItem(item, { ...destination, capabilities }));
  return (request) => {
    refuseServerState(request, 'mistral');
    const adaptations: Adaptation[] = [];
    const report: Target['report'] = (type, name, detail) => void adaptations.push({ type, name, detail });
    const target: Target = { ...destination, capabilities, report };
    const { settings, tools, output, instructions = '' } = request;
    const { prefix, ...extra }: { [name: string]: Json } = settings.providerOptions?.[destination.provider] ?? {};
    const pieces = request.input.map((item) => {
      const { piece, reports } = convert(item);
      adaptations.push(...reports);
      return { item, piece };
    });
    const messages = wireMessages(pieces, { instructions, prefix: prefix === true, report });
    const body: Body = {
      model: destination.model,
      messages,
      ...toolFields(tools, settings.toolChoice, target),
      ...outputFields(output, target),
      ...settingFields(settings, tools.length > 0, target),
      ...effortField(settings.reasoning, target),
      ...extra,
    };
    return { body, adaptations };
  };
}

function settingFields(settings: ModelSettings, withTools: boolean, { capabilities, report }: Target): JsonObject {
  const body: { [field: string]: Json } = {};
  const allowed = capabilities.settings && new Set<string>(capabilities.settings);
  const asked = Object.entries({ ...settings, 'reasoning.summary': settings.reasoning?.summary });
  for (const [name, value] of asked.filter((setting) => !isUsual(setting))) {
    const idle = elsewhere.has(name) || (name === 'parallelToolCalls' && !withTools);
    if (allowed?.has(name) === false) report('unsupported_setting', name, 'there is no such setting here');
    else if (!idle) body[fieldOf(name)] = toJson(value);
  }
  return body;
}

/** True for what is not asked for, or what this wire does anyway, so that nobody need be told that it has no setting for it. */
function isUsual([name, value]: [string, unknown]): boolean {
  return value === undefined || value === null || usual[name] === value;
}

/** Settings that are not one field of the body. */
const elsewhere: ReadonlySet<string> = new Set(['toolChoice', 'reasoning', 'providerOptions']);
const usual: { readonly [name: string]: unknown } = { truncation: 'disabled', cache: 'auto', store: false };

function fieldOf(name: string): string {
  return name === 'seed' ? 'random_seed' : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function effortField(reasoning: ModelSettings['reasoning'], { family, capabilities, report }: Target): JsonObject {
  const asked = reasoning?.effort;
  if (asked === undefined || (asked === 'none' && capabilities.reasoning === 'none')) return {};
  const tell = (detail: string) => report('unsupported_setting', 'reasoning.effort', detail);
  if (capabilities.reasoning === 'none') {
    tell('not a reasoning model');
    return {};
  }
  const { reasoningFields } = family;
  if (reasoningFields) {
    if (asked !== 'high') tell('this model always reasons, and has no efforts');
    return asked === 'none' ? {} : reasoningFields;
  }
  const effort = family.efforts[asked] ?? asked;
  if (effort !== asked && asked !== 'max') tell(`sent as ${effort}`);
  return { reasoning_effort: effort };
}
