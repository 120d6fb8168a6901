import {
  contentText,
  isFields,
  parseJson,
  wireIds,
  type FunctionCallItem,
  type FunctionCallOutputItem,
  type Item,
  type Json,
  type MessageItem,
  type OutputItem,
  type ReasoningItem,
} from '@polyrun/core';
import { userContent, type Parts } from './content.ts';
import type { ReasoningField } from './dialects.ts';
import { api, type Target } from './target.ts';
import { fieldsOf, listOf, textOf, type ChatMessage, type JsonObject } from './wire.ts';

/** The items of one turn of the model, which this wire holds in one message. */
type Turn = { texts: string[]; calls: JsonObject[]; reasoning: string[]; field: ReasoningField; extras: MutableObject };
type MutableObject = { [field: string]: Json };

/** Items as messages: a turn of the model is one assistant message, outputs follow their calls, media of outputs go to the user. */
export function chatMessages(items: readonly Item[], target: Target): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const wireId = wireIds(target.dialect.callIds);
  let turn: Turn | undefined;
  let media: Parts = [];
  const closeTurn = () => {
    const message = turn && assistantMessage(turn, target);
    if (message) messages.push(message);
    turn = undefined;
  };
  const handOverMedia = () => {
    if (media.length > 0) messages.push({ role: 'user', content: media });
    media = [];
  };
  for (const item of items) {
    if (item.type === 'function_call_output') {
      closeTurn();
      const { text, moved } = toolOutput(item, target);
      messages.push({ role: 'tool', tool_call_id: wireId(item.call_id), content: text });
      media = [...media, ...moved];
    } else if (item.type === 'message' && item.role !== 'assistant') {
      closeTurn();
      handOverMedia();
      messages.push(inputMessage(item, target));
    } else {
      handOverMedia();
      turn ??= { texts: [], calls: [], reasoning: [], field: target.dialect.reasoningField, extras: {} };
      addToTurn(turn, item, { target, wireId });
    }
  }
  closeTurn();
  handOverMedia();
  return messages;
}

function inputMessage(item: MessageItem, target: Target): ChatMessage {
  if (item.role === 'user') return { role: 'user', content: userContent(item.content, target) };
  return { role: target.dialect.systemRole, content: contentText(item.content) };
}

function addToTurn(turn: Turn, item: OutputItem, at: { target: Target; wireId: (id: string) => string }): void {
  switch (item.type) {
    case 'message':
      turn.texts.push(contentText(item.content));
      return;
    case 'reasoning':
      return addReasoning(turn, item, at.target);
    case 'function_call':
      turn.calls.push(toolCall(item, at.wireId(item.call_id), at.target));
      return;
    default:
      at.target.report({
        type: 'dropped_item',
        name: item.type,
        detail: 'Chat Completions has no place for the result of a tool that the provider ran',
      });
  }
}

function addReasoning(turn: Turn, item: ReasoningItem, target: Target): void {
  const { field, ...extras } = ownData(item, target);
  turn.reasoning.push((item.content ?? item.summary).map(({ text }) => text).join(''));
  if (isReasoningField(field)) turn.field = field;
  for (const [name, value] of Object.entries(extras)) {
    const earlier = turn.extras[name];
    turn.extras[name] = Array.isArray(earlier) && Array.isArray(value) ? [...listOfJson(earlier), ...value] : value;
  }
}

function listOfJson(value: Json): readonly Json[] {
  return value instanceof Array ? value : [];
}

function isReasoningField(field: unknown): field is ReasoningField {
  return (
    field === 'reasoning_content' || field === 'reasoning' || field === 'reasoning_details' || field === 'thinking'
  );
}

function toolCall(item: FunctionCallItem, id: string, target: Target): JsonObject {
  const { extra_content } = ownData(item, target);
  return {
    id,
    type: 'function',
    function: { name: item.name, arguments: legalArguments(item, target) },
    ...(extra_content === undefined ? {} : { extra_content }),
  };
}

