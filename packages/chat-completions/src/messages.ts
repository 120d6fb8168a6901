import {
  contentText,
  isFields,
  wireIds,
  type FunctionCallItem,
  type FunctionCallOutputItem,
  type Item,
  type Json,
  type MessageItem,
  type OutputItem,
  type ReasoningItem,
} from '@polyrun/core';
import { given, isList } from '@polyrun/core/http';
import { userContent } from './content.ts';
import type { ReasoningField } from './dialects.ts';
import { api, type Target } from './target.ts';
import { isClosed } from './tool-calls.ts';
import type { ChatMessage, JsonObject } from './wire.ts';

/** The items of one turn of the model, which this wire holds in one message. */
type Turn = {
  texts: string[];
  calls: JsonObject[];
  reasoning: string;
  field: string;
  extras: { [field: string]: Json };
};
type Encoding = { readonly target: Target; readonly wireId: (callId: string) => string };

/** Where reasoning goes back whose item does not tell the field it came in. */
const defaultField: ReasoningField = 'reasoning_content';

/** Items as messages: a turn of the model is one assistant message, outputs follow their calls, media of outputs go to the user. */
export function chatMessages(items: readonly Item[], target: Target): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const at: Encoding = { target, wireId: wireIds(target.dialect.callIds) };
  let turn: Turn | undefined;
  let media: readonly JsonObject[] = [];
  const close = () => {
    if (turn) messages.push(...assistantMessage(turn, target));
    else if (media.length > 0) messages.push({ role: 'user', content: media });
    turn = undefined;
    media = [];
  };
  for (const item of items) {
    if (item.type === 'function_call_output') {
      const before = media;
      if (turn) close();
      const { text, moved } = toolOutput(item, target);
      messages.push({ role: 'tool', tool_call_id: at.wireId(item.call_id), content: text });
      media = [...before, ...moved];
    } else if (item.type === 'message' && item.role !== 'assistant') {
      close();
      messages.push(inputMessage(item, target));
    } else {
      if (!turn) close();
      turn ??= { texts: [], calls: [], reasoning: '', field: defaultField, extras: {} };
      addToTurn(turn, item, at);
    }
  }
  close();
  return messages;
}

function inputMessage({ role, content }: MessageItem, target: Target): ChatMessage {
  if (role === 'user') return { role, content: userContent(content, target) };
  return { role: target.dialect.systemRole, content: contentText(content) };
}

function addToTurn(turn: Turn, item: OutputItem, { target, wireId }: Encoding): void {
  if (item.type === 'message') turn.texts.push(contentText(item.content));
  else if (item.type === 'function_call') turn.calls.push(toolCall(item, wireId(item.call_id), target));
  else if (item.type === 'reasoning') addReasoning(turn, item, target);
  else target.report('dropped_item', item.type, 'this wire has no place for what a provider did by itself');
}

function addReasoning(turn: Turn, item: ReasoningItem, target: Target): void {
  const { field, ...extras } = ownData(item, target);
  turn.reasoning += (item.content ?? item.summary).map(({ text }) => text).join('');
  if (typeof field === 'string') turn.field = field;
  for (const [name, value] of Object.entries(extras)) {
    const earlier = turn.extras[name];
    turn.extras[name] = isList(earlier) && isList(value) ? [...earlier, ...value] : value;
  }
}

function toolCall(item: FunctionCallItem, id: string, target: Target): JsonObject {
  let { arguments: args } = item;
  // Servers parse the arguments of past calls and refuse the request when they cannot.
  if (!isClosed(args)) {
    if (args !== '')
      target.report('other', 'function_call', `arguments of ${item.call_id} that are no JSON object: sent as {}`);
    args = '{}';
  }
  const { extra_content } = ownData(item, target);
  return { id, type: 'function', function: { name: item.name, arguments: args }, ...given({ extra_content }) };
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

function assistantMessage({ texts, calls, reasoning, field, extras }: Turn, { report }: Target): ChatMessage[] {
  const text = texts.filter(Boolean).join('\n\n');
  if (text === '' && calls.length === 0) {
    if (reasoning !== '') report('dropped_item', 'reasoning', 'no message and no call goes with it');
    return [];
  }
  const shown = reasoning !== '' && extras['reasoning_details'] === undefined;
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

/** Tool messages hold nothing but text; what else an output has goes into a message of the user behind the outputs. */
function toolOutput(
  { call_id, output }: FunctionCallOutputItem,
  target: Target,
): { text: string; moved: readonly JsonObject[] } {
  const text = contentText(output);
  const media = typeof output === 'string' ? [] : output.filter(({ type }) => type !== 'input_text');
  if (media.length > 0)
    target.report('moved_media', 'function_call_output', `media of ${call_id} follow in a user message`);
  else if (text === '')
    target.report('other', 'function_call_output', `the empty output of ${call_id} is sent as (no output)`);
  const moved = media.length > 0 ? userContent(media, target) : [];
  return {
    text: text || (media.length > 0 ? '(see the next user message)' : '(no output)'),
    moved: typeof moved === 'string' ? [{ type: 'text', text: moved }] : moved,
  };
}
