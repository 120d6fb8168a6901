import {
  isFields,
  ModelError,
  parseJson,
  toJson,
  usageOf,
  type Json,
  type FunctionCallItem,
  type MessageItem,
  type ModelResponse,
  type OutputItem,
  type OutputText,
  type ReasoningItem,
  type Refusal,
  type StopType,
  type Usage,
} from '@polyrun/core';
import { detailText, thinkingText } from './accumulate.ts';
import type { ReasoningField } from './dialects.ts';
import { notACompletion } from './errors.ts';
import { opaqueFields } from './messages.ts';
import { callPiece } from './tool-calls.ts';
import { fieldsOf, listOf, numberOf, textOf, type Fields, type Reply } from './wire.ts';

/** Reads a completion, streamed or not. Throws a `ModelError` for what is no completion and for one that the provider broke off. */
export function decodeReply(
  { completion, requestId }: Reply,
  { provider, model }: { provider: string; model: string },
): Omit<ModelResponse, 'adaptations'> {
  const body = fieldsOf(completion);
  const choices = listOf(body['choices']).map(fieldsOf);
  const choice = choices.find(({ index }) => index === 0) ?? choices[0];
  if (!choice) throw notACompletion('it has no choices', requestId);
  const message = fieldsOf(choice['message']);
  const raw = textOf(choice['finish_reason']);
  throwIfFailed(raw, requestId);
  const cut = stops[raw.toLowerCase()] === 'length' || stops[raw.toLowerCase()] === 'content_filter';
  const calls = callsOf(message, { provider, cut });
  const output = [
    ...reasoningOf(message, provider),
    ...messageOf(message, body, { provider, cut }),
    ...calls,
    ...hostedOf(message, provider),
  ];
  const id = textOf(body['id']);
  return {
    ...(id === '' ? {} : { id }),
    model: textOf(body['model']) || model,
    output,
    usage: usageIn(body),
    stop: { type: stopOf(raw, message, calls), raw: typeof choice['finish_reason'] === 'string' ? raw : null },
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** Finish reasons by their meaning; what is not listed follows the content. */
const stops: { readonly [reason: string]: StopType } = {
  stop: 'end',
  eos: 'end',
  end_turn: 'end',
  stop_sequence: 'end',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  tool_use: 'tool_calls',
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  content_filter: 'content_filter',
  safety: 'content_filter',
  sensitive: 'content_filter',
  refusal: 'refusal',
  pause_turn: 'pause',
  cancelled: 'other',
  abort: 'other',
};

/** Reasons with which a server says that it broke off: OpenRouter and Mistral, DeepSeek, Z.AI. */
const failures: { readonly [reason: string]: 'server' | 'overloaded' } = {
  error: 'server',
  network_error: 'server',
  insufficient_system_resource: 'overloaded',
};

function throwIfFailed(reason: string, requestId: string | undefined): void {
  const kind = failures[reason];
  if (kind === undefined) return;
  const message = `The provider broke the answer off: its finish reason is '${reason}'.`;
  throw new ModelError({ kind, message, ...(requestId === undefined ? {} : { requestId }) });
}

function stopOf(raw: string, message: Fields, calls: readonly FunctionCallItem[]): StopType {
  const told = stops[raw.toLowerCase()];
  if (told !== undefined && told !== 'end' && told !== 'tool_calls') return told;
  if (calls.length > 0) return 'tool_calls';
  return textOf(message['refusal']) !== '' && contentOf(message) === '' ? 'refusal' : 'end';
}

/** All visible text of a message, whose content may be parts. */
function contentOf({ content }: Fields): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => textOf(fieldsOf(part)['text']))
    .join('');
}

function reasoningOf(message: Fields, provider: string): ReasoningItem[] {
  const { text, field } = reasoningText(message);
  const opaque = opaqueFields(message);
  if (text === '' && Object.keys(opaque).length === 0) return [];
  return [
    {
      type: 'reasoning',
      status: 'completed',
      summary: [],
      ...(text === '' ? {} : { content: [{ type: 'reasoning_text', text }] }),
      provider_data: { [provider]: toJson({ field, ...opaque }) },
    },
  ];
}

