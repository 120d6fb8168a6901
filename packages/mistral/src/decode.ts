import {
  ModelError,
  toJson,
  usageOf,
  type Fields,
  type FunctionCallItem,
  type Json,
  type ModelResponse,
  type OutputItem,
  type ProviderItem,
  type ReasoningItem,
  type Usage,
} from '@polyrun/core';
import { fieldsOf, given, listOf, notAReply, numberOf, stopIn, stringOf } from '@polyrun/core/http';
import { chunksIn, isClosed, segmentsOf, textIn, thinkingText, type Segment } from './chunks.ts';
import { callPiece } from './tool-calls.ts';
import type { Reply } from './wire.ts';

/** Reads a completion, streamed or not. Throws a `ModelError` for what is no completion and for one that the provider broke off. */
export function decodeReply(
  { completion, requestId }: Reply,
  { provider, model }: { provider: string; model: string },
): Omit<ModelResponse, 'adaptations'> {
  const body = fieldsOf(completion);
  const choices = listOf(body['choices']);
  const choice = choices.find(({ index }) => !Number(index)) ?? choices[0];
  if (!choice) throw notAReply('it has no choices', requestId);
  const raw = stringOf(choice['finish_reason']);
  if (raw === 'error')
    throw new ModelError({
      kind: 'server',
      message: `${provider} broke the answer off: its finish reason is an error.`,
      ...given({ requestId }),
    });
  const stop = stopIn(raw);
  const output = itemsIn(messagesIn(choice), { provider, cut: stop === 'length' || stop === 'content_filter' });
  const calls = output.some(({ type }) => type === 'function_call');
  return {
    ...given({ id: stringOf(body['id']) || undefined, requestId }),
    model: stringOf(body['model']) || model,
    output,
    usage: usageIn(body),
    stop: { type: stop ?? (calls ? 'tool_calls' : 'end'), raw: raw || null },
  };
}

/** The messages of a choice: several when Mistral ran tools of its own in between. */
function messagesIn({ message, messages }: Fields): readonly Fields[] {
  const several = listOf(messages);
  return several.length > 0 ? several : [fieldsOf(message)];
}

type Reading = { readonly provider: string; readonly cut: boolean };

function itemsIn(messages: readonly Fields[], { provider, cut }: Reading): OutputItem[] {
  const said = messages.filter(({ role }) => role !== 'tool');
  return said.flatMap((message, index) => {
    const last = index === said.length - 1;
    return [
      ...contentItems(message, { provider, cut: cut && last }),
      ...callItems(listOf(message['tool_calls']), { messages, last, provider, cut }),
    ];
  });
}

function contentItems(message: Fields, { provider, cut }: Reading): OutputItem[] {
  const segments = segmentsOf(chunksIn(message));
  return segments.flatMap((segment, index) =>
    segmentItems(segment, { provider, cut: cut && index === segments.length - 1 }),
  );
}

function segmentItems({ kind, chunks }: Segment, { provider, cut }: Reading): OutputItem[] {
  if (kind === 'thinking') return chunks.map((chunk) => reasoningItem(chunk, provider));
  if (kind === 'other') return chunks.map((chunk) => chunkItem(chunk, provider));
  const cited = chunks.some(({ type }) => type !== 'text');
  const text = textIn(chunks);
  return [
    {
      type: 'message',
      role: 'assistant',
      status: cut ? 'incomplete' : 'completed',
      content: [{ type: 'output_text', text, annotations: annotationsIn(chunks) }],
      ...(cited && { provider_data: { [provider]: { chunks: toJson(chunks) } } }),
    },
  ];
}

/** Citations, each at the place in the text where it stands. */
function annotationsIn(chunks: readonly Fields[]): Json[] {
  let at = 0;
  return chunks.flatMap((chunk): Json[] => {
    at += textIn([chunk]).length;
    const place = { start_index: at, end_index: at };
    if (chunk['type'] === 'reference') return [toJson({ ...chunk, ...place })];
    return chunk['type'] === 'tool_reference' ? [toJson({ ...chunk, type: 'url_citation', ...place })] : [];
  });
}

function reasoningItem(chunk: Fields, provider: string): ReasoningItem {
  const { type: _, thinking, ...rest } = chunk;
  const text = thinkingText(chunk);
  const plain = listOf(thinking).every(({ type }) => type === 'text');
  const kept = given({ ...rest, thinking: plain ? undefined : thinking });
  return {
    type: 'reasoning',
    status: 'completed',
    summary: [],
    ...(text !== '' && { content: [{ type: 'reasoning_text', text }] }),
    ...(Object.keys(kept).length > 0 && { provider_data: { [provider]: { chunk: toJson(kept) } } }),
  };
}

/** What has no place in Open Responses, as it came: an image that a tool made, a file, a kind that is new. */
export function chunkItem(chunk: Fields, provider: string): ProviderItem {
  const kind = stringOf(chunk['type']) || 'chunk';
  return { type: `${provider}:${kind}`, status: 'completed', data: toJson(chunk) };
}

type Called = Reading & { readonly messages: readonly Fields[]; readonly last: boolean };

/**
 * The calls of a message. Those that Mistral answered itself, which is all but the last message's, are items that tell of what it did:
 * https://docs.mistral.ai/cookbooks/mistral-connectors-05-connectors-in-completions
 */
export function callItems(entries: readonly Fields[], { messages, last, provider, cut }: Called): OutputItem[] {
  const calls = entries.flatMap((entry) => callPiece(entry) ?? []);
  return calls.map(({ id, name, args }, index): FunctionCallItem | ProviderItem => {
    const result = messages.find(({ role, tool_call_id }) => role === 'tool' && id !== '' && tool_call_id === id);
    if (result || !last) return executionItem({ id, name, args }, { result, provider });
    // A cut can only have hit the last call, and not when its arguments are closed already.
    const open = cut && index === calls.length - 1 && !isClosed(args);
    return { type: 'function_call', status: open ? 'incomplete' : 'completed', call_id: id, name, arguments: args };
  });
}

function executionItem(
  { id, name, args }: { id: string; name: string; args: string },
  { result, provider }: { result: Fields | undefined; provider: string },
): ProviderItem {
  const output = result && textIn(chunksIn(result));
  return {
    type: `${provider}:tool_execution`,
    status: 'completed',
    name,
    arguments: args,
    ...given({ output }),
    data: toJson({ id, result: result?.['content'] }),
  };
}

/** Usage from the fields that Mistral has used; cached tokens are among the prompt's. */
function usageIn({ usage }: Fields): Usage {
  const told = fieldsOf(usage);
  const prompt = fieldsOf(told['prompt_tokens_details'] ?? told['prompt_token_details']);
  return usageOf({
    inputTokens: numberOf(told['prompt_tokens']),
    outputTokens: numberOf(told['completion_tokens']),
    totalTokens: numberOf(told['total_tokens']),
    cachedTokens: numberOf(prompt['cached_tokens'], told['num_cached_tokens']),
    reasoningTokens: numberOf(fieldsOf(told['completion_tokens_details'])['reasoning_tokens']),
  });
}
