import type { Item } from '@polyrun/core';
import {
  fieldsOf,
  isFields,
  isThinking,
  list,
  messageProblems,
  textOf,
  toolName,
  type Fields,
  type Message,
  type Report,
} from './anthropic-blocks.ts';
import type { Reading } from './corpus.ts';

type Body = Fields & { readonly model: string; readonly messages: readonly Message[] };

/** What one generation of models demands beyond the common wire. */
type Generation = {
  readonly models: RegExp;
  readonly thinking?: readonly string[];
  readonly efforts?: readonly string[];
  /** Body fields that are refused. */
  readonly refused?: readonly string[];
  readonly prefill?: false;
  readonly systemInside?: true;
  readonly forcedTools?: false;
};

const samplers = ['temperature', 'top_p', 'top_k'] as const;

/** Documented strictness, by generation; later rows overlay earlier ones. platform.claude.com/docs: the migration guide of each model. */
const generations: readonly Generation[] = [
  { models: /claude-(instant|2|3-(opus|sonnet|haiku|5))/, refused: ['thinking'] },
  { models: /claude/, thinking: ['enabled', 'disabled'], efforts: ['low', 'medium', 'high'] },
  {
    models: /claude-(opus|sonnet)-4-6/,
    thinking: ['enabled', 'disabled', 'adaptive'],
    efforts: ['low', 'medium', 'high', 'max'],
    prefill: false,
  },
  {
    models: /claude-(opus-4-[78]|sonnet-5|opus-5|haiku-5|fable|mythos)/,
    thinking: ['adaptive', 'disabled'],
    efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
    refused: samplers,
    prefill: false,
  },
  { models: /claude-(opus-4-8|sonnet-5|opus-5|haiku-5|fable|mythos)/, systemInside: true },
  { models: /claude-sonnet-5-5/, thinking: ['adaptive', 'between_tools'], forcedTools: false },
  { models: /claude-(fable|mythos)-5|claude-opus-5-5/, thinking: ['adaptive'] },
  { models: /claude-((fable|mythos)-5-[1-9]|opus-5-5)/, forcedTools: false },
];

/** Every violation of the wire's grammar in the body of a request. platform.claude.com/docs/en/api/messages/create */
export function grammarProblems(sent: Fields): string[] {
  const problems: string[] = [];
  const report: Report = (problem) => void problems.push(problem);
  const body = { ...sent, model: textOf(sent['model'] ?? ''), messages: messagesIn(sent['messages']) };
  const generation = Object.assign(
    {},
    ...generations.filter(({ models }) => models.test(body.model)),
  ) as Partial<Generation>;
  fieldProblems(sent, generation, report);
  toolProblems(body, generation, report);
  thinkingProblems(body, generation, report);
  if (sent['system'] !== undefined) systemProblems(sent['system'], report);
  if (body.messages.length === 0) report('messages: at least one message is required');
  for (const [index, message] of body.messages.entries()) messageProblems(message, `messages.${index}`, report);
  orderProblems(body, generation, report);
  pairingProblems(body.messages, report);
  serverToolProblems(body.messages, report);
  cacheProblems(sent, report);
  return problems;
}

const bodyFields = new Set(
  (
    'model max_tokens messages system tools tool_choice thinking output_config output_format temperature top_p top_k stop_sequences ' +
    'metadata service_tier stream cache_control container context_management mcp_servers fallbacks fallback_credit_token thread ' +
    'compaction diagnostics inference_geo speed billing_policy user_profile_id'
  ).split(' '),
);

// oxlint-disable-next-line complexity -- one rule after the other
function fieldProblems(body: Fields, { refused = [], efforts }: Partial<Generation>, report: Report): void {
  for (const field of Object.keys(body)) {
    if (!bodyFields.has(field)) report(`${field}: Extra inputs are not permitted`);
    if (refused.includes(field)) report(`${field} is not supported by this model`);
  }
  const { max_tokens, temperature, top_p, stop_sequences, metadata, service_tier, output_config, model } = body;
  if (typeof model !== 'string' || model === '') report('model: a name is required');
  if (!Number.isInteger(max_tokens) || Number(max_tokens) < 0) report('max_tokens: a count is required');
  for (const [name, value] of Object.entries({ temperature, top_p }))
    if (value !== undefined && !(Number(value) >= 0 && Number(value) <= 1)) report(`${name}: must be between 0 and 1`);
  if (list(stop_sequences).some((text) => textOf(text).trim() === ''))
    report('stop_sequences: each must contain non-whitespace');
  if (metadata !== undefined && Object.keys(fieldsOf(metadata)).some((key) => key !== 'user_id'))
    report('metadata: only user_id');
  if (service_tier !== undefined && !['auto', 'standard_only'].includes(textOf(service_tier)))
    report('service_tier: unknown');
  const { effort, format } = fieldsOf(output_config);
  if (effort !== undefined && efforts && !efforts.includes(textOf(effort)))
    report(`effort level '${textOf(effort)}' is not supported`);
  if (format !== undefined) formatProblems(fieldsOf(format), report);
}