function reasoningText(message: Fields): { text: string; field: ReasoningField } {
  for (const field of ['reasoning_content', 'reasoning'] as const) {
    const text = textOf(message[field]);
    if (text !== '') return { text, field };
  }
  const details = listOf(message['reasoning_details']).map((detail) => detailText(fieldsOf(detail)));
  if (details.length > 0) return { text: details.join(''), field: 'reasoning_details' };
  const parts = listOf(message['content'])
    .map(fieldsOf)
    .filter(({ type }) => type === 'thinking');
  return { text: textOf(message['thinking']) || parts.map(thinkingText).join(''), field: 'thinking' };
}

function messageOf(
  message: Fields,
  body: Fields,
  { provider, cut }: { provider: string; cut: boolean },
): MessageItem[] {
  const content: (OutputText | Refusal)[] = [];
  const text = contentOf(message);
  const refusal = textOf(message['refusal']);
  if (text !== '') content.push({ type: 'output_text', text, annotations: annotationsOf(message) });
  if (refusal !== '') content.push({ type: 'refusal', refusal });
  if (content.length === 0) return [];
  const sources = sourcesOf(body);
  return [
    {
      type: 'message',
      role: 'assistant',
      status: cut ? 'incomplete' : 'completed',
      content,
      ...(sources === undefined ? {} : { provider_data: { [provider]: sources } }),
    },
  ];
}

/** Citations in the shape of Open Responses: the wire wraps what that spells flat. */
function annotationsOf(message: Fields): Json[] {
  return listOf(message['annotations']).map((entry) => {
    const { type, ...rest } = fieldsOf(entry);
    const wrapped = fieldsOf(rest[textOf(type)]);
    return toJson({ type, ...(Object.keys(wrapped).length > 0 ? wrapped : rest) });
  });
}

/** What an answer rests on, where a provider tells it beside the message. */
function sourcesOf({ citations, search_results }: Fields): Json | undefined {
  if (listOf(citations).length === 0 && listOf(search_results).length === 0) return undefined;
  return toJson({ citations, search_results });
}

function callsOf(message: Fields, { provider, cut }: { provider: string; cut: boolean }): FunctionCallItem[] {
  const legacy = message['function_call'] ? [{ function: message['function_call'] }] : [];
  const pieces = [...listOf(message['tool_calls']), ...legacy].map(callPiece).filter((piece) => piece !== undefined);
  return pieces.map((piece, index) => {
    // A cut can only have hit the last call, and not when its arguments are closed already.
    const incomplete = cut && index === pieces.length - 1 && !isFields(parseJson(piece.arguments));
    return {
      type: 'function_call',
      status: incomplete ? 'incomplete' : 'completed',
      call_id: piece.id,
      name: piece.name,
      arguments: piece.arguments,
      ...(isFields(piece.extra) ? { provider_data: { [provider]: toJson({ extra_content: piece.extra }) } } : {}),
    };
  });
}

/** Tools that the provider ran by itself, and images that it made: opaque items, so that nothing is lost. */
function hostedOf(message: Fields, provider: string): OutputItem[] {
  const ran = listOf(message['executed_tools']).map((tool) => ({
    kind: 'executed_tool',
    fields: { tool: toJson(tool) },
  }));
  const made = listOf(message['images']).map((image) => ({ kind: 'image', fields: { image: toJson(image) } }));
  return [...ran, ...made].map(({ kind, fields }) => ({
    type: `${provider}:${kind}` as const,
    status: 'completed',
    ...fields,
  }));
}

/** Usage as every endpoint means it, from the fields that they use: DeepSeek, Moonshot and Perplexity have some of their own. */
function usageIn(body: Fields): Usage {
  const usage = fieldsOf(body['usage'] ?? fieldsOf(body['x_groq'])['usage']);
  const prompt = fieldsOf(usage['prompt_tokens_details']);
  const completion = fieldsOf(usage['completion_tokens_details']);
  return usageOf({
    inputTokens: numberOf(usage['prompt_tokens']),
    outputTokens: numberOf(usage['completion_tokens']),
    totalTokens: numberOf(usage['total_tokens']),
    cachedTokens:
      numberOf(prompt['cached_tokens']) ??
      numberOf(usage['prompt_cache_hit_tokens']) ??
      numberOf(usage['cached_tokens']),
    cacheWriteTokens: numberOf(prompt['cache_write_tokens']),
    reasoningTokens: numberOf(completion['reasoning_tokens']) ?? numberOf(usage['reasoning_tokens']),
  });
}