/** Servers parse the arguments of past calls and refuse the request when they cannot. */
function legalArguments(item: FunctionCallItem, { report }: Target): string {
  if (item.arguments.trim() === '') return '{}';
  if (isFields(parseJson(item.arguments))) return item.arguments;
  const detail = `the arguments of call ${item.call_id} are no JSON object and are sent as {}`;
  report({ type: 'other', name: 'function_call', detail });
  return '{}';
}

/** What this provider left on an item for itself; nothing when the item came by another provider or wire. */
function ownData(item: OutputItem, { provider, model }: Target): { readonly [field: string]: Json } {
  const { origin } = item;
  if (origin && (origin.provider !== provider || origin.api !== api || vendor(origin.model) !== vendor(model)))
    return {};
  const data = item.provider_data?.[provider];
  return isJsonObject(data) ? data : {};
}

function isJsonObject(value: Json | undefined): value is JsonObject {
  return isFields(value);
}

/** Behind a router, signatures of one vendor's model mean nothing to another vendor's. */
function vendor(model: string): string {
  return model.slice(0, Math.max(model.indexOf('/'), 0));
}

function assistantMessage(turn: Turn, { report }: Target): ChatMessage | undefined {
  const text = turn.texts.filter((part) => part !== '').join('\n\n');
  if (text === '' && turn.calls.length === 0) {
    if (turn.reasoning.length > 0)
      report({ type: 'dropped_item', name: 'reasoning', detail: 'no message or call of the model goes with it' });
    return undefined;
  }
  const reasoning = turn.reasoning.join('');
  return {
    role: 'assistant',
    content: turn.field === 'thinking' && reasoning !== '' ? thinkingParts(reasoning, text) : text === '' ? null : text,
    ...(turn.calls.length > 0 ? { tool_calls: turn.calls } : {}),
    ...reasoningFields(turn, reasoning),
  };
}

function reasoningFields({ field, extras }: Turn, reasoning: string): JsonObject {
  // Details hold the text as well; both together would be read twice.
  if (extras['reasoning_details'] !== undefined || reasoning === '' || field === 'thinking') return extras;
  if (field !== 'reasoning_details') return { ...extras, [field]: reasoning };
  return { ...extras, reasoning_details: [{ type: 'reasoning.text', text: reasoning }] };
}

function thinkingParts(reasoning: string, text: string): Json {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: reasoning }] };
  return text === '' ? [thinking] : [thinking, { type: 'text', text }];
}

/** Tool messages hold nothing but text; what else an output has goes into a message of the user behind the outputs. */
function toolOutput(item: FunctionCallOutputItem, target: Target): { text: string; moved: Parts } {
  const text = contentText(item.output);
  const others = typeof item.output === 'string' ? [] : item.output.filter((part) => part.type !== 'input_text');
  if (others.length === 0) return { text: text === '' ? emptyOutput(target) : text, moved: [] };
  const detail = `media in the output of call ${item.call_id} follow in a message of the user`;
  target.report({ type: 'moved_media', name: 'function_call_output', detail });
  const moved = userContent(others, target);
  const parts = typeof moved === 'string' ? [{ type: 'text', text: moved }] : moved;
  return { text: text === '' ? 'The output follows in the next message of the user.' : text, moved: parts };
}

function emptyOutput({ report }: Target): string {
  report({ type: 'other', name: 'function_call_output', detail: 'an empty output is sent as (no output)' });
  return '(no output)';
}

/** What a reply's message keeps for its own provider beside the words: details, signatures, and the field they came in. */
export function opaqueFields(message: { readonly [field: string]: unknown }): { readonly [field: string]: unknown } {
  const kept: { [field: string]: unknown } = {};
  if (listOf(message['reasoning_details']).length > 0) kept['reasoning_details'] = message['reasoning_details'];
  if (Object.keys(fieldsOf(message['extra_content'])).length > 0) kept['extra_content'] = message['extra_content'];
  if (textOf(message['thought_signature']) !== '') kept['thought_signature'] = message['thought_signature'];
  return kept;
}
