import {
  contentText,
  parseJson,
  type Adaptation,
  type FunctionCallItem,
  type FunctionCallOutputItem,
  type Item,
  type MessageItem,
  type ProviderItem,
  type ReasoningItem,
  toJson,
} from '@polyrun/core';
import { closedArguments, isList, legalName, reporter, toObject } from '@polyrun/core/http';
import { blocksOf, citedBlock, textBlocks, type Place } from './content.ts';
import { isOwn, ownData } from './target.ts';
import { isBlock, type Block } from './wire.ts';

/** What one item becomes on this wire, wherever it stands: blocks of one role, and what had to be changed. */
export type Piece = {
  readonly role: 'user' | 'assistant' | 'system';
  readonly blocks: readonly Block[];
  /** The call that the item is or answers, whose wire id depends on the request. */
  readonly callId?: string;
  readonly adaptations: readonly Adaptation[];
};
type Source = { readonly provider: string; readonly model: string; readonly media: readonly string[] | undefined };
/** Where one item is converted, and its changes are noted. */
type At = Source & Place;

/** Converts one item. Depends on nothing but the item, so that it need be done only once. */
export function pieceOf(item: Item, source: Source): Piece {
  const { adaptations, report } = reporter();
  return { ...converted(item, { ...source, report }), adaptations };
}

function converted(item: Item, at: At): Omit<Piece, 'adaptations'> {
  switch (item.type) {
    case 'message':
      return messagePiece(item, at);
    case 'reasoning':
      return { role: 'assistant', blocks: thinking(item, at) };
    case 'function_call':
      return { role: 'assistant', blocks: [toolUse(item, at)], callId: item.call_id };
    case 'function_call_output':
      return { role: 'user', blocks: [toolResult(item, at)], callId: item.call_id };
    default:
      return { role: 'assistant', blocks: verbatim(item, at) };
  }
}

function messagePiece(item: MessageItem, at: At): Omit<Piece, 'adaptations'> {
  const { role, content } = item;
  const piece =
    role === 'user'
      ? userBlocks(item, at)
      : role === 'assistant'
        ? assistantBlocks(item, at)
        : textBlocks(contentText(content));
  if (piece.length === 0) at.report('dropped_item', 'message', `no word of the ${role}`);
  return { role: role === 'developer' ? 'system' : role, blocks: piece };
}

function userBlocks(item: MessageItem, at: At): Block[] {
  const { citations } = ownData(item, at);
  return blocksOf(item.content, citations === undefined ? at : { ...at, documents: { citations } });
}

/** A turn of the model holds only text; that of this provider goes back as the blocks that it was. */
function assistantBlocks(item: MessageItem, at: At): Block[] {
  const { content } = item;
  if (typeof content === 'string') return textBlocks(content);
  const own = isOwn(item, at);
  return content.flatMap((part) => {
    if (part.type !== 'output_text' || !own) return blocksOf([part], { ...at, media: [] });
    return part.text.trim() === '' ? [] : [citedBlock(part, at.provider)];
  });
}

/**
 * Thinking goes back as it was signed; with a signature of nobody knows whom, it would be refused. Without one it is Claude's that was cut
 * off, or that of other models behind this wire, which sign nothing and want all of it back.
 */
function thinking(item: ReasoningItem, at: At): Block[] {
  const { encrypted_content, content, summary, origin } = item;
  const { type } = ownData(item, at);
  const opaque = encrypted_content || (type && !/claude/.test(at.model) ? '' : undefined);
  if (opaque === undefined || !(origin ?? type)) {
    at.report('dropped_item', 'reasoning', 'without a signature');
    return [];
  }
  if (type === 'redacted_thinking') return [{ type: 'redacted_thinking', data: opaque }];
  return [{ type: 'thinking', thinking: (content ?? summary).map(({ text }) => text).join(''), signature: opaque }];
}

function toolUse(item: FunctionCallItem, at: At): Block {
  const input = toObject(parseJson(closedArguments(item, at.report)));
  return { type: 'tool_use', name: legalName(item, 64, at.report), input, ...ownData(item, at) };
}

/** `provider_data` may hold what no other wire has, such as `is_error` or content of search results. */
function toolResult(item: FunctionCallOutputItem, at: At): Block {
  const content = blocksOf(item.output, at);
  return { type: 'tool_result', ...(content.length > 0 && { content }), ...ownData(item, at) };
}

/** The blocks that an item of this provider stands for; an item that was never one of this wire has none. */
function verbatim(item: ProviderItem, at: At): Block[] {
  const kept = toJson(item['blocks']);
  const blocks = isList(kept) ? kept.filter(isBlock) : [];
  if (blocks.length === 0) at.report('dropped_item', item.type, 'not of this wire');
  return blocks;
}
