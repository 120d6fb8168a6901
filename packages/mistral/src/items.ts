import {
  contentText,
  isFields,
  type Adaptation,
  type FunctionCallItem,
  type FunctionCallOutputItem,
  type Item,
  type Json,
  type MessageItem,
  type ProviderItem,
  type ReasoningItem,
} from '@polyrun/core';
import { closedArguments, isList, legalName } from '@polyrun/core/http';
import { textIn } from './chunks.ts';
import { userContent } from './content.ts';
import { api, type Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** What an item is to the wire, whichever messages it comes to stand in. */
export type Piece =
  | { type: 'system'; text: string }
  | { type: 'user'; content: Json }
  /** Content of the model's own; `prefix`: the answer is to begin with it. */
  | { type: 'said'; chunks: readonly JsonObject[]; prefix: boolean }
  | { type: 'call'; called: JsonObject }
  | { type: 'output'; text: string; media: readonly JsonObject[] }
  /** A call that Mistral answered itself. */
  | { type: 'executed'; id: string; called: JsonObject; result: Json }
  | { type: 'nothing' };
/** A piece, and what was adapted when it was made. */
export type Converted = { readonly piece: Piece; readonly reports: readonly Adaptation[] };

type From = Omit<Target, 'report'>;

/** Converts one item; what it becomes depends on nothing but the item and the model. */
export function convertItem(item: Item, from: From): Converted {
  const reports: Adaptation[] = [];
  const target: Target = { ...from, report: (type, name, detail) => void reports.push({ type, name, detail }) };
  return { piece: pieceOf(item, target), reports };
}

function pieceOf(item: Item, target: Target): Piece {
  switch (item.type) {
    case 'message':
      return messagePiece(item, target);
    case 'reasoning':
      return { type: 'said', chunks: thinkingChunks(item, target), prefix: false };
    case 'function_call':
      return { type: 'call', called: calledOf(item, target) };
    case 'function_call_output':
      return outputPiece(item, target);
    default:
      return providerPiece(item, target);
  }
}

function messagePiece(item: MessageItem, target: Target): Piece {
  if (item.role === 'user') return { type: 'user', content: userContent(item.content, target) };
  if (item.role !== 'assistant') return { type: 'system', text: contentText(item.content) };
  const text = contentText(item.content);
  const { chunks, prefix } = ownData(item, target);
  if (typeof item.content !== 'string' && item.content.some(({ type }) => /image|file|audio/.test(type)))
    target.report('dropped_item', 'message', 'messages of the model hold no media');
  // What was edited since is sent as it is now.
  const kept = isList(chunks) ? chunks.filter(isObject) : [];
  const own = kept.length > 0 && textIn(kept) === text;
  const said = text === '' ? [] : [{ type: 'text', text }];
  return { type: 'said', chunks: own ? kept : said, prefix: prefix === true };
}

/** Mistral asks for the thinking of earlier turns as it came; dropping it makes answers worse: https://docs.mistral.ai/capabilities/reasoning */
function thinkingChunks(item: ReasoningItem, target: Target): JsonObject[] {
  const text = (item.content ?? item.summary).map((part) => part.text).join('');
  const { chunk } = ownData(item, target);
  const { thinking, ...kept } = isObject(chunk) ? chunk : {};
  if (text === '' && Object.keys(kept).length === 0 && thinking === undefined) return [];
  const parts = text === '' ? [] : [{ type: 'text', text }];
  return [{ type: 'thinking', thinking: thinking ?? parts, ...kept }];
}

function calledOf(item: FunctionCallItem, { report }: Target): JsonObject {
  return { name: legalName(item, 64, report), arguments: closedArguments(item, report) };
}

/** Tool messages are read as text; what else an output has goes into a message of the user behind the outputs. */
function outputPiece({ call_id, output }: FunctionCallOutputItem, target: Target): Piece {
  const text = contentText(output);
  const media = typeof output === 'string' ? [] : output.filter(({ type }) => type !== 'input_text');
  if (media.length > 0)
    target.report('moved_media', 'function_call_output', `media of ${call_id} follow in a user message`);
  else if (text === '')
    target.report('other', 'function_call_output', `the empty output of ${call_id} is sent as (no output)`);
  const moved = media.length > 0 ? userContent(media, target) : [];
  return {
    type: 'output',
    text: text || (media.length > 0 ? '(see the next user message)' : '(no output)'),
    media: typeof moved === 'string' ? [{ type: 'text', text: moved }] : moved,
  };
}

/** An item of this provider's own: a chunk of an answer, or a call that it ran. */
function providerPiece(item: ProviderItem, target: Target): Piece {
  const { data, name, arguments: args } = item;
  const drop = (detail: string): Piece => {
    target.report('dropped_item', item.type, detail);
    return { type: 'nothing' };
  };
  if (!isFields(data)) return drop('this wire has no place for it');
  if (typeof name !== 'string' || typeof args !== 'string') {
    const chunk = isObject(data) ? [data] : [];
    return typeof data['type'] === 'string' && chunk.length > 0
      ? { type: 'said', chunks: chunk, prefix: false }
      : drop('this wire has no place for it');
  }
  const { id, result } = data;
  if (typeof id !== 'string' || !isJson(result)) return drop('Mistral did not show what this call gave');
  return { type: 'executed', id, called: { name, arguments: args || '{}' }, result };
}

/** What this provider left on an item for itself; nothing when the item came by another provider or wire. */
function ownData({ origin, provider_data }: Item, { provider }: Target): JsonObject {
  const own = !origin || (origin.provider === provider && origin.api === api);
  const data = own ? provider_data?.[provider] : undefined;
  return isObject(data) ? data : {};
}

function isObject(value: unknown): value is JsonObject {
  return isFields(value);
}

/** True for the content of a message, which came out of JSON. */
function isJson(value: unknown): value is Json {
  return typeof value === 'string' || Array.isArray(value);
}
