import { UserError } from '../errors.ts';
import type { ModelSettings } from '../protocol/request.ts';
import type { Adaptation } from '../protocol/response.ts';

/** Declared facts about a model, as data. Every field is optional: what is not said is the permissive default. */
export type Capabilities = {
  tools?: boolean;
  parallelToolCalls?: boolean;
  forcedToolChoice?: boolean;
  streaming?: boolean;
  /** Whether an answer can be held to a JSON Schema: also in a request with tools, only in one without, or not at all. */
  structuredOutput?: 'with_tools' | 'without_tools' | 'none';
  /** Whether the wire can be asked for any JSON object: what an `OutputSpec` with the schema `true` means. */
  jsonMode?: boolean;
  schemaDialect?: 'full' | 'openai_strict' | 'basic';
  reasoning?: 'none' | 'optional' | 'always';
  /** Whether reasoning of this model must, may or must not be sent back to it. */
  reasoningReplay?: 'required' | 'optional' | 'forbidden';
  input?: readonly ('image' | 'file' | 'audio')[];
  toolOutputMedia?: boolean;
  hostedTools?: readonly string[];
  serverState?: readonly ('conversation' | 'previous_response')[];
  settings?: readonly (keyof ModelSettings)[];
};

/** Later facts win: default < adapter by model family < user. */
export function mergeCapabilities(...facts: readonly (Capabilities | undefined)[]): Capabilities {
  return Object.assign({}, ...facts);
}

/**
 * True when an adaptation changes or weakens what was asked: a setting left out, a schema that is not enforced in full, an output type
 * asked for in words, reasoning switched off, media that go elsewhere or nowhere. Repairs of a conversation's past are none, nor is a
 * strategy that gives the same output.
 */
export function changesRequest({ type, name }: Adaptation): boolean {
  if (type === 'output_strategy') return name === 'prompted';
  if (type === 'dropped_item') return name.startsWith('input_');
  return /^(?:unsupported_setting|changed_schema|reasoning_off|moved_media)$/.test(type);
}

/** What `capabilityMode: 'strict'` does before a request: a `UserError` that names everything that would change. */
export function refuseChanges(adaptations: readonly Adaptation[], model: { provider: string; name: string }): void {
  const changes = adaptations.filter(changesRequest);
  if (changes.length === 0) return;
  const words = changes.map(({ type, name, detail }) => `${type} ${name} (${detail})`).join('; ');
  throw new UserError(
    `capabilityMode 'strict': ${model.provider}/${model.name} cannot do as asked: ${words}. Ask for less, or use 'adapt'.`,
  );
}
