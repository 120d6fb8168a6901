import type { Capabilities, HostedToolSpec, Json, ModelSettings } from '@polyrun/core';
import type { JsonObject } from './wire.ts';

type Setting = keyof ModelSettings;

/** How one endpoint's Chat Completions differ from OpenAI's own, as data. */
export type Dialect = {
  /** The field that carries a setting, where it is not the setting's name in snake case. */
  readonly names: { readonly [setting in Setting]?: string };
  /** The settings that the wire does not have, beside those of the rows before. */
  readonly lacks: readonly Setting[];
  /** The role under which instructions go, also those in the middle. */
  readonly systemRole: 'system' | 'developer' | 'user';
  /** How the wish for more or less reasoning is spelled. */
  readonly effort: (effort: string) => JsonObject;
  /** Efforts that the wire lacks, with the nearest one that it has. */
  readonly efforts: { readonly [effort: string]: string };
  /** Whether `stream_options.include_usage` is accepted; elsewhere usage comes unasked. */
  readonly streamOptions: boolean;
  /** Whether `strict` is accepted on function tools. */
  readonly strictTools: boolean;
  /** The word for "some tool must be called". */
  readonly required: string;
  /** Wire ids of tool calls. */
  readonly callIds: { readonly legal: RegExp; readonly length: number; readonly prefix?: string };
  /** What the order of messages must obey beyond the pairing of calls. */
  readonly order: readonly OrderRule[];
  /** Whether files may be given by their address. */
  readonly fileURLs: boolean;
  /** Hosted tools that the wire has: what each adds to the list of tools or to the body. */
  readonly hostedTools: { readonly [type: string]: (spec: HostedToolSpec) => { tool?: JsonObject; body?: JsonObject } };
};

/** Where a message carries its reasoning; `thinking` are parts of the content. */
export type ReasoningField = 'reasoning_content' | 'reasoning' | 'reasoning_text' | 'reasoning_details' | 'thinking';
/** A rule on the order of messages that some wires have. */
export type OrderRule = 'assistant_after_tool' | 'user_last';

/** The wire as OpenAI documents it, permissive where endpoints differ: https://platform.openai.com/docs/api-reference/chat/create */
const common: Dialect = {
  names: {},
  lacks: ['truncation', 'cache'],
  systemRole: 'system',
  effort: (effort) => ({ reasoning_effort: effort }),
  efforts: { max: 'high' },
  streamOptions: true,
  strictTools: true,
  required: 'required',
  callIds: { legal: /^[\w.:-]{1,40}$/, length: 16, prefix: 'call_' },
  order: [],
  fileURLs: false,
  hostedTools: {},
};

/** The quirks of one provider or some of its models, and what is known of what they can do. */
export type DialectRow = Partial<Dialect> & {
  readonly provider: string;
  readonly models?: RegExp;
  readonly facts?: Capabilities;
};

const maxTokens = 'max_completion_tokens';
/** OpenAI's own settings, which most others do not know. */
const openaiOnly = ['verbosity', 'store', 'metadata', 'serviceTier'] as const;
const penalties = ['frequencyPenalty', 'presencePenalty'] as const;
const effortObject = (effort: string): JsonObject => ({ reasoning: { effort } });
const thinkingSwitch = (effort: string): JsonObject => ({
  thinking: { type: effort === 'none' ? 'disabled' : 'enabled' },
});
// `max_tokens` is deprecated there and refused by reasoning models; top_k does not exist.
const openai = {
  names: { maxTokens },
  lacks: ['topK'],
  efforts: { max: 'xhigh' },
  // https://platform.openai.com/docs/guides/function-calling#custom-tools
  hostedTools: { custom: customTool },
  facts: { schemaDialect: 'openai_strict', structuredOutput: 'with_tools' },
} as const;

