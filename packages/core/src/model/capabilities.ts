import type { ModelSettings } from '../protocol/request.ts';

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
