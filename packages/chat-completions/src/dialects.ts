import type { HostedToolSpec, Json, ModelSettings } from '@polyrun/core';
import type { JsonObject } from './wire.ts';

type Setting = keyof ModelSettings;
type Effort = NonNullable<NonNullable<ModelSettings['reasoning']>['effort']>;

/** How one endpoint's Chat Completions differ from OpenAI's own, as data. */
export type Dialect = {
  /** The field that carries each setting; `null`: the wire has none. */
  readonly fields: { readonly [name in Setting]?: string | null };
  /** The role under which instructions go, also those in the middle. */
  readonly systemRole: 'system' | 'developer';
  /** How the wish for more or less reasoning is spelled; `null`: it cannot be. */
  readonly effort: ((effort: string) => JsonObject) | null;
  /** Efforts that the wire lacks, with the nearest one that it has. */
  readonly efforts: { readonly [effort in Effort]?: string };
  /** The field in which reasoning goes back when the item does not tell. */
  readonly reasoningField: ReasoningField;
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
  /** Whether message content must be a string when it is nothing but text. */
  readonly plainText: boolean;
  /** Whether files may be given by their address. */
  readonly fileURLs: boolean;
  /** Hosted tools that the wire has: what each adds to the list of tools or to the body. */
  readonly hostedTools: { readonly [type: string]: (spec: HostedToolSpec) => { tool?: JsonObject; body?: JsonObject } };
};

/** Where a message carries its reasoning; `thinking` are parts of the content. */
export type ReasoningField = 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'thinking';
/** A rule on the order of messages that some wires have. */
export type OrderRule = 'system_first' | 'alternate' | 'assistant_after_tool' | 'user_last';

/** The wire as OpenAI documents it, permissive where endpoints differ: https://platform.openai.com/docs/api-reference/chat/create */
const common: Dialect = {
  fields: {
    temperature: 'temperature',
    topP: 'top_p',
    topK: 'top_k',
    maxTokens: 'max_tokens',
    stop: 'stop',
    seed: 'seed',
    frequencyPenalty: 'frequency_penalty',
    presencePenalty: 'presence_penalty',
    parallelToolCalls: 'parallel_tool_calls',
    verbosity: 'verbosity',
    store: 'store',
    metadata: 'metadata',
    serviceTier: 'service_tier',
  },
  systemRole: 'system',
  effort: (effort) => ({ reasoning_effort: effort }),
  efforts: { max: 'high' },
  reasoningField: 'reasoning_content',
  streamOptions: true,
  strictTools: true,
  required: 'required',
  callIds: { legal: /^[\w.:-]{1,40}$/, length: 16, prefix: 'call_' },
  order: [],
  plainText: false,
  fileURLs: false,
  hostedTools: {},
};

/** One quirk or a family of them. Rows are applied in order; a test holds a fixture for each. */
type Row = {
  readonly name: string;
  readonly providers: readonly string[];
  readonly models?: RegExp;
  readonly quirks: Partial<Dialect>;
};

const effortObject = (effort: string): JsonObject => ({ reasoning: { effort } });
const thinkingSwitch = (effort: string): JsonObject => ({
  thinking: { type: effort === 'none' ? 'disabled' : 'enabled' },
});
/** OpenAI's own extras, which other endpoints do not know. */
const openaiOnly = { topK: null, verbosity: null, store: null, metadata: null, serviceTier: null } as const;

