import {
  isFields,
  parseJson,
  toJson,
  usageOf,
  type Fields,
  type FunctionCallItem,
  type ModelResponse,
  type OutputItem,
  type OutputText,
  type ProviderItem,
  type ReasoningItem,
  type StopType,
  type Usage,
} from '@polyrun/core';
import { fieldsOf, given, listOf, notAReply, numberOf, stringOf } from '@polyrun/core/http';
import { annotationsOf } from './content.ts';
import type { Reply } from './wire.ts';

type At = { readonly provider: string; readonly cut: boolean };

/** Reads a message, streamed or not. Throws a `ModelError` for what is none. */
export function decodeReply(
  { message, requestId }: Reply,
  { provider, model }: { provider: string; model: string },
): Omit<ModelResponse, 'adaptations'> {
  const body = fieldsOf(message);
  const { content: told, stop_reason: raw } = body;
  if (!Array.isArray(told) && body['type'] !== 'message') throw notAReply('it has no content', requestId);
  const stop = stops[stringOf(raw)];
  const content = listOf(typeof told === 'string' ? [{ type: 'text', text: told }] : told);
  const output = outputOf(content, { provider, cut: stop !== undefined && stop !== 'pause' });
  const calls = output.some(({ type }) => type === 'function_call');
  return {
    ...given({ id: stringOf(body['id']) || undefined, requestId }),
    model: stringOf(body['model']) || model,
    output,
    usage: usageIn(fieldsOf(body['usage'])),
    stop: { type: stop ?? (calls ? 'tool_calls' : 'end'), raw: typeof raw === 'string' ? raw : null },
  };
}

/** What ends an answer; any other reason follows the content. platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const stops: { readonly [reason: string]: StopType } = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  pause_turn: 'pause',
  compaction: 'pause',
  refusal: 'refusal',
  // Gateways pass on what OpenAI's wire calls them.
  length: 'length',
  content_filter: 'content_filter',
};

function outputOf(content: readonly Fields[], at: At): OutputItem[] {
  const items: OutputItem[] = [];
  let parts: OutputText[] = [];
  let blocks: Fields[] = [];
  const close = () => {
    const status = at.cut ? 'incomplete' : 'completed';
    if (parts.length > 0) items.push({ type: 'message', role: 'assistant', status, content: parts });
    if (blocks.length > 0) items.push(providerItem(blocks));
    parts = [];
    blocks = [];
  };
  for (const [index, block] of content.entries()) {
    const opaque = isProviderBlock(block);
    if (opaque ? !belongs(blocks) : block['type'] !== 'text' || blocks.length > 0) close();
    const last = index === content.length - 1;
    if (opaque) blocks.push(block);
    else if (block['type'] === 'text') parts.push(...textPart(block, at));
    else if (block['type'] === 'tool_use') items.push(callItem(block, at.cut && last, at));
    else items.push(reasoningItem(block, at));
  }
  close();
  return items;
}

/** A text without a letter says nothing and cannot be sent back. */
function textPart(block: Fields, { provider }: At): OutputText[] {
  const text = stringOf(block['text']);
  return text === '' ? [] : [{ type: 'output_text', text, annotations: annotationsOf(block, provider) }];
}

function reasoningItem({ type, thinking, signature, data }: Fields, { provider }: At): ReasoningItem {
  const text = stringOf(thinking);
  return {
    type: 'reasoning',
    status: 'completed',
    summary: [],
    ...(text !== '' && { content: [{ type: 'reasoning_text', text }] }),
    ...given({ encrypted_content: stringOf(signature) || stringOf(data) || undefined }),
    provider_data: { [provider]: { type: stringOf(type) } },
  };
}

/** A call as it came: streamed arguments are the model's own text. One that was cut off is not complete. */
function callItem(
  { type: _type, id, name, input, open, ...rest }: Fields,
  unfinished: boolean,
  { provider }: At,
): FunctionCallItem {
  const args = typeof input === 'string' ? input : JSON.stringify(input ?? {});
  return {
    type: 'function_call',
    status: unfinished || open ? 'incomplete' : 'completed',
    call_id: stringOf(id),
    name: stringOf(name),
    arguments: args === '' ? '{}' : args,
    ...(Object.keys(rest).length > 0 && { provider_data: { [provider]: toJson(rest) } }),
  };
}

/** The API counts what it reads from the cache and writes to it apart: platform.claude.com/docs/en/build-with-claude/prompt-caching. */
function usageIn(told: Fields): Usage {
  const fresh = numberOf(told['input_tokens']);
  const cachedTokens = numberOf(told['cache_read_input_tokens']);
  const cacheWriteTokens = numberOf(told['cache_creation_input_tokens']);
  return usageOf({
    inputTokens: fresh === undefined ? undefined : fresh + (cachedTokens ?? 0) + (cacheWriteTokens ?? 0),
    outputTokens: numberOf(told['output_tokens']),
    cachedTokens,
    cacheWriteTokens,
    reasoningTokens: numberOf(fieldsOf(told['output_tokens_details'])['thinking_tokens']),
  });
}

/** Kinds of blocks that have an item kind of the core's own; every other kind is the provider's. */
const ordinary: ReadonlySet<unknown> = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use']);

/** True for a block that becomes a provider item, or a part of one. */
export function isProviderBlock({ type }: Fields): boolean {
  return !ordinary.has(type);
}

/** True when a provider block belongs to the same item as the ones just before it: a tool that runs has no result yet. */
export function belongs(before: readonly Fields[]): boolean {
  const results = new Set(before.map(({ tool_use_id }) => tool_use_id));
  return before.some((block) => isServerCall(block) && !results.has(block['id']));
}

/** The streamed input of a block that goes back as it is: what is no JSON stays text. */
export function inputOf(json: string): unknown {
  const value = parseJson(json);
  return isFields(value) ? value : json;
}

/** True for a call of a tool that the provider runs. */
export function isServerCall({ type }: Fields): boolean {
  return type === 'server_tool_use' || type === 'mcp_tool_use';
}

/** Provider blocks as one item: a tool that the provider ran with its result, or whatever else it wrote. `blocks` goes back as it is. */
export function providerItem(blocks: readonly Fields[]): ProviderItem {
  const [first = {}] = blocks;
  const { type, id, name, input } = first;
  const kept = { status: belongs(blocks) ? 'in_progress' : 'completed', blocks: toJson(blocks) } as const;
  if (!isServerCall(first)) return { type: `anthropic:${stringOf(type) || 'block'}`, ...kept };
  const kind = type === 'mcp_tool_use' ? 'mcp' : stringOf(name);
  return { type: `anthropic:${kind}_call`, id: stringOf(id), name, arguments: JSON.stringify(input ?? {}), ...kept };
}
