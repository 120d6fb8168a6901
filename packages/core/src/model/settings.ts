import type { Json } from '../protocol/json.ts';

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

/** `over`'s fields that are neither null nor undefined overlay `base`'s; `providerOptions` are merged per provider. */
export function mergeSettings(base: ModelSettings | undefined, over: ModelSettings | undefined): ModelSettings {
  if (over === undefined) return base ?? {};
  if (base === undefined) return given(over);
  const merged: ModelSettings = { ...base, ...given(over) };
  if (base.providerOptions && over.providerOptions)
    merged.providerOptions = mergeOptions(base.providerOptions, over.providerOptions);
  return merged;
}

function mergeOptions(
  base: NonNullable<ModelSettings['providerOptions']>,
  over: NonNullable<ModelSettings['providerOptions']>,
) {
  const merged = { ...base };
  for (const [provider, options] of Object.entries(over)) merged[provider] = { ...base[provider], ...options };
  return merged;
}

function given(settings: ModelSettings): ModelSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null && value !== undefined));
}
