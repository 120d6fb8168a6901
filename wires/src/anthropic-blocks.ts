/** A JSON object that nobody has looked at. */
export type Fields = { readonly [field: string]: unknown };
/** Takes down a violation. */
export type Report = (problem: string) => void;
/** A message with its content as blocks. */
export type Message = { readonly role: string; readonly content: readonly Fields[] };

/** What a tool may be called. */
export const toolName = /^[a-zA-Z0-9_-]{1,128}$/;

const kinds: { readonly [role: string]: RegExp } = {
  user: /^(text|image|document|search_result|tool_result|container_upload)$/,
  assistant:
    /^(text|thinking|redacted_thinking|tool_use|server_tool_use|mcp_tool_use|\w+_tool_result|compaction|fallback|mcp_tool_listing|container_upload)$/,
  system: /^(text|tool_addition|tool_removal)$/,
};

/** What is wrong with one message by itself. */
// oxlint-disable-next-line complexity -- one rule after the other
export function messageProblems({ role, content }: Message, where: string, report: Report): void {
  const legal = kinds[role];
  if (!legal) return report(`${where}.role: unknown role '${role}'`);
  if (content.length === 0) report(`${where}: all messages must have non-empty content`);
  for (const [index, block] of content.entries()) {
    const type = textOf(block['type']);
    const at = `${where}.content.${index}`;
    if (!legal.test(type)) report(`${at}: a block of type ${type} has no place in a message of the ${role}`);
    else blockProblems(block, { at, role }, report);
  }
  if (role === 'assistant' && isThinking(content.at(-1) ?? {}))
    report(`${where}: The final block in an assistant message cannot be thinking`);
  const results = content.map(({ type }) => type === 'tool_result');
  if (results.indexOf(true) > results.indexOf(false) && results.includes(false) && results.includes(true))
    report(`${where}: tool_result blocks come first`);
}

// oxlint-disable-next-line complexity -- one rule after the other
function blockProblems(block: Fields, { at, role }: { at: string; role: string }, report: Report): void {
  const { type, text, citations, thinking, signature, data, source, content, id, name, input } = block;
  switch (type) {
    case 'text':
      if (typeof text !== 'string' || text.trim() === '')
        report(`${at}: text content blocks must contain non-whitespace text`);
      if (role === 'user' && list(citations).length > 0) report(`${at}.citations: not in messages of the user`);
      break;
    case 'thinking':
      if (typeof thinking !== 'string' || typeof signature !== 'string' || signature === '')
        report(`${at}: thinking without its signature`);
      break;
    case 'redacted_thinking':
      if (typeof data !== 'string' || data === '') report(`${at}.data: required`);
      break;
    case 'image':
    case 'document':
      sourceProblems(fieldsOf(source), { at, type }, report);
      break;
    case 'tool_use':
      if (!/^[a-zA-Z0-9_-]+$/.test(textOf(id ?? ''))) report(`${at}.id: illegal`);
      if (!toolName.test(textOf(name ?? ''))) report(`${at}.name: illegal`);
      if (!isFields(input)) report(`${at}.input: Input should be a valid dictionary`);
      break;
    case 'tool_result':
      for (const part of list(content).map(fieldsOf)) {
        const legal = /^(text|image|document|search_result|tool_reference)$/.test(textOf(part['type']));
        if (!legal) report(`${at}.content: no ${textOf(part['type'])} in a result`);
        blockProblems(part, { at: `${at}.content`, role }, report);
      }
      break;
    default:
  }
}

function sourceProblems(source: Fields, { at, type }: { at: string; type: string }, report: Report): void {
  const { type: kind, media_type, data, url, file_id } = source;
  const legal = type === 'image' ? /^image\/(jpeg|png|gif|webp)$/ : /^application\/pdf$/;
  const known = { base64: data, text: data, url, file: file_id, content: source['content'] }[textOf(kind)];
  if (known === undefined || known === '') report(`${at}.source: nothing to show`);
  if (kind === 'base64' && !legal.test(textOf(media_type)))
    report(`${at}.source.media_type: ${textOf(media_type)} is not supported`);
  if (kind === 'text' && media_type !== 'text/plain') report(`${at}.source.media_type: must be text/plain`);
}

/** True for thinking, readable or not. */
export function isThinking({ type }: Fields): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** True for an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object; an empty one when it is none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The value as a list; an empty one when it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