/** Every quirk that this package knows, in one table. Rows overlay each other in order; a test holds a fixture for each. What no row says is permitted: the API is the authority. */
export const dialectRows: readonly DialectRow[] = [
  { provider: 'openai', ...openai },
  { provider: 'azure', ...openai },
  // https://platform.openai.com/docs/guides/reasoning: developer messages replace system messages since o1, sampling is fixed.
  {
    provider: 'openai',
    models: /^(o\d|gpt-[5-9](?!.*chat))/,
    lacks: ['temperature', 'topP', ...penalties],
    systemRole: 'developer',
    facts: { reasoning: 'always' },
  },
  // https://platform.openai.com/docs/api-reference/chat/create: o3-mini takes it all the same.
  { provider: 'openai', models: /^(o3(?!-mini)|o4|gpt-[5-9](?!.*chat))/, lacks: ['stop'] },
  // The first of them know neither role: "Unsupported value: 'messages[0].role' does not support 'developer' with this model."
  { provider: 'openai', models: /^o1-(mini|preview)/, systemRole: 'user' },
  // "Content blocks are expected to be either text or image_url type."
  { provider: 'openai', models: /^(o\d|gpt-(?!.*(audio|realtime)))/, facts: { input: ['image', 'file'] } },
  // https://platform.openai.com/docs/guides/structured-outputs: since gpt-4o, before that JSON mode.
  { provider: 'openai', models: /^gpt-(3|4(-|$))/, facts: { structuredOutput: 'none' } },
  // https://platform.openai.com/docs/guides/tools-web-search: a field of the body, for the search models only.
  {
    provider: 'openai',
    models: /-search-/,
    hostedTools: { custom: customTool, web_search: (spec) => ({ body: { web_search_options: searchOptions(spec) } }) },
  },
  // https://docs.mistral.ai/api: nine-character call ids, `any`, `random_seed`; unknown fields are refused. Thinking comes and
  // goes in parts of the content, which this package reads but does not write.
  {
    provider: 'mistral',
    names: { seed: 'random_seed' },
    lacks: ['topK', 'verbosity', 'store', 'serviceTier'],
    required: 'any',
    callIds: { legal: /^[a-zA-Z0-9]{9}$/, length: 9 },
    order: ['assistant_after_tool', 'user_last'],
    streamOptions: false,
    facts: { reasoningReplay: 'forbidden' },
  },
  // https://console.groq.com/docs/openai, /docs/structured-outputs, and /docs/browser-search for the built-in tools of gpt-oss.
  {
    provider: 'groq',
    lacks: ['topK', 'verbosity', 'store'],
    hostedTools: {
      browser_search: ({ type }) => ({ tool: { type } }),
      code_interpreter: ({ type }) => ({ tool: { type } }),
    },
    facts: { structuredOutput: 'without_tools' },
  },
  // https://api-docs.deepseek.com/guides/thinking_mode: a switch and an effort of low, high or max; strict tools only under /beta.
  {
    provider: 'deepseek',
    lacks: [...openaiOnly, 'topK', 'seed', 'parallelToolCalls'],
    effort: (effort) => ({ ...thinkingSwitch(effort), ...(effort !== 'none' && { reasoning_effort: effort }) }),
    efforts: { minimal: 'low', medium: 'high' },
    strictTools: false,
    facts: { structuredOutput: 'none', input: [], reasoningReplay: 'required' },
  },
  // https://github.com/deepseek-ai/DeepSeek-V3/issues/1376: "Thinking mode does not support this tool_choice", and it is the default.
  { provider: 'deepseek', models: /^(?!deepseek-chat)/, facts: { forcedToolChoice: false } },
  // https://openrouter.ai/docs/use-cases/reasoning-tokens, /docs/features/multimodal/pdfs and its server tools.
  {
    provider: 'openrouter',
    lacks: ['store'],
    effort: effortObject,
    efforts: { max: 'xhigh' },
    fileURLs: true,
    hostedTools: {
      web_search: ({ type: _, ...parameters }) => ({ tool: { type: 'openrouter:web_search', parameters } }),
      'openrouter:web_search': (tool) => ({ tool }),
    },
  },
  // https://docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk
  { provider: 'snowflake', names: { maxTokens }, lacks: [...openaiOnly, 'topK'], effort: effortObject },
  // https://docs.z.ai/api-reference/llm/chat-completion: thinking is a switch.
  {
    provider: 'zai',
    lacks: [...openaiOnly, ...penalties, 'topK', 'seed', 'parallelToolCalls'],
    effort: thinkingSwitch,
    streamOptions: false,
    strictTools: false,
    facts: { forcedToolChoice: false, structuredOutput: 'none' },
  },
  // https://platform.kimi.ai/docs/api/chat: thinking is a switch, up to kimi-k3, which takes an effort of low, high or max.
  {
    provider: 'moonshot',
    names: { maxTokens },
    lacks: [...openaiOnly, 'topK', 'seed', 'parallelToolCalls'],
    effort: thinkingSwitch,
    strictTools: false,
  },
  // https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model
  { provider: 'moonshot', models: /^kimi-/, facts: { reasoningReplay: 'required' } },
  // "tool_choice 'required' is incompatible with thinking enabled", which it is by default.
  { provider: 'moonshot', models: /^kimi-k(2\.\d|2-thinking|[3-9])/, facts: { forcedToolChoice: false } },
  {
    provider: 'moonshot',
    models: /^kimi-k[3-9]/,
    effort: common.effort,
    efforts: { none: 'low', minimal: 'low', medium: 'high' },
  },
  // https://www.alibabacloud.com/help/en/model-studio/deep-thinking and /web-search: switches in the body.
  {
    provider: 'alibaba',
    lacks: [...openaiOnly, 'frequencyPenalty'],
    effort: (effort) => ({ enable_thinking: effort !== 'none' }),
    // "tool_choice is one of the strings that should be [none, auto]"
    facts: { forcedToolChoice: false },
    hostedTools: { web_search: () => ({ body: { enable_search: true } }) },
  },
  // https://docs.x.ai/docs/api-reference
  { provider: 'xai', names: { maxTokens }, lacks: [...openaiOnly, 'topK'] },
  // https://docs.x.ai/docs/guides/structured-outputs: beside tools from Grok 4 on.
  { provider: 'xai', models: /^grok-[4-9]/, facts: { structuredOutput: 'with_tools' } },
  // https://ai.google.dev/gemini-api/docs/openai
  { provider: 'gemini', lacks: [...openaiOnly, 'topK', 'parallelToolCalls'] },
  // https://ai.google.dev/gemini-api/docs/structured-output: beside tools from Gemini 3 on.
  { provider: 'gemini', models: /^gemini-[3-9]/, facts: { structuredOutput: 'with_tools' } },
  // https://inference-docs.cerebras.ai/resources/openai: no developer role, penalties are refused.
  { provider: 'cerebras', names: { maxTokens }, lacks: [...openaiOnly, ...penalties, 'topK'] },
  // https://docs.perplexity.ai/guides/chat-completions-guide
  {
    provider: 'perplexity',
    lacks: [...openaiOnly, 'seed', 'parallelToolCalls'],
    order: ['user_last'],
    streamOptions: false,
    facts: { tools: false },
  },
  // https://docs.ollama.com/api/openai-compatibility: the list of supported request fields.
  { provider: 'ollama', lacks: [...openaiOnly, 'topK', 'parallelToolCalls'], facts: { forcedToolChoice: false } },
  // https://docs.sambanova.ai/docs/en/features/openai-compatibility
  { provider: 'sambanova', lacks: [...openaiOnly, ...penalties, 'seed'] },
];

