import { wireIds, type Item, type ModelRequest } from '@polyrun/core';
import { stringOf } from '@polyrun/core/http';
import { textBlocks } from './content.ts';
import { isServerCall } from './decode.ts';
import type { Piece } from './items.ts';
import type { Target } from './target.ts';
import type { Block, Draft, Message } from './wire.ts';

/** Instructions and messages, as this wire has them apart. */
export type Conversation = { readonly system: readonly Block[]; readonly messages: readonly Message[] };
/** A target with the pieces that its items were made into. */
export type Encoding = Target & { readonly pieces: (item: Item) => Piece };

/** Ids of calls as the API takes them: its own, and whatever else has no more than letters, digits, `_` and `-`. */
const callIds = { legal: /^[\w-]{1,40}$/, length: 16, prefix: 'toolu_' } as const;

/** Items as messages: neighbours of one role are one message, system messages at the beginning are instructions, the order is made legal. */
export function conversationOf({ input, instructions = '' }: ModelRequest, at: Encoding): Conversation {
  const system = textBlocks(instructions);
  const messages: Draft[] = [];
  const linked = linker();
  for (const item of input) {
    const piece = at.pieces(item);
    for (const { type, name, detail } of piece.adaptations) at.report(type, name, detail);
    if (piece.blocks.length === 0) continue;
    if (piece.role === 'system' && messages.length === 0) system.push(...piece.blocks);
    else join(messages, piece.role, linked(piece));
  }
  const whole = systemInPlace(withoutLooseEnds(messages, at), at);
  const ended = endingLegally(whole, at);
  // Words of the user behind a turn end it: what it left open can no longer be.
  return { system, messages: ended.length > whole.length ? withoutLooseEnds(ended, at) : ended };
}

/** Gives calls and outputs the ids of this request; the output of a member of a toolset names the toolset, as its call does. */
function linker(): (piece: Piece) => readonly Block[] {
  const wireId = wireIds(callIds);
  const toolsets = new Map<string, Block['x']>();
  return ({ role, blocks, callId }) => {
    if (callId === undefined) return blocks;
    const id = wireId(callId);
    return blocks.map(({ type, ...rest }) => {
      const { toolset_name } = rest;
      if (role === 'assistant') {
        if (toolset_name !== undefined) toolsets.set(callId, toolset_name);
        return { type, id, ...rest };
      }
      const toolset = toolsets.get(callId);
      return { type, tool_use_id: id, ...rest, ...(toolset !== undefined && { toolset_name: toolset }) };
    });
  };
}

type Messages = readonly Message[];

/** Adds blocks to the last message where that has the same role, else a message. */
function join(messages: Draft[], role: Message['role'], blocks: readonly Block[]): void {
  const last = messages.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else messages.push({ role, content: [...blocks] });
}

/**
 * System messages in the middle stay where the model takes them: behind one of the user, and before one of the model or at the end.
 * Elsewhere the user says them. platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
 */
function systemInPlace(messages: Messages, { family, report }: Target): Messages {
  if (messages.every(({ role }) => role !== 'system')) return messages;
  const placed: Draft[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    const next = messages[index + 1]?.role ?? 'assistant';
    const legal = family.systemInside && placed.at(-1)?.role === 'user' && next === 'assistant';
    if (role !== 'system' || legal) {
      join(placed, role, content);
      continue;
    }
    report('other', 'system', 'told as words of the user');
    join(
      placed,
      'user',
      content.map((block) => ({ ...block, text: `<system>\n${stringOf(block['text'])}\n</system>` })),
    );
  }
  return placed;
}

/**
 * Without what the API refuses in a turn of the model: thinking that nothing follows, a tool of the provider's own that came to no
 * result (unless the turn is not over: then the provider goes on with it), and a result whose call is not there.
 */
function withoutLooseEnds(messages: Messages, { report }: Target): Messages {
  const settled = settledCalls(messages.flatMap(({ content }) => content));
  const begun = new Set<unknown>();
  const over = messages.findLastIndex(isWord);
  const kept: Draft[] = [];
  const drop = ({ type }: Block) => report('dropped_item', type, 'its counterpart is missing');
  for (const [index, { role, content }] of messages.entries()) {
    const whole = content.filter((block) => {
      const { id, tool_use_id } = block;
      const open = isServerCall(block) && (begun.has(id) || (!settled.has(id) && index < over));
      const loose = open || (isServerResult(block) && !(settled.has(tool_use_id) && begun.delete(tool_use_id)));
      if (loose) drop(block);
      else if (isServerCall(block)) begun.add(id);
      return !loose;
    });
    if (role !== 'assistant') trimThinking(kept, drop);
    if (whole.length > 0) join(kept, role, whole);
  }
  trimThinking(kept, drop);
  return kept;
}

/** The calls of the provider's own tools that a result follows. */
function settledCalls(blocks: readonly Block[]): ReadonlySet<unknown> {
  const begun = new Set<unknown>();
  const settled = new Set<unknown>();
  for (const block of blocks) {
    if (isServerCall(block)) begun.add(block['id']);
    else if (isServerResult(block) && begun.has(block['tool_use_id'])) settled.add(block['tool_use_id']);
  }
  return settled;
}

/** Takes thinking off the end of the last turn. */
function trimThinking(messages: Draft[], drop: (block: Block) => void): void {
  const { role, content = [] } = messages.at(-1) ?? {};
  const end = role === 'assistant' ? content.findLastIndex((block) => !isThinking(block)) + 1 : content.length;
  for (const block of content.splice(end)) drop(block);
  if (role !== undefined && end === 0) messages.pop();
}

/** True for what is said to the model, outputs of tools being a part of its turn. */
function isWord({ role, content }: Message): boolean {
  return role !== 'assistant' && !content.some(({ type }) => type === 'tool_result');
}

function isServerResult({ type }: Block): boolean {
  return type.endsWith('_tool_result');
}

/** True for thinking, readable or not. */
export function isThinking({ type }: Block): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** A last message of the model is its beginning of the answer, which only older models go on with; a turn that was paused always goes on. */
function endingLegally(messages: Messages, { family, report }: Target): Messages {
  const say = (text: string) => {
    report('added_message', 'user', `'${text}', for the last word cannot be the model's`);
    return [...messages, { role: 'user', content: [{ type: 'text', text }] } as const];
  };
  if (messages.length === 0) return say('Begin.');
  const { role, content = [] } = messages.at(-1) ?? {};
  const last = content.at(-1);
  if (role !== 'assistant' || last === undefined || last.type !== 'text') return messages;
  if (!family.prefill) return say('Continue.');
  const text = stringOf(last['text']).trimEnd();
  if (text === last['text']) return messages;
  report('other', 'message', 'without white space at its end');
  return [...messages.slice(0, -1), { role, content: [...content.slice(0, -1), { ...last, text }] }];
}
