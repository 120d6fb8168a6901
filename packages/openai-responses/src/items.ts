import {
  kindOf,
  toJson,
  type FunctionCallItem,
  type MessageItem,
  type MessagePart,
  type OutputItem,
  type ReasoningItem,
} from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { listOf, stringOf } from '@polyrun/core/http';
import type { Destination } from './target.ts';

type At = Pick<Destination, 'provider' | 'dialect'> & {
  /** True where the response was cut off. */
  readonly cut: boolean;
};

/** An item of a response, or of an event of one, with what readers of its kind rely on; all else of it stays as it came. */
export function itemIn(item: Fields, at: At): OutputItem {
  switch (item['type']) {
    case 'message':
      return messageIn(item, at);
    case 'function_call':
      return callIn(item, at);
    case 'reasoning':
      return reasoningIn(item);
    default:
      return providerItemIn(item, at);
  }
}

const roles = ['user', 'assistant', 'system', 'developer'] as const;

function messageIn(item: Fields, { provider }: At): MessageItem {
  const { content } = item;
  const role = roles.find((known) => known === item['role']) ?? 'assistant';
  if (typeof content === 'string') return { ...item, type: 'message', role, content };
  // Some servers call a text what chat completions call it.
  const all = listOf(content).map((part) => (part['type'] === 'text' ? { ...part, type: 'output_text' } : part));
  const known = all.filter(isPart);
  // Parts that nobody knows wait beside those that all know, and go back with them.
  const rest = known.length < all.length ? { provider_data: { [provider]: { content: toJson(all) } } } : {};
  return { ...item, type: 'message', role, content: known, ...rest };
}

const partText: { readonly [type: string]: string } = { output_text: 'text', input_text: 'text', refusal: 'refusal' };
const media = /^input_(?:image|file|audio)$/;

function isPart(part: Fields): part is Fields & MessagePart {
  const type = stringOf(part['type']);
  return media.test(type) || (Object.hasOwn(partText, type) && typeof part[partText[type] ?? ''] === 'string');
}

function callIn(item: Fields, { cut }: At): FunctionCallItem {
  const { call_id, name, arguments: args, status } = item;
  const text = typeof args === 'object' && args ? JSON.stringify(args) : stringOf(args);
  const ended = status === 'completed' || (!cut && status !== 'incomplete');
  return {
    ...item,
    type: 'function_call',
    status: ended ? 'completed' : 'incomplete',
    call_id: stringOf(call_id),
    name: stringOf(name),
    arguments: text,
  };
}

function reasoningIn(item: Fields): ReasoningItem {
  const { summary, content, encrypted_content, ...rest } = item;
  const texts = listOf(content).map((part) => ({
    ...part,
    type: 'reasoning_text' as const,
    text: stringOf(part['text']),
  }));
  return {
    ...rest,
    type: 'reasoning',
    summary: listOf(summary).map((part) => ({ ...part, type: 'summary_text' as const, text: stringOf(part['text']) })),
    ...(Array.isArray(content) && { content: texts }),
    ...(typeof encrypted_content === 'string' && { encrypted_content }),
  };
}

function providerItemIn(item: Fields, { provider, dialect }: At): OutputItem {
  const type = stringOf(item['type']) || 'unknown';
  return { ...item, type: dialect.ownCalls.includes(type) ? `${provider}:${type}` : kindOf(type, provider) };
}
