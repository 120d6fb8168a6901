import type { HostedKind, InputItem, Item, ProviderItem } from './items.ts';
import { isFields, type Fields } from './json.ts';

const roles: ReadonlySet<unknown> = new Set(['user', 'assistant', 'system', 'developer']);

/** The text field that each kind of content part must have; `null`: any one of its own fields will do. */
const partText: { readonly [type: string]: string | null } = {
  input_text: 'text',
  output_text: 'text',
  refusal: 'refusal',
  input_image: null,
  input_file: null,
  input_audio: null,
};

/** The Responses API's own kinds beside the core ones: `HostedKind`, spelled as a pattern. */
const hosted =
  /^(?:(?:web_search|file_search|code_interpreter|image_generation|mcp)_call|(?:computer|local_shell|custom_tool)_call(?:_output)?|mcp_(?:list_tools|approval_re(?:quest|sponse))|compaction|item_reference)$/;

/**
 * What is wrong with a value that should be an item, as `path.to.field: reason and fix`; `undefined` when nothing is.
 * Only what every reader of items relies on is checked: extra fields and provider items pass as they are.
 */
export function itemProblem(value: unknown, path: string): string | undefined {
  if (!isFields(value)) return `${path}: expected an item object, got ${nameOf(value)}`;
  if (value['type'] === undefined) {
    if (value['role'] !== undefined) return messageProblem(value, path);
    return `${path}.type: missing; give an item kind such as 'message', or a role for a message`;
  }
  switch (value['type']) {
    case 'message':
      return messageProblem(value, path);
    case 'function_call':
      return stringsProblem(value, ['call_id', 'name', 'arguments'], path);
    case 'function_call_output':
      return stringsProblem(value, ['call_id'], path) ?? contentProblem(value['output'], `${path}.output`);
    case 'reasoning':
      return Array.isArray(value['summary'])
        ? undefined
        : `${path}.summary: expected an array, got ${nameOf(value['summary'])}`;
    default:
      return typeof value['type'] === 'string' && value['type'] !== ''
        ? undefined
        : `${path}.type: expected the name of an item kind, got ${nameOf(value['type'])}`;
  }
}

/** True for what may stand in an input list. */
export function isInputItem(value: unknown): value is InputItem {
  return itemProblem(value, '') === undefined;
}

/** True for every kind but `message`, `function_call`, `function_call_output` and `reasoning`. */
export function isProviderItem(item: Item): item is ProviderItem {
  switch (item.type) {
    case 'message':
    case 'function_call':
    case 'function_call_output':
    case 'reasoning':
      return false;
    default:
      return true;
  }
}

/** Spells an item kind as Open Responses wants it: a bare kind that nobody knows becomes `slug:kind`. */
export function kindOf(type: string, slug: string): ProviderItem['type'] {
  if (isHostedKind(type)) return type;
  const colon = type.indexOf(':');
  return colon > 0 ? `${type.slice(0, colon)}:${type.slice(colon + 1)}` : `${slug}:${type}`;
}

/** Input as items: a string becomes one user message, messages get their `type`, unknown bare kinds become `openai:kind`. */
export function itemsOf(input: string | readonly InputItem[]): Item[] {
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  return input.map(itemOf);
}

function itemOf(item: InputItem): Item {
  if (item.type === undefined) return { ...item, type: 'message' };
  if (item.type === 'message' || !isProviderItem(item)) return item;
  const type = kindOf(item.type, 'openai');
  return type === item.type ? item : { ...item, type };
}

function isHostedKind(type: string): type is HostedKind {
  return hosted.test(type);
}

function messageProblem(value: Fields, path: string): string | undefined {
  if (!roles.has(value['role']))
    return `${path}.role: expected 'user', 'assistant', 'system' or 'developer', got '${String(value['role'])}'`;
  return contentProblem(value['content'], `${path}.content`);
}

function contentProblem(content: unknown, path: string): string | undefined {
  if (typeof content === 'string') return undefined;
  if (!Array.isArray(content)) return `${path}: expected a string or an array of content parts, got ${nameOf(content)}`;
  for (const [index, part] of content.entries()) {
    const problem = partProblem(part, `${path}[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function partProblem(part: unknown, path: string): string | undefined {
  if (!isFields(part)) return `${path}: expected a content part object, got ${nameOf(part)}`;
  const type = part['type'];
  if (typeof type !== 'string' || !Object.hasOwn(partText, type)) {
    return `${path}.type: '${String(type)}' is not a content part; use ${Object.keys(partText).join(', ')}`;
  }
  const field = partText[type];
  return field ? stringsProblem(part, [field], path) : undefined;
}

function stringsProblem(value: Fields, names: readonly string[], path: string): string | undefined {
  for (const name of names) {
    if (typeof value[name] !== 'string') return `${path}.${name}: expected a string, got ${nameOf(value[name])}`;
  }
  return undefined;
}

/** Names a wrong value for a message by its kind: it may be a prompt or a key. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
