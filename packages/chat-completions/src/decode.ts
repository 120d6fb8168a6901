import {
  isFields,
  ModelError,
  toJson,
  usageOf,
  type Json,
  type MessageItem,
  type ModelResponse,
  type OutputItem,
  type OutputText,
  type ReasoningItem,
  type Refusal,
  type StopType,
  type Usage,
} from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { fieldsOf, given, listOf, notAReply, numberOf, stopIn, stringOf } from '@polyrun/core/http';
import { overlay } from './overlay.ts';
import { contentIn, imagesIn, opaqueIn, reasoningIn } from './reasoning.ts';
import { callPiece, callsIn, customCall, isClosed } from './tool-calls.ts';
import type { Reply } from './wire.ts';

/** Reads a completion, streamed or not. Throws a `ModelError` for what is no completion and for one that the provider broke off. */
export function decodeReply(
  { completion, requestId }: Reply,
  { provider, model }: { provider: string; model: string },
): Omit<ModelResponse, 'adaptations'> {
  const body = fieldsOf(completion);
  const choices = listOf(body['choices']);
  const firsts = choices.filter(isFirst);
  const choice = firsts[0] ?? choices[0];
  if (!choice) throw notAReply('it has no choices', requestId);
  const message = messageIn(firsts.length > 0 ? firsts : choices.slice(0, 1));
  const raw = stringOf(choice['finish_reason']);
  // OpenRouter and Mistral say `error`, Z.AI `network_error`, DeepSeek `insufficient_system_resource`.
  if (/error|insufficient/.test(raw))
    throw new ModelError({
      kind: 'server',
      message: `${provider} broke the answer off: ${raw}`,
      ...given({ requestId }),
    });
  const stop = stopIn(raw);
  const at = { provider, cut: stop === 'length' || stop === 'content_filter' };
  const calls = callsOf(message, at);
  return {
    ...given({ id: stringOf(body['id']) || undefined, requestId }),
    model: stringOf(body['model']) || model,
    output: [
      ...reasoningOf(message, provider),
      ...messageOf(message, body, at),
      ...calls,
      ...hostedOf(message, provider),
    ],
    usage: usageIn(body, choice),
    stop: {
      type: stop ?? stopByContent(message, calls),
      raw: typeof choice['finish_reason'] === 'string' ? raw : null,
    },
  };
}

/** The message of a choice, or of all that have its number: GitHub Copilot gives each call a choice of its own. */
function messageIn(choices: readonly Fields[]): Fields {
  return choices
    .map(({ message }) => fieldsOf(message))
    .reduce((known, more) => ({
      ...overlay(known, more),
      content: contentIn(known) + contentIn(more),
      tool_calls: [...callsIn(known), ...callsIn(more)],
    }));
}

/** True for the choice that is read; its number may be left out. */
export function isFirst({ index }: Fields): boolean {
  return !Number(index);
}

function stopByContent(message: Fields, calls: readonly OutputItem[]): StopType {
  if (calls.length > 0) return 'tool_calls';
  return stringOf(message['refusal']) !== '' && contentIn(message) === '' ? 'refusal' : 'end';
}

function reasoningOf(message: Fields, provider: string): ReasoningItem[] {
  const { text, field } = reasoningIn(message);
  const kept = opaqueIn(message);
  if (text === '' && kept.length === 0) return [];
  const opaque = Object.fromEntries(kept.map((name) => [name, message[name]]));
  return [
    {
      type: 'reasoning',
      status: 'completed',
      summary: [],
      ...(text !== '' && { content: [{ type: 'reasoning_text', text }] }),
      provider_data: { [provider]: toJson({ field, ...opaque }) },
    },
  ];
}

function messageOf(message: Fields, body: Fields, { cut }: { cut: boolean }): MessageItem[] {
  const content: (OutputText | Refusal)[] = [];
  const text = contentIn(message);
  const refusal = stringOf(message['refusal']);
  if (text !== '') content.push({ type: 'output_text', text, annotations: annotationsOf(message, body) });
  if (refusal !== '') content.push({ type: 'refusal', refusal });
  return content.length === 0
    ? []
    : [{ type: 'message', role: 'assistant', status: cut ? 'incomplete' : 'completed', content }];
}

/** Citations as Open Responses spells them, flat; Perplexity lists its sources beside the choices. */
function annotationsOf({ annotations }: Fields, { citations, search_results }: Fields): Json[] {
  const urls = Array.isArray(citations) ? citations.map((url: unknown) => ({ url })) : [];
  const sources = listOf(search_results).length > 0 ? listOf(search_results) : urls;
  const cited = listOf(annotations).map(({ type, ...rest }) => ({
    type,
    ...rest,
    ...fieldsOf(rest[stringOf(type)]),
    [stringOf(type)]: undefined,
  }));
  return [...cited, ...sources.map((source) => ({ type: 'url_citation', ...source }))].map(toJson);
}

function callsOf(message: Fields, { provider, cut }: { provider: string; cut: boolean }): OutputItem[] {
  const pieces = callsIn(message)
    .map(callPiece)
    .filter((piece) => piece !== undefined);
  return pieces.map((piece, index) => {
    const { id, name, args, extra } = piece;
    // A cut can only have hit the last call, and not when its arguments are closed already.
    const status = cut && index === pieces.length - 1 && !isClosed(args) ? 'incomplete' : 'completed';
    if (piece.type === 'custom') return customCall(piece, status);
    return {
      type: 'function_call',
      status,
      call_id: id,
      name,
      arguments: args,
      ...(isFields(extra) && { provider_data: { [provider]: toJson({ extra_content: extra }) } }),
    };
  });
}

/** Tools that the provider ran by itself, and images and sound that it made: opaque items, so that nothing is lost. */
function hostedOf(message: Fields, provider: string): OutputItem[] {
  const { executed_tools, audio } = message;
  const made = {
    executed_tool: executed_tools,
    image: imagesIn(message),
    audio: fieldsOf(audio)['id'] ? [audio] : [],
  };
  return Object.entries(made).flatMap(([kind, list]) =>
    listOf(list).map((data) => ({
      type: `${provider}:${kind}` as const,
      status: 'completed' as const,
      data: toJson(data),
    })),
  );
}

/** Usage from the fields that endpoints use: DeepSeek, Moonshot, Groq, Perplexity and proxies of Anthropic have some of their own. */
function usageIn({ usage, x_groq }: Fields, choice: Fields): Usage {
  const told = fieldsOf(usage ?? fieldsOf(x_groq)['usage'] ?? choice['usage']);
  const prompt = fieldsOf(told['prompt_tokens_details']);
  const completion = fieldsOf(told['completion_tokens_details']);
  return usageOf({
    inputTokens: numberOf(told['prompt_tokens'], told['input_tokens']),
    outputTokens: numberOf(told['completion_tokens'], told['output_tokens']),
    totalTokens: numberOf(told['total_tokens']),
    cachedTokens: numberOf(
      prompt['cached_tokens'],
      told['prompt_cache_hit_tokens'],
      told['cached_tokens'],
      told['cache_read_input_tokens'],
    ),
    cacheWriteTokens: numberOf(
      prompt['cache_write_tokens'],
      prompt['cache_creation_input_tokens'],
      prompt['cache_creation_tokens'],
      told['cache_creation_input_tokens'],
    ),
    reasoningTokens: numberOf(completion['reasoning_tokens'], told['reasoning_tokens']),
  });
}
