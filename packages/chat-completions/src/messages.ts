import {
  contentText,
  isFields,
  mediaApart,
  oncePerItem,
  wireIds,
  type FunctionCallItem,
  type FunctionCallOutputItem,
  type Item,
  type Json,
  type OutputItem,
  type ProviderItem,
  type ReasoningItem,
} from '@polyrun/core';
import { closedArguments, given, isList, reporter, stringOf } from '@polyrun/core/http';
import { userContent } from './content.ts';
import type { ReasoningField } from './dialects.ts';
import { contentIn } from './reasoning.ts';
import { api, type Destination, type Target } from './target.ts';
import type { ChatMessage, JsonObject } from './wire.ts';

/** What an item gives to the messages, whatever stands around it: a message, the answer to a call, or a part of the model's turn. */
type Piece =
  | { readonly type: 'message'; readonly message: ChatMessage }
  | { readonly type: 'output'; readonly callId: string; readonly content: string }
  | { readonly type: 'turn'; readonly text?: string; readonly call?: Call; readonly thought?: Thought };
type Call = { readonly callId: string; readonly fields: JsonObject };
type Thought = { readonly text: string; readonly field: string | undefined; readonly extras: JsonObject };
/** The items of one turn of the model, which this wire holds in one message. */
type Turn = {
  texts: string[];
  calls: JsonObject[];
  reasoning: string;
  field: string;
  extras: { [field: string]: Json };
};

/** Where reasoning goes back whose item does not tell the field it came in. */
const defaultField: ReasoningField = 'reasoning_content';

/**
 * Makes messages of items: a turn of the model is one assistant message, outputs follow their calls, media of outputs go to the
 * user. An item is converted once; the next request puts the pieces together again.
 */
export function messageWriter(
  destination: Destination,
): (items: readonly Item[], report: Target['report']) => ChatMessage[] {
  const convert = oncePerItem((item) => {
    const { adaptations, report } = reporter();
    return { piece: pieceOf(item, { ...destination, report }), adaptations };
  });
  const apart = mediaApart();
  return (items, report) => {
    const messages: ChatMessage[] = [];
    const wireId = wireIds(destination.dialect.callIds);
    let turn: Turn | undefined;
    const close = () => {
      if (turn) messages.push(...assistantMessage(turn, report));
      turn = undefined;
    };
    for (const item of apart(items, report)) {
      const { piece, adaptations } = convert(item);
      for (const { type, name, detail } of adaptations) report(type, name, detail);
      if (piece.type === 'turn') addToTurn((turn ??= newTurn()), piece, wireId);
      else {
        close();
        messages.push(
          piece.type === 'message'
            ? piece.message
            : { role: 'tool', tool_call_id: wireId(piece.callId), content: piece.content },
        );
      }
    }
    close();
    return messages;
  };
}

function newTurn(): Turn {
  return { texts: [], calls: [], reasoning: '', field: defaultField, extras: {} };
}

function addToTurn(
  turn: Turn,
  { text, call, thought }: Piece & { type: 'turn' },
  wireId: (callId: string) => string,
): void {
  if (text !== undefined) turn.texts.push(text);
  if (call) turn.calls.push({ id: wireId(call.callId), ...call.fields });
  if (!thought) return;
  turn.reasoning += thought.text;
  turn.field = thought.field ?? turn.field;
  for (const [name, value] of Object.entries(thought.extras)) {
    const earlier = turn.extras[name];
    turn.extras[name] = isList(earlier) && isList(value) ? [...earlier, ...value] : value;
  }
}

function pieceOf(item: Item, target: Target): Piece {
  switch (item.type) {
    case 'message': {
      const { role, content } = item;
      if (role === 'assistant') return { type: 'turn', text: contentText(content) };
      if (role === 'user') return { type: 'message', message: { role, content: userContent(content, target) } };
      return { type: 'message', message: { role: target.dialect.systemRole, content: contentText(content) } };
    }
    case 'function_call':
      return { type: 'turn', call: { callId: item.call_id, fields: callFields(item, target) } };
    case 'function_call_output':
      return { type: 'output', callId: item.call_id, content: outputText(item, target) };
    case 'reasoning':
      return { type: 'turn', thought: thoughtOf(item, target) };
    default:
      return customPiece(item, target) ?? dropped(item, target);
  }
}

/** A call of a tool that takes any text, or its answer; `undefined` for all else, and where there are no such tools. */
function customPiece({ type, call_id, name, input, output }: ProviderItem, target: Target): Piece | undefined {
  if (target.capabilities.hostedTools?.includes('custom') !== true) return undefined;
  const callId = stringOf(call_id);
  if (type === 'custom_tool_call_output')
    return { type: 'output', callId, content: contentIn({ content: output }) || '(no output)' };
  if (type !== 'custom_tool_call') return undefined;
  const custom = { name: stringOf(name), input: stringOf(input) };
  return { type: 'turn', call: { callId, fields: { type: 'custom', custom } } };
}

function dropped({ type }: ProviderItem, { report }: Target): Piece {
  report('dropped_item', type, 'this wire has no place for what a provider did by itself');
  return { type: 'turn' };
}

function thoughtOf(item: ReasoningItem, target: Target): Thought {
  const { field, ...extras } = ownData(item, target);
  const text = (item.content ?? item.summary).map((part) => part.text).join('');
  return { text, field: typeof field === 'string' ? field : undefined, extras };
}

function callFields(item: FunctionCallItem, target: Target): JsonObject {
  const called = { name: item.name, arguments: closedArguments(item, target.report) };
  const { extra_content } = ownData(item, target);
  return { type: 'function', function: called, ...given({ extra_content }) };
}

function outputText({ call_id, output }: FunctionCallOutputItem, { report }: Target): string {
  const text = contentText(output);
  if (text === '') report('other', 'function_call_output', `the empty output of ${call_id} is sent as (no output)`);
  return text || '(no output)';
}

/** What this provider left on an item for itself; nothing when the item came by another provider or wire. */
function ownData({ origin, provider_data }: OutputItem, { provider, model }: Target): JsonObject {
  // Behind a router, signatures of one vendor's model mean nothing to another vendor's.
  const own = !origin || (origin.provider === provider && origin.api === api && vendor(origin.model) === vendor(model));
  const data = own ? provider_data?.[provider] : undefined;
  return isJsonObject(data) ? data : {};
}

function isJsonObject(value: Json | undefined): value is JsonObject {
  return isFields(value);
}

function vendor(model: string): string {
  return model.includes('/') ? model.slice(0, model.indexOf('/')) : '';
}

function assistantMessage({ texts, calls, reasoning, field, extras }: Turn, report: Target['report']): ChatMessage[] {
  const text = texts.filter(Boolean).join('\n\n');
  if (text === '' && calls.length === 0) {
    if (reasoning !== '') report('dropped_item', 'reasoning', 'no message and no call goes with it');
    return [];
  }
  // Parts of the content are read but not written, and what is in them is told in no other field.
  const readOnly = reasoning !== '' && field === 'thinking';
  if (readOnly) report('dropped_item', 'reasoning', 'it came as a part of the content');
  const shown = reasoning !== '' && !readOnly && extras['reasoning_details'] === undefined;
  return [
    {
      role: 'assistant',
      content: text || null,
      ...(calls.length > 0 && { tool_calls: calls }),
      ...extras,
      // Details hold the text as well; both together would be read twice.
      ...(shown && { [field]: reasoning }),
    },
  ];
}