function formatProblems({ type, schema }: Fields, report: Report): void {
  if (type !== 'json_schema') report('output_config.format.type: must be json_schema');
  exactProblems(schema, 'output_config.format.schema', report);
}

const refusedKeywords =
  /^(minimum|maximum|exclusiveM.*|multipleOf|m(in|ax)Length|pattern|maxItems|uniqueItems|oneOf|not|if|then|else|patternProperties|m(in|ax)Properties)$/;

/** What a schema must not have that answers are held to. */
// oxlint-disable-next-line complexity -- one rule after the other
function exactProblems(schema: unknown, where: string, report: Report): void {
  if (Array.isArray(schema)) for (const entry of schema) exactProblems(entry, where, report);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return;
  const { type, properties, additionalProperties, minItems, ...rest } = schema as Fields;
  if ((type === 'object' || properties !== undefined) && additionalProperties !== false)
    report(`${where}: additionalProperties must be explicitly false`);
  if (minItems !== undefined && minItems !== 0 && minItems !== 1) report(`${where}: minItems may be 0 or 1`);
  for (const [keyword, value] of Object.entries(rest)) {
    if (refusedKeywords.test(keyword)) report(`${where}: ${keyword} is not supported`);
    if (['anyOf', 'allOf', 'items'].includes(keyword)) exactProblems(value, where, report);
    if (/^(\$defs|definitions)$/.test(keyword)) exactProblems(Object.values(fieldsOf(value)), where, report);
  }
  for (const [name, value] of Object.entries(fieldsOf(properties))) exactProblems(value, `${where}.${name}`, report);
}

// oxlint-disable-next-line complexity -- one rule after the other
function toolProblems(body: Body, { forcedTools }: Partial<Generation>, report: Report): void {
  const tools = list(body['tools']).map(fieldsOf);
  const names = tools.map(({ name, mcp_server_name }) => name ?? mcp_server_name).filter((name) => name !== undefined);
  if (new Set(names).size < names.length) report('tools: Tool names must be unique.');
  for (const [index, tool] of tools.entries()) oneToolProblems(tool, `tools.${index}`, report);
  const strict = tools.filter((tool) => tool['strict'] === true);
  if (strict.length > 20) report(`Too many strict tools (${strict.length})`);
  const { type, name } = fieldsOf(body['tool_choice']);
  if (body['tool_choice'] === undefined) return;
  if (tools.length === 0) report('tool_choice: may only be specified while providing tools');
  if (!['auto', 'any', 'tool', 'none'].includes(textOf(type))) report('tool_choice.type: unknown');
  if (type === 'tool' && !names.some((known) => known === name)) report(`tool_choice: no tool '${textOf(name)}'`);
  if (type === 'none' && fieldsOf(body['tool_choice'])['disable_parallel_tool_use'] !== undefined)
    report('tool_choice: Extra inputs are not permitted');
  if (type !== 'any' && type !== 'tool') return;
  if (forcedTools === false) report('tool_choice: forced tool use is not supported by this model');
  // Recorded: a forced tool passes beside adaptive thinking.
  if (fieldsOf(body['thinking'])['type'] === 'enabled')
    report('Thinking may not be enabled when tool_choice forces tool use.');
}

// oxlint-disable-next-line complexity -- one rule after the other
function oneToolProblems(tool: Fields, where: string, report: Report): void {
  const { type = 'custom', name, input_schema, strict, defer_loading, cache_control } = tool;
  if (defer_loading === true && cache_control) report(`${where}: a deferred tool cannot be marked`);
  if (!textOf(type).endsWith('toolset') && !toolName.test(textOf(name ?? ''))) report(`${where}.name: illegal`);
  if (type !== 'custom') return;
  const { type: root, anyOf, oneOf, allOf } = fieldsOf(input_schema);
  if (root !== 'object') report(`${where}.input_schema.type: must be object`);
  if (anyOf ?? oneOf ?? allOf) report(`${where}.input_schema does not support oneOf, allOf, or anyOf at the top level`);
  if (strict === true) exactProblems(input_schema, `${where}.input_schema`, report);
}

