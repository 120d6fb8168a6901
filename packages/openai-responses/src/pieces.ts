import {
  isFields,
  wireIds,
  type Adaptation,
  type FunctionCallItem,
  type FunctionCallOutputItem,
  type Item,
  type MessageItem,
  type ProviderItem,
  type ReasoningItem,
} from '@polyrun/core';
import {
  closedArguments,
  fieldsOf,
  given,
  legalName,
  listOf,
  reporter,
  stringOf,
  type Report,
  toObject,
  without,
} from '@polyrun/core/http';
import { inputContent, outputContent, textPart } from './content.ts';
import { api, type Destination } from './target.ts';
import type { JsonObject } from './wire.ts';

/** An item as this wire has it, whatever stands around it. */
export type Piece = {
  /** The kind of item as the wire has it. */
  readonly kind: string;
  /** Ready to be sent where the server keeps nothing. */
  readonly wire: JsonObject;
  /** Who says it: the model, a tool or the program that answers it, or somebody else. */
  readonly from: 'model' | 'tool' | 'input';
  /** What is added where the server has kept the item: its id. */
  readonly kept?: JsonObject;
  /** Which call it is, or answers. */
  readonly callId?: string;
  /** Reasoning that cannot be sent without what only the server has. */
  readonly needsServer?: true;
  /** True for an answer that the wire has no place for: it is told in words. */
  readonly unfit?: true;
  /** Media of an answer that follow it in a message of the user, where answers hold only text. */
  readonly moved?: readonly JsonObject[];
  /** Whose item it is: reasoning goes only with items of the same issuer. */
  readonly issuer: string;
  readonly adaptations: readonly Adaptation[];
};
type Made = Omit<Piece, 'kind' | 'adaptations' | 'issuer'>;
type At = Destination & { readonly report: Report };

/** What an item becomes. It depends on the item and the model alone, so that it is made once. */
export function pieceOf(item: Item, destination: Destination): Piece {
  const { adaptations, report } = reporter();
  const { origin } = item;
  const issuer = origin ? issuerOf(origin) : '';
  const piece = made(item, { ...destination, report });
  return { ...piece, kind: stringOf(piece.wire['type']), issuer, adaptations };
}

/** Names who makes items: one provider by one wire. */
export function issuerOf({ provider, api }: { provider: string; api: string }): string {
  return `${provider} ${api}`;
}

function made(item: Item, at: At): Made {
  switch (item.type) {
    case 'message':
      return item.role === 'assistant' ? said(item, at) : told(item, at);
    case 'function_call':
      return called(item, at);
    case 'function_call_output':
      return answered(item, at);
    case 'reasoning':
      return thought(item);
    default:
      return verbatim(item, at);
  }
}

/** True for items of this very wire, and for those that a user wrote by hand: they are spelled as this wire spells them. */
export function isOwn({ origin }: Item, { provider }: Destination): boolean {
  return origin === undefined || (origin.provider === provider && origin.api === api);
}

/** What stands in the log for us, and what only items that the server has kept are sent with. */
const ours: ReadonlySet<string> = new Set(['origin', 'provider_data']);
const oursAndKept: ReadonlySet<string> = new Set(['origin', 'provider_data', 'id', 'status']);

function bare(item: Item): JsonObject {
  return without(toObject(item), oursAndKept);
}

function idOf({ id, status = 'completed' }: Item): { kept?: JsonObject } {
  return id === undefined ? {} : { kept: { id, status } };
}

function told(item: MessageItem, at: At): Made {
  const extras = isOwn(item, at) ? bare(item) : {};
  return {
    from: 'input',
    wire: { ...extras, type: 'message', role: item.role, content: inputContent(item.content, at) },
  };
}

function said(item: MessageItem, at: At): Made {
  const { role, content } = item;
  if (!isOwn(item, at))
    return { from: 'model', wire: { type: 'message', role, content: outputContent(content, at.report) } };
  const { content: whole = null } = toObject(item.provider_data?.[at.provider]);
  const parts = whole ?? outputContent(content, at.report);
  // Items with an id have parts; without one, the message is a plain one.
  const kept = typeof parts === 'string' ? {} : idOf(item);
  return { from: 'model', wire: { ...bare(item), content: parts }, ...kept };
}

function called(item: FunctionCallItem, at: At): Made {
  const { type, call_id: callId } = item;
  const args = closedArguments(item, at.report);
  const name = legalName(item, 128, at.report);
  const own = isOwn(item, at);
  const extras = own ? bare(item) : {};
  return {
    from: 'model',
    callId,
    wire: { ...extras, type, call_id: callId, name, arguments: args },
    ...(own && idOf(item)),
  };
}

function answered(item: FunctionCallOutputItem, at: At): Made {
  const { type, call_id: callId, output } = item;
  const content = inputContent(output, at);
  const answer = { ...bare(item), type, call_id: callId };
  const moved = at.capabilities.toolOutputMedia === false && typeof content !== 'string' ? content : [];
  const media = moved.filter((part) => part['type'] !== 'input_text');
  if (media.length === 0)
    return { from: 'tool', callId, wire: { ...answer, output: content.length === 0 ? '' : content } };
  at.report('moved_media', type, `media of ${callId} follow in a user message`);
  const text = outputText(content) || '(see the next user message)';
  return { from: 'tool', callId, wire: { ...answer, output: text }, moved: media };
}

