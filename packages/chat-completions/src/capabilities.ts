import { mergeCapabilities, type Capabilities } from '@polyrun/core';
import { dialectOf } from './dialects.ts';

/** What is known of a model family, at one provider or wherever it is served. */
type Family = { readonly providers?: readonly string[]; readonly models?: RegExp; readonly facts: Capabilities };

/** Settings that OpenAI's reasoning models take; sampling is fixed there. */
const withoutSampling = [
  'maxTokens',
  'toolChoice',
  'parallelToolCalls',
  'reasoning',
  'verbosity',
  'truncation',
  'store',
  'cache',
  'metadata',
  'serviceTier',
  'seed',
  'providerOptions',
] as const;

/** Facts by model family. A model that no row knows is taken to be able to do everything: its API is the authority. */
const families: readonly Family[] = [
  {
    // https://platform.openai.com/docs/guides/reasoning
    providers: ['openai'],
    models: /^(o\d|gpt-[5-9](?!.*chat))/,
    facts: { reasoning: 'always', settings: withoutSampling, schemaDialect: 'openai_strict' },
  },
  { providers: ['openai', 'azure'], facts: { schemaDialect: 'openai_strict' } },
  // https://api-docs.deepseek.com/guides/thinking_mode and /guides/json_mode
  { models: /deepseek-(?!chat)/, facts: { reasoningReplay: 'required' } },
  { providers: ['deepseek'], facts: { structuredOutput: 'none', input: [] } },
  // https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model
  { models: /^kimi-/, facts: { reasoningReplay: 'required' } },
  // Thinking comes and goes in parts of the content there, which only @polyrun/mistral speaks.
  { providers: ['mistral'], facts: { reasoningReplay: 'forbidden' } },
  // https://docs.z.ai/api-reference/llm/chat-completion
  { providers: ['zai'], facts: { forcedToolChoice: false, structuredOutput: 'none' } },
  // https://docs.ollama.com/api/openai-compatibility
  { providers: ['ollama'], facts: { input: ['image'] } },
  // https://console.groq.com/docs/structured-outputs
  { providers: ['groq'], facts: { structuredOutput: 'without_tools', input: ['image'] } },
  // https://docs.perplexity.ai/guides/chat-completions-guide
  { providers: ['perplexity'], facts: { tools: false, input: ['image'] } },
];

/** What a model can do as far as this package knows; the user's facts win. */
export function capabilitiesOf(provider: string, model: string, user?: Capabilities): Capabilities {
  const name = model.slice(model.lastIndexOf('/') + 1);
  const known = families.filter(
    (row) => (row.providers?.includes(provider) ?? true) && (row.models?.test(name) ?? true),
  );
  const wire: Capabilities = {
    serverState: [],
    toolOutputMedia: false,
    hostedTools: Object.keys(dialectOf(provider, model).hostedTools),
  };
  return mergeCapabilities(wire, ...known.map(({ facts }) => facts), user);
}