// oxlint-disable-next-line complexity -- one rule after the other
function thinkingProblems(body: Body, { thinking: types }: Partial<Generation>, report: Report): void {
  const thinking = fieldsOf(body['thinking']);
  if (body['thinking'] === undefined) return;
  const type = textOf(thinking['type']);
  if (types && !types.includes(type)) report(`thinking.type.${type} is not supported for this model`);
  const on = type === 'enabled' || type === 'adaptive';
  if (on && ((body['temperature'] ?? 1) !== 1 || body['top_k'] !== undefined || Number(body['top_p'] ?? 1) < 0.95))
    report('thinking: sampling cannot be changed beside it');
  if (type !== 'enabled') return;
  const budget = Number(thinking['budget_tokens']);
  if (!(budget >= 1024)) report('thinking.budget_tokens: must be at least 1024');
  if (!(budget < Number(body['max_tokens']))) report('max_tokens must be greater than thinking.budget_tokens');
  const { messages } = body;
  if (messages.at(-1)?.role === 'assistant' && !isOpenTurn(messages.at(-1)))
    report('thinking: no beginning of an answer beside it');
  const within = ({ role, content }: Message) =>
    role === 'assistant' || content.some((block) => block['type'] === 'tool_result');
  const last = messages.at(-1);
  if (!last || !within(last)) return;
  const start = messages.findLastIndex((message) => !within(message)) + 1;
  const first = messages.slice(start).find(({ role }) => role === 'assistant')?.content[0];
  if (first && !isThinking(first))
    report(`Expected \`thinking\` or \`redacted_thinking\`, but found \`${textOf(first['type'])}\``);
}

function systemProblems(system: unknown, report: Report): void {
  if (typeof system === 'string') return;
  for (const [index, block] of list(system).map(fieldsOf).entries())
    if (block['type'] !== 'text' || textOf(block['text'] ?? '').trim() === '')
      report(`system.${index}: text blocks must be non-empty`);
}

/** Roles alternate once neighbours are one turn; system messages have two legal places; the end is the user's where prefill is refused. */
// oxlint-disable-next-line complexity -- one rule after the other
function orderProblems({ messages }: Body, { systemInside, prefill }: Partial<Generation>, report: Report): void {
  for (const [index, { role }] of messages.entries()) {
    if (role !== 'system') continue;
    if (!systemInside) report(`messages.${index}: role 'system' is not supported on this model`);
    const before = messages.slice(0, index).findLast((message) => message.role !== 'system')?.role;
    const after = messages.slice(index).find((message) => message.role !== 'system')?.role ?? 'assistant';
    if (before !== 'user') report(`messages.${index}: role 'system' must follow a 'user' message`);
    if (after !== 'assistant')
      report(`messages.${index}: role 'system' must precede an 'assistant' message or end the array`);
  }
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || isOpenTurn(last)) return;
  const { text } = last.content.at(-1) ?? {};
  if (prefill === false) report('This model does not support assistant message prefill.');
  if (typeof text === 'string' && text !== text.trimEnd())
    report('final assistant content cannot end with trailing whitespace');
}

/** Calls are answered by the next message, each once, and nothing else is. */
// oxlint-disable-next-line complexity -- one rule after the other
function pairingProblems(all: readonly Message[], report: Report): void {
  const seen = new Set<unknown>();
  const messages = all.filter(({ role }) => role !== 'system');
  for (const [index, { role, content }] of messages.entries()) {
    const calls = content.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
    for (const id of calls) {
      if (seen.has(id)) report(`tool_use ids must be unique: ${textOf(id)}`);
      seen.add(id);
    }
    const answers = (index === 0 ? [] : (messages[index - 1]?.content ?? []))
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }) => id);
    const results = content.filter(({ type }) => type === 'tool_result').map(({ tool_use_id }) => tool_use_id);
    for (const id of answers)
      if (!results.includes(id))
        report(`tool_use ids were found without tool_result blocks immediately after: ${textOf(id)}`);
    for (const id of results)
      if (!answers.includes(id)) report(`unexpected tool_use_id found in tool_result blocks: ${textOf(id)}`);
    if (new Set(results).size < results.length) report('each tool_use must have a single result');
    if (role === 'assistant' && index === messages.length - 1 && calls.length > 0)
      report('tool_use without a result at the end');
  }
}