/** Encrypted reasoning is whole without its id, which servers look up in vain where they keep nothing; visible reasoning goes as it came. */
function thought(item: ReasoningItem): Made {
  const { id, type, summary, content = [], encrypted_content } = item;
  const known = without(bare(item), new Set(['content', 'encrypted_content']));
  const visible = content.length > 0;
  const wire = toObject({
    ...known,
    ...(visible && !encrypted_content && given({ id })),
    type,
    summary,
    ...(visible && { content }),
    ...(encrypted_content && { encrypted_content }),
  });
  const needsServer = !visible && !encrypted_content ? { needsServer: true as const } : {};
  return { from: 'model', wire, ...(id !== undefined && { kept: { id } }), ...needsServer };
}

/** Kinds whose id the API requires, whoever keeps them. */
const identified =
  /^(?:web_search|file_search|code_interpreter|image_generation|computer|local_shell|mcp)_call$|^mcp_(?:list_tools|approval_request)$|^(?:program|program_output|item_reference)$/;
/** Kinds of which the API requires no id. */
const unidentified =
  /^(?:custom_tool|tool_search|shell|apply_patch)_call$|_call_output$|^tool_search_output$|^(?:compaction|mcp_approval_response|additional_tools)$/;

function verbatim(item: ProviderItem, at: At): Made {
  const type = wireKind(item.type, at.provider);
  const fields: JsonObject = { ...without(toObject(item), ours), type };
  const lacks = required.get(type)?.some((field) => fields[field] === undefined);
  if (type.includes(':') || lacks) return described(item, at.report);
  const { id, call_id: callId } = item;
  const isAnswer = type.endsWith('_output') || type === 'mcp_approval_response';
  const wire = identify(fields);
  return {
    from: isAnswer ? 'tool' : 'model',
    wire,
    ...(id !== undefined && wire['id'] === undefined && { kept: { id } }),
    ...(typeof callId === 'string' && { callId }),
    ...answerOf(wire, at.report),
  };
}

/** With an id where the API requires one, without where it does not. */
function identify(fields: JsonObject): JsonObject {
  const type = stringOf(fields['type']);
  if (identified.test(type)) return { id: mintedId(fields), ...fields };
  return unidentified.test(type) ? without(fields, new Set(['id'])) : fields;
}

/** The kind as this wire spells it: without the name that the log puts before what is this provider's alone. */
function wireKind(type: string, provider: string): string {
  return type.startsWith(`${provider}:`) ? type.slice(provider.length + 1) : type.replace(/^openai:/, '');
}

/** What the API requires of kinds that a server makes by itself: without it they are not its. */
const required: ReadonlyMap<string, readonly string[]> = new Map([
  ['mcp_call', ['server_label', 'name', 'arguments']],
  ['mcp_approval_request', ['id', 'server_label', 'name', 'arguments']],
  ['mcp_list_tools', ['server_label', 'tools']],
  ['file_search_call', ['queries']],
  ['code_interpreter_call', ['container_id']],
]);

/** What a user took over by hand from another wire, or made up. */
function described(item: ProviderItem, report: Report): Made {
  report('described_item', item.type, 'told as a text: this wire has no such item');
  const text = JSON.stringify(bare(item)).slice(0, 500);
  return { from: 'model', wire: { type: 'message', role: 'assistant', content: text } };
}

/** An id for what was written by hand without one: the same for the same item. */
export function mintedId(fields: object): string {
  return wireIds({ legal: /^item_/, length: 16, prefix: 'item_' })(JSON.stringify(fields));
}

/** Answers that were made without knowing what this wire wants of their kind, as it wants them. */
function answerOf(fields: JsonObject, report: Report): Partial<Made> {
  const { type, output, status } = fields;
  const words = outputText(output);
  switch (type) {
    case 'computer_call_output':
      return isFields(output) ? {} : toldInstead(words, report);
    case 'apply_patch_call_output':
      return { wire: { ...fields, status: status ?? 'failed', output: words } };
    case 'local_shell_call_output':
      return { wire: { ...fields, output: words } };
    case 'shell_call_output':
      return Array.isArray(output) && listOf(output).every(({ outcome }) => outcome)
        ? {}
        : { wire: { ...fields, output: [failedCommand(words)] } };
    case 'custom_tool_call_output':
      return Array.isArray(output) && output.length > 0 ? {} : { wire: { ...fields, output: words } };
    default:
      return {};
  }
}

/** The wire has no place for an answer to a computer call but a picture. */
function toldInstead(words: string, report: Report): Partial<Made> {
  report('described_item', 'computer_call_output', 'told as a text, without its call: it has no picture');
  const content = [textPart(`[computer call] ${words}`.trim())];
  return { unfit: true, from: 'input', wire: { type: 'message', role: 'user', content } };
}

function failedCommand(stderr: string): JsonObject {
  return { stdout: '', stderr, outcome: { type: 'exit', exit_code: 1 } };
}

function outputText(output: unknown): string {
  if (!Array.isArray(output)) return typeof output === 'object' && output ? JSON.stringify(output) : stringOf(output);
  return listOf(output)
    .map((part) => stringOf(fieldsOf(part)['text']))
    .join('\n');
}
