import {
  contentText,
  mediaApart,
  oncePerItem,
  wireIds,
  type Adaptation,
  type Item,
  type MessagePart,
  type ModelRequest,
} from '@polyrun/core';
import type { Report } from '@polyrun/core/http';
import { ordered } from './order.ts';
import type { Destination, Target } from './target.ts';
import { todo } from './todo.ts';
import type { WireMessage } from './wire.ts';

/** Legal ids of calls, and what others become. */
const callIds = { legal: /^[\w-]{1,40}$/, length: 20, prefix: 'call_' } as const;

/** A call as the model made it; `arguments` is JSON, or whatever the model wrote in its place. */
type Call = { readonly id: string; readonly name: string; readonly arguments: string };
/** The items of one turn of the model. */
type Turn = { readonly texts: string[]; readonly calls: Call[] };
/** What an item is to the messages, whatever stands around it. */
type Piece =
  | { readonly type: 'message'; readonly message: WireMessage }
  | { readonly type: 'said'; readonly text: string }
  | { readonly type: 'call'; readonly call: Call }
  | { readonly type: 'output'; readonly callId: string; readonly text: string }
  | { readonly type: 'nothing' };

/**
 * Makes messages of a request: a turn of the model is one message, outputs follow their calls, their media go to the user. An item is
 * converted once, and the next request puts the pieces together again.
 */
export function messageWriter(
  destination: Destination,
): (request: ModelRequest, report: Report) => readonly WireMessage[] {
  const convert = oncePerItem((item) => {
    const adaptations: Adaptation[] = [];
    const report: Report = (type, name, detail) => void adaptations.push({ type, name, detail });
    return { piece: pieceOf(item, { ...destination, report }), adaptations };
  });
  const apart = mediaApart();
  return ({ instructions = '', input }, report) => {
    const messages: WireMessage[] = instructions === '' ? [] : [systemMessage(instructions)];
    const wireId = wireIds(callIds);
    let turn: Turn | undefined;
    const close = () => {
      if (turn && turn.texts.length + turn.calls.length > 0) messages.push(assistantMessage(turn));
      turn = undefined;
    };
    for (const item of apart(input, report)) {
      const { piece, adaptations } = convert(item);
      for (const { type, name, detail } of adaptations) report(type, name, detail);
      if (piece.type === 'said' || piece.type === 'call') addTo((turn ??= { texts: [], calls: [] }), piece, wireId);
      if (piece.type !== 'message' && piece.type !== 'output') continue;
      close();
      messages.push(piece.type === 'message' ? piece.message : outputMessage(wireId(piece.callId), piece.text));
    }
    close();
    return ordered(messages, report);
  };
}

function addTo(turn: Turn, piece: Piece & { type: 'said' | 'call' }, wireId: (callId: string) => string): void {
  if (piece.type === 'said') turn.texts.push(piece.text);
  else turn.calls.push({ ...piece.call, id: wireId(piece.call.id) });
}

function pieceOf(item: Item, target: Target): Piece {
  switch (item.type) {
    case 'message': {
      const { role, content } = item;
      const text = contentText(content);
      if (role === 'assistant') return text === '' ? { type: 'nothing' } : { type: 'said', text };
      if (role === 'user') return { type: 'message', message: userMessage(textsOf(content, target)) };
      return { type: 'message', message: systemMessage(text) };
    }
    case 'function_call': {
      const { call_id: id, name, arguments: args } = item;
      return { type: 'call', call: { id, name, arguments: args || '{}' } };
    }
    case 'function_call_output':
      return { type: 'output', callId: item.call_id, text: contentText(item.output) || '(no output)' };
    default:
      target.report('dropped_item', item.type, 'this wire has no place for it');
      return { type: 'nothing' };
  }
}

/** What the user said, with a text in the place of what the wire cannot carry. */
function textsOf(content: string | readonly MessagePart[], { report }: Target): string {
  if (typeof content === 'string') return content;
  const texts = content.map((part) => {
    if (part.type !== 'input_image' && part.type !== 'input_file' && part.type !== 'input_audio')
      return contentText([part]);
    report('dropped_item', part.type, 'no place for it; the model is told so');
    return `[${part.type.replace('input_', '')} left out]`;
  });
  return texts.join('\n');
}

function systemMessage(text: string): WireMessage {
  return todo('src/messages.ts, systemMessage: where the wire takes instructions', text);
}

function userMessage(text: string): WireMessage {
  return todo('src/messages.ts, userMessage: how the wire spells what the user says', text);
}

function assistantMessage({ texts, calls }: Turn): WireMessage {
  return todo('src/messages.ts, assistantMessage: how the wire spells what the model said and called', texts, calls);
}

function outputMessage(callId: string, text: string): WireMessage {
  return todo('src/messages.ts, outputMessage: how the wire spells the output of a call', callId, text);
}
