import type { InputItem, Item, ProviderItem } from './items.ts';
import { isFields, type Fields } from './json.ts';

const roles: readonly unknown[] = ['user', 'assistant', 'system', 'developer'];

/** The texts that each kind of content part must have; of a medium any of its own fields will do. */
const partTexts: { readonly [type: string]: readonly string[] } = {
  input_text: ['text'],
  output_text: ['text'],
  refusal: ['refusal'],
  input_image: [],
  input_file: [],
  input_audio: [],
};

/** The Responses API's own kinds beside the core ones: `HostedKind`, spelled as a pattern. */
const hosted =
  /^(?:(?:web_search|file_search|code_interpreter|image_generation|mcp|tool_search)_call|(?:computer|local_shell|shell|apply_patch|custom_tool)_call(?:_output)?|tool_search_output|program(?:_output)?|additional_tools|mcp_(?:list_tools|approval_re(?:quest|sponse))|compaction|item_reference)$/;

const callTexts: readonly string[] = ['call_id', 'name', 'arguments'];
const outputTexts: readonly string[] = ['call_id'];

/**
 * What is wrong with a value that should be an item, as `.path.within.it: reason and fix`; `undefined` when nothing is.
 * Only what every reader of items relies on is checked: extra fields and provider items pass as they are.
 */
export function itemProblem(value: unknown): string | undefined {
  if (!isFields(value)) return wrong('', 'an item object', value);
  const { type, role, summary } = value;
  switch (type ?? (role === undefined ? type : 'message')) {
    case 'message':
      if (!roles.includes(role)) return wrong('.role', `one of '${roles.join("', '")}'`, role);
      return contentProblem('.content', value['content']);
    case 'function_call':
      return textsProblem(value, callTexts);
    case 'function_call_output':
      return textsProblem(value, outputTexts) ?? contentProblem('.output', value['output']);
    case 'reasoning':
      return Array.isArray(summary) ? undefined : wrong('.summary', 'an array', summary);
    default:
      return type && typeof type === 'string' ? undefined : wrong('.type', "a kind such as 'message'", type);
  }
}

/** True for what may stand in an input list. */
export function isInputItem(value: unknown): value is InputItem {
  return itemProblem(value) === undefined;
}

const ownKinds: ReadonlySet<string> = new Set(['message', 'function_call', 'function_call_output', 'reasoning']);

/** True for every kind but `message`, `function_call`, `function_call_output` and `reasoning`. */
export function isProviderItem(item: Item): item is ProviderItem {
  return !ownKinds.has(item.type);
}

/** Spells an item kind as Open Responses wants it: a bare kind that nobody knows becomes `slug:kind`. */
export function kindOf(type: string, slug: string): ProviderItem['type'] {
  return isKind(type) ? type : `${slug}:${type}`;
}

/** Input as items: a string becomes one user message, messages get their `type`, unknown bare kinds become `openai:kind`. */
export function itemsOf(input: string | readonly InputItem[]): Item[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return input.map(itemOf);
}

/** One entry of an input as an item. */
export function itemOf(item: InputItem): Item {
  if (item.type === undefined) return { ...item, type: 'message' };
  if (item.type === 'message' || !isProviderItem(item)) return item;
  const type = kindOf(item.type, 'openai');
  return type === item.type ? item : { ...item, type };
}

function isKind(type: string): type is ProviderItem['type'] {
  return type.indexOf(':') > 0 || hosted.test(type);
}

function contentProblem(field: string, content: unknown): string | undefined {
  if (typeof content === 'string') return undefined;
  if (!Array.isArray(content)) return wrong(field, 'a string or an array of content parts', content);
  for (let index = 0; index < content.length; index++) {
    const problem = partProblem(content[index]);
    if (problem !== undefined) return `${field}[${index}]${problem}`;
  }
  return undefined;
}

function partProblem(part: unknown): string | undefined {
  if (!isFields(part)) return wrong('', 'a content part object', part);
  const { type } = part;
  const texts = typeof type === 'string' && Object.hasOwn(partTexts, type) ? partTexts[type] : undefined;
  return texts ? textsProblem(part, texts) : wrong('.type', `one of '${Object.keys(partTexts).join("', '")}'`, type);
}

function textsProblem(value: Fields, fields: readonly string[]): string | undefined {
  for (const field of fields) if (typeof value[field] !== 'string') return wrong(`.${field}`, 'a string', value[field]);
  return undefined;
}

function wrong(path: string, expected: string, value: unknown): string {
  return `${path}: expected ${expected}, got ${nameOf(value)}`;
}

/** Names a wrong value for a message by its kind: it may be a prompt or a key. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