/** The rows of the table that speak of one model of one provider. */
export function rowsFor(provider: string, model: string): readonly DialectRow[] {
  const name = model.slice(model.lastIndexOf('/') + 1);
  return dialectRows.filter((row) => row.provider === provider && row.models?.test(name) !== false);
}

/** The dialect of one model of one provider: what is common, overlaid by every row that fits. */
export function dialectOf(provider: string, model: string): Dialect {
  const overlay = (known: Dialect, row: DialectRow): Dialect => ({
    ...known,
    ...row,
    lacks: [...known.lacks, ...(row.lacks ?? [])],
  });
  return rowsFor(provider, model).reduce(overlay, common);
}

/** `custom` of the Responses API, whose grammar stands one level deeper here. */
function customTool({ type, format, ...custom }: HostedToolSpec): { tool: JsonObject } {
  const { type: kind = 'text', ...grammar }: { [field: string]: Json } = Object(format);
  return {
    tool: { type, custom: { ...custom, format: kind === 'grammar' ? { type: kind, grammar } : { type: kind } } },
  };
}

/** `web_search` of the Responses API as the search models want it: the place one level deeper. */
function searchOptions({ type: _, user_location, ...options }: HostedToolSpec): JsonObject {
  if (user_location === undefined) return options;
  const { type: _type, ...approximate }: { [field: string]: Json } = Object(user_location);
  return { ...options, user_location: { type: 'approximate', approximate } };
}
