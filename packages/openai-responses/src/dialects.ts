import type { Capabilities, ModelSettings } from '@polyrun/core';

type Setting = keyof ModelSettings;

/** How one server's Responses differ from what all share, as data. */
export type Dialect = {
  /** The settings that the server does not have, beside those of the rows before. */
  readonly lacks: readonly Setting[];
  /** Efforts that the server lacks, with the nearest one that it has. */
  readonly efforts: { readonly [effort: string]: string };
  /** Whether reasoning may be asked for in its encrypted form. */
  readonly encryptedReasoning: boolean;
  /** Whether the calls of a turn must follow each other, with nothing between them. */
  readonly callsTogether: boolean;
  /** Whether the cache of prompts can be told how long to keep them. */
  readonly promptCache: boolean;
  /** Calls that the server runs by itself, though their kind is one that the client answers elsewhere. */
  readonly ownCalls: readonly string[];
};

/** The quirks of one server or some of its models, and what is known of what they can do. */
export type DialectRow = Partial<Dialect> & {
  readonly provider: string;
  readonly models?: RegExp;
  readonly facts?: Capabilities;
};

/** The wire as https://www.openresponses.org/specification has it, permissive where servers differ: the server is the authority. */
const common: Dialect = {
  lacks: ['topK', 'stop', 'seed'],
  efforts: { max: 'xhigh' },
  encryptedReasoning: true,
  callsTogether: false,
  promptCache: false,
  ownCalls: [],
};

/** https://platform.openai.com/docs/api-reference/responses/create#responses_create-tools */
const openaiTools = [
  'web_search',
  'web_search_2025_08_26',
  'web_search_preview',
  'web_search_preview_2025_03_11',
  'file_search',
  'code_interpreter',
  'image_generation',
  'mcp',
  'computer',
  'computer_use_preview',
  'local_shell',
  'shell',
  'apply_patch',
  'custom',
  'namespace',
  'tool_search',
  'programmatic_tool_calling',
] as const;
const reasoningModels = /^(?:ft:)?(?:o\d|codex|computer-use|gpt-(?:[5-9]|oss)(?!.*chat))/;
const plainModels = /^(?:ft:)?(?:gpt-(?:3|4)|chatgpt|gpt-[5-9].*chat)/;
const openai = {
  lacks: ['frequencyPenalty', 'presencePenalty'],
  promptCache: true,
  facts: { schemaDialect: 'openai_strict', structuredOutput: 'with_tools', hostedTools: openaiTools },
} as const;
const reasoning = {
  models: reasoningModels,
  lacks: ['temperature', 'topP'],
  facts: { reasoning: 'always' },
} as const;
// They answer 400 "Encrypted content is not supported with this model."
const plain = { models: plainModels, encryptedReasoning: false, facts: { reasoning: 'none' } } as const;

/** Every quirk that this package knows, in one table. Rows overlay each other in order; a test holds a fixture for each. */
export const dialectRows: readonly DialectRow[] = [
  { provider: 'openai', ...openai },
  { provider: 'openai', ...reasoning },
  { provider: 'openai', ...plain },
  // Deployments have any name; those named after their model are known by it.
  { provider: 'azure', ...openai },
  { provider: 'azure', ...reasoning },
  { provider: 'azure', ...plain },
  // https://docs.x.ai/docs/guides/tools/overview: what its search does inside is told as custom tool calls, which it answers itself.
  {
    provider: 'xai',
    efforts: { minimal: 'low', max: 'high' },
    ownCalls: ['custom_tool_call'],
    facts: { structuredOutput: 'with_tools', serverState: ['previous_response'] },
  },
  // https://openrouter.ai/docs/api-reference/responses-api/overview: every request stands alone.
  { provider: 'openrouter', facts: { serverState: [] } },
  // It answers 400 "No tool output found" when a message stands between two calls of one turn; it keeps no responses.
  {
    provider: 'deepseek',
    encryptedReasoning: false,
    callsTogether: true,
    facts: { serverState: [], hostedTools: [] },
  },
  // https://console.groq.com/docs/responses-api: stateless, and without encrypted reasoning.
  { provider: 'groq', encryptedReasoning: false, facts: { serverState: [] } },
  // https://lmstudio.ai/docs/developer/openai-compat/responses
  { provider: 'lmstudio', facts: { serverState: ['previous_response'] } },
  // https://docs.ollama.com/api/openai-compatibility: no state on the server.
  { provider: 'ollama', facts: { serverState: [] } },
];

/** The rows of the table that speak of one model of one provider. */
export function rowsFor(provider: string, model: string): readonly DialectRow[] {
  return dialectRows.filter((row) => row.provider === provider && row.models?.test(model) !== false);
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
