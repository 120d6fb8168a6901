import type { Item } from './items.ts';
import type { Json } from './json.ts';

export type ToolChoice = 'auto' | 'required' | 'none' | { name: string };

/** How a model is to answer. An adapter maps what its wire has and reports the rest as adaptations. */
export type ModelSettings = {
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  /** Most tokens of one answer, reasoning included. */
  maxTokens?: number | undefined;
  stop?: readonly string[] | undefined;
  seed?: number | undefined;
  frequencyPenalty?: number | undefined;
  presencePenalty?: number | undefined;
  toolChoice?: ToolChoice | undefined;
  parallelToolCalls?: boolean | undefined;
  reasoning?:
    | {
        effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'max' | undefined;
        summary?: 'auto' | 'concise' | 'detailed' | undefined;
      }
    | undefined;
  verbosity?: 'low' | 'medium' | 'high' | undefined;
  truncation?: 'auto' | 'disabled' | undefined;
  store?: boolean | undefined;
  cache?: 'auto' | 'none' | { ttl: string } | undefined;
  metadata?: { [key: string]: string } | undefined;
  serviceTier?: string | undefined;
  /** Passed through to the named provider only, unread by the core. */
  providerOptions?: { [provider: string]: { [key: string]: Json } } | undefined;
};

/** A function tool. `parameters` is a JSON Schema as the user wrote it; where `strict` is asked for, `strictSchema` gives the form that providers enforce. */
export type FunctionToolSpec = {
  type: 'function';
  name: string;
  description: string;
  parameters: Json;
  strict: boolean;
};
/** A hosted tool as data, spelled as the Responses API spells it: `{ type: 'web_search', … }`, `{ type: 'anthropic:web_fetch', … }`. */
export type HostedToolSpec = { type: string } & { [key: string]: Json };
export type ToolSpec = FunctionToolSpec | HostedToolSpec;
/** The JSON Schema that the answer must obey; `true`, any JSON object, only where the model's `jsonMode` is a declared fact. */
export type OutputSpec = { name: string; schema: Json; strict: boolean };

/** Everything a model is asked, as JSON. Handoffs are function tools here. */
export type ModelRequest = {
  instructions?: string;
  input: readonly Item[];
  tools: readonly ToolSpec[];
  output?: OutputSpec;
  settings: ModelSettings;
  /** `strict`: what the model cannot do as asked is an error before the request; `adapt` (default): it is adapted and reported. */
  capabilityMode?: 'adapt' | 'strict';
  conversationId?: string;
  previousResponseId?: string;
  /** Set when this request goes on after a pause: the id of the response that paused. */
  pausedResponseId?: string;
};