/** Every quirk that this package knows, in one table. */
export const dialectRows: readonly Row[] = [
  {
    // `max_tokens` is deprecated there and refused by reasoning models; top_k does not exist.
    name: 'openai',
    providers: ['openai', 'azure'],
    quirks: { fields: { topK: null, maxTokens: 'max_completion_tokens' }, efforts: { max: 'xhigh' } },
  },
  {
    // https://platform.openai.com/docs/guides/reasoning: developer messages replace system messages since o1.
    name: 'openai-reasoning',
    providers: ['openai'],
    models: /^(o\d|gpt-[5-9](?!.*chat))/,
    quirks: { systemRole: 'developer' },
  },
  {
    // https://platform.openai.com/docs/guides/tools-web-search: a field of the body, for the search models only.
    name: 'openai-search',
    providers: ['openai'],
    models: /-search-/,
    quirks: { hostedTools: { web_search: (spec) => ({ body: { web_search_options: searchOptions(spec) } }) } },
  },
  {
    // https://docs.mistral.ai/api: nine-character call ids, `any`, `random_seed`, unknown fields refused, thinking as content parts.
    name: 'mistral',
    providers: ['mistral'],
    quirks: {
      fields: { topK: null, seed: 'random_seed', verbosity: null, store: null, serviceTier: null },
      required: 'any',
      callIds: { legal: /^[a-zA-Z0-9]{9}$/, length: 9 },
      order: ['assistant_after_tool', 'user_last'],
      reasoningField: 'thinking',
      streamOptions: false,
    },
  },
  {
    // https://console.groq.com/docs/openai and /docs/browser-search: reasoning in `reasoning`, built-in tools of gpt-oss.
    name: 'groq',
    providers: ['groq'],
    quirks: {
      fields: { topK: null, verbosity: null, store: null },
      reasoningField: 'reasoning',
      hostedTools: {
        browser_search: () => ({ tool: { type: 'browser_search' } }),
        code_interpreter: () => ({ tool: { type: 'code_interpreter' } }),
      },
    },
  },
  {
    // https://api-docs.deepseek.com/guides/thinking_mode: a switch and an effort of low, high or max; strict tools only under /beta.
    name: 'deepseek',
    providers: ['deepseek'],
    quirks: {
      fields: { ...openaiOnly, seed: null, parallelToolCalls: null },
      effort: (effort) => ({
        ...thinkingSwitch(effort),
        ...(effort === 'none' ? {} : { reasoning_effort: effort }),
      }),
      efforts: { minimal: 'low', medium: 'high' },
      strictTools: false,
      plainText: true,
    },
  },
  {
    // https://openrouter.ai/docs/use-cases/reasoning-tokens and /docs/features/multimodal/pdfs
    name: 'openrouter',
    providers: ['openrouter'],
    quirks: {
      fields: { store: null },
      effort: effortObject,
      efforts: { max: 'xhigh' },
      reasoningField: 'reasoning',
      fileURLs: true,
      hostedTools: {
        web_search: (spec) => ({ tool: serverTool(spec) }),
        'openrouter:web_search': (spec) => ({ tool: spec }),
      },
    },
  },
  {
    // https://docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk: finish reasons stay empty, signatures in reasoning_details.
    name: 'snowflake',
    providers: ['snowflake'],
    quirks: {
      fields: { ...openaiOnly, maxTokens: 'max_completion_tokens' },
      effort: effortObject,
      reasoningField: 'reasoning_details',
    },
  },
  {
    // https://docs.z.ai/api-reference/llm/chat-completion: thinking is a switch, tool_choice is auto, no stream_options.
    name: 'zai',
    providers: ['zai'],
    quirks: {
      fields: { ...openaiOnly, seed: null, frequencyPenalty: null, presencePenalty: null, parallelToolCalls: null },
      effort: thinkingSwitch,
      streamOptions: false,
      strictTools: false,
    },
  },
  {
    // https://platform.kimi.ai/docs/api/chat: thinking is a switch, up to kimi-k3, which takes an effort of low, high or max.
    name: 'moonshot',
    providers: ['moonshot'],
    quirks: {
      fields: { ...openaiOnly, seed: null, parallelToolCalls: null, maxTokens: 'max_completion_tokens' },
      effort: thinkingSwitch,
      strictTools: false,
    },
  },
  {
    name: 'moonshot-k3',
    providers: ['moonshot'],
    models: /^kimi-k[3-9]/,
    quirks: { effort: common.effort, efforts: { none: 'low', minimal: 'low', medium: 'high' } },
  },
  {
    // https://www.alibabacloud.com/help/en/model-studio/deep-thinking and /web-search: switches in the body.
    name: 'alibaba',
    providers: ['alibaba'],
    quirks: {
      fields: { ...openaiOnly, topK: 'top_k', frequencyPenalty: null },
      effort: (effort) => ({ enable_thinking: effort !== 'none' }),
      hostedTools: { web_search: () => ({ body: { enable_search: true } }) },
    },
  },
  {
    // https://docs.x.ai/docs/api-reference
    name: 'xai',
    providers: ['xai'],
    quirks: { fields: { ...openaiOnly, maxTokens: 'max_completion_tokens' } },
  },
  {
    // https://ai.google.dev/gemini-api/docs/openai: effort none to high; signatures of thought ride on the calls.
    name: 'gemini',
    providers: ['gemini'],
    quirks: { fields: { ...openaiOnly, parallelToolCalls: null } },
  },
  {
    // https://inference-docs.cerebras.ai/resources/openai: no developer role, penalties are refused.
    name: 'cerebras',
    providers: ['cerebras'],
    quirks: {
      fields: { ...openaiOnly, frequencyPenalty: null, presencePenalty: null, maxTokens: 'max_completion_tokens' },
      reasoningField: 'reasoning',
      plainText: true,
    },
  },
  {
    // https://docs.perplexity.ai/guides/chat-completions-guide: after the system messages, user and assistant alternate.
    name: 'perplexity',
    providers: ['perplexity'],
    quirks: {
      fields: { ...openaiOnly, topK: 'top_k', seed: null, parallelToolCalls: null },
      order: ['system_first', 'alternate', 'user_last'],
      streamOptions: false,
    },
  },
  {
    // https://docs.ollama.com/api/openai-compatibility: the list of supported request fields.
    name: 'ollama',
    providers: ['ollama'],
    quirks: { fields: { ...openaiOnly, parallelToolCalls: null }, reasoningField: 'reasoning' },
  },
  {
    // https://docs.vllm.ai/en/latest/features/reasoning_outputs.html
    name: 'vllm',
    providers: ['vllm'],
    quirks: { fields: { verbosity: null, store: null, metadata: null }, reasoningField: 'reasoning' },
  },
  {
    // https://docs.sambanova.ai/docs/en/features/openai-compatibility
    name: 'sambanova',
    providers: ['sambanova'],
    quirks: {
      fields: { ...openaiOnly, topK: 'top_k', seed: null, frequencyPenalty: null, presencePenalty: null },
      plainText: true,
    },
  },
];

/** The dialect of one model of one provider: what is common, overlaid by every row that fits. */
export function dialectOf(provider: string, model: string): Dialect {
  const name = model.slice(model.lastIndexOf('/') + 1);
  return dialectRows
    .filter((row) => row.providers.includes(provider) && (row.models?.test(name) ?? true))
    .reduce<Dialect>(
      (dialect, { quirks }) => ({ ...dialect, ...quirks, fields: { ...dialect.fields, ...quirks.fields } }),
      common,
    );
}

/** `web_search` of the Responses API as the search models want it. */
function searchOptions({ search_context_size, user_location }: HostedToolSpec): JsonObject {
  const options: { [field: string]: Json } = {};
  if (search_context_size !== undefined) options['search_context_size'] = search_context_size;
  if (typeof user_location === 'object' && user_location !== null && !Array.isArray(user_location)) {
    const { type: _type, ...approximate } = Object.fromEntries(Object.entries(user_location));
    options['user_location'] = { type: 'approximate', approximate };
  }
  return options;
}

function serverTool({ type, ...parameters }: HostedToolSpec): JsonObject {
  return { type: `openrouter:${type}`, ...(Object.keys(parameters).length > 0 ? { parameters } : {}) };
}
