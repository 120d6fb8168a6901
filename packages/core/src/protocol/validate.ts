import type { InputItem, Item, ProviderItem } from './items.ts';
import { isFields } from './json.ts';

const roles: readonly unknown[] = ['user', 'assistant', 'system', 'developer'];

/** The Responses API's own kinds beside the core ones: `HostedKind`, spelled as a pattern. */
const hosted =
  /^(?:(?:web_search|file_search|code_interpreter|image_generation|mcp|tool_search)_call|(?:computer|local_shell|shell|apply_patch|custom_tool)_call(?:_output)?|tool_search_output|program(?:_output)?|additional_tools|mcp_(?:list_tools|approval_re(?:quest|sponse))|compaction|item_reference)$/;

/**
 * What is wrong with a value that should be an item, as `.path.within.it: reason and fix`; `undefined` when nothing is.
 * Only what every reader of items relies on is checked: extra fields and provider items pass as they are.
 */
export function itemProblem(value: unknown): string | undefined {
  if (!isFields(value)) return wrong('', 'an item object', value);
  const { type, role, summary, call_id } = value;
  switch (type ?? (role === undefined ? type : 'message')) {
    case 'message':
      if (!roles.includes(role)) return wrong('.role', `one of '${roles.join("', '")}'`, role);
      return contentProblem('.content', value['content']);
    case 'function_call':
      return (
        textProblem('.call_id', call_id) ??
        textProblem('.name', value['name']) ??
        textProblem('.arguments', value['arguments'])
      );
    case 'function_call_output':
      return textProblem('.call_id', call_id) ?? contentProblem('.output', value['output']);
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

/** True for every kind but `message`, `function_call`, `function_call_output` and `reasoning`. */
export function isProviderItem(item: Item): item is ProviderItem {
  const { type } = item;
  return type !== 'message' && type !== 'function_call' && type !== 'function_call_output' && type !== 'reasoning';
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
  const { type, text, refusal } = part;
  switch (type) {
    case 'input_text':
    case 'output_text':
      return textProblem('.text', text);
    case 'refusal':
      return textProblem('.refusal', refusal);
    case 'input_image':
    case 'input_file':
    case 'input_audio':
      // Any of the medium's own fields will do.
      return undefined;
    default:
      return wrong(
        '.type',
        "one of 'input_text', 'output_text', 'refusal', 'input_image', 'input_file', 'input_audio'",
        type,
      );
  }
}

function textProblem(path: string, value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : wrong(path, 'a string', value);
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