/** Tools that the provider ran: results follow their calls; a call without result is legal only as long as its turn lasts. */
// oxlint-disable-next-line complexity -- one rule after the other
function serverToolProblems(messages: readonly Message[], report: Report): void {
  const calls = new Map<unknown, number>();
  const results = new Set<unknown>();
  for (const [index, { role, content }] of messages.entries()) {
    for (const { type, id, tool_use_id } of role === 'assistant' ? content : []) {
      if (type === 'server_tool_use' || type === 'mcp_tool_use') calls.set(id, index);
      if (!textOf(type).endsWith('_tool_result')) continue;
      if (!calls.has(tool_use_id))
        report(`messages.${index}: a server tool result without its call: ${textOf(tool_use_id)}`);
      results.add(tool_use_id);
    }
  }
  const word = messages.findLastIndex(
    ({ role, content }) => role === 'user' && !content.some(({ type }) => type === 'tool_result'),
  );
  for (const [id, index] of calls)
    if (!results.has(id) && index < word)
      report(`messages.${index}: a server tool was found without its result: ${textOf(id)}`);
}

function cacheProblems(body: Fields, report: Report): void {
  const marked: Fields[] = [];
  const look = (value: unknown): void => {
    if (Array.isArray(value)) for (const entry of value) look(entry);
    if (!isFields(value)) return;
    if (isFields(value['cache_control'])) marked.push(value);
    if (['tool_use', 'server_tool_use', 'mcp_tool_use'].includes(textOf(value['type']))) return;
    look(value['content']);
  };
  for (const part of [body['tools'], body['system'], body['messages']]) look(part);
  const count = marked.length + (isFields(body['cache_control']) ? 1 : 0);
  if (count > 4) report(`A maximum of 4 blocks with cache_control may be provided. Found ${count}.`);
  for (const { type, cache_control } of marked) {
    const { type: kind, ttl = '5m' } = fieldsOf(cache_control);
    if (kind !== 'ephemeral' || !['5m', '1h'].includes(textOf(ttl))) report('cache_control: illegal');
    if (isThinking({ type })) report('cache_control cannot be set for thinking');
  }
}

/** True for a turn that the provider itself goes on with. */
function isOpenTurn(message: Message | undefined): boolean {
  const type = textOf(message?.content.at(-1)?.['type']);
  return !/^(text|thinking|redacted_thinking|tool_use)$/.test(type);
}

/** Messages with their content as blocks, neighbours of one role as one turn, as the API reads them. */
function messagesIn(value: unknown): Message[] {
  const turns: { role: string; content: Fields[] }[] = [];
  for (const entry of list(value).map(fieldsOf)) {
    const role = textOf(entry['role']);
    const text = entry['content'];
    const content = typeof text === 'string' ? [{ type: 'text', text }] : list(text).map(fieldsOf);
    const last = turns.at(-1);
    if (last && last.role === role && role !== 'system' && content.length > 0) last.content.push(...content);
    else turns.push({ role, content });
  }
  return turns;
}

/** How recordings of the Messages API are read: counts without what came from the cache, blocks within provider items. */
export const reading: Reading = {
  usage: ({ inputTokens, outputTokens, cacheReadInputTokens, cacheCreationInputTokens, reasoningTokens }) => {
    const cached = cacheReadInputTokens ?? 0;
    const written = cacheCreationInputTokens ?? 0;
    return {
      inputTokens: inputTokens === null || inputTokens === undefined ? null : inputTokens + cached + written,
      outputTokens: outputTokens ?? null,
      cachedInputTokens: cached,
      cacheWriteTokens: written,
      reasoningTokens: reasoningTokens ?? null,
    };
  },
  hosted: (item: Item) =>
    blocksIn(item).flatMap(({ type, name }) =>
      type === 'server_tool_use' || type === 'mcp_tool_use' ? [`${type}:${textOf(name)}`] : [],
    ),
};

function blocksIn(item: Item): readonly Fields[] {
  return 'blocks' in item && Array.isArray(item['blocks']) ? (item['blocks'] as Fields[]) : [];
}
