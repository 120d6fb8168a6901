import { serve, type Answer, type Asked, type TestServer } from './server.ts';

type Fields = { readonly [field: string]: unknown };
type Conversation = { id: string; metadata: Fields; items: Fields[] };

const prefixes: { readonly [type: string]: string } = { message: 'msg', function_call: 'fc', reasoning: 'rs' };
/** The kinds that the API keeps; others are refused. */
const kinds =
  /^(?:message|reasoning|compaction|(?:function|custom_tool|computer|local_shell|shell|apply_patch|web_search|file_search|code_interpreter|image_generation|mcp|tool_search)_call(?:_output)?|mcp_\w+)$/;

/**
 * The Conversations API in this process, over HTTP, as https://platform.openai.com/docs/api-reference/conversations describes it: it gives
 * every item an id, keeps content as parts, takes 20 items at once, and has neither versions nor locks nor keys for writes.
 */
export async function fakeConversations(): Promise<TestServer> {
  const all = new Map<string, Conversation>();
  let made = 0;
  return serve(({ method, url, body }: Asked): Answer => {
    const [, , , id = '', , itemId = ''] = url.pathname.split('/');
    if (method === 'POST' && id === '') {
      const conversation = { id: `conv_${++made}`, metadata: fieldsOf(body['metadata']), items: [] };
      all.set(conversation.id, conversation);
      return { body: shown(conversation) };
    }
    const conversation = all.get(id);
    if (!conversation) return refusal(404, `Conversation with id '${id}' not found.`);
    if (url.pathname.includes('/items')) {
      if (method === 'GET') return list(conversation, url.searchParams);
      if (method === 'DELETE') return remove(conversation, itemId);
      return add(conversation, body['items'], () => String(++made));
    }
    if (method === 'POST') conversation.metadata = fieldsOf(body['metadata']);
    return metadataProblem(conversation) ?? { body: shown(conversation) };
  });
}

function shown({ id, metadata }: Conversation): Fields {
  return { id, object: 'conversation', created_at: 1, metadata };
}

function metadataProblem({ metadata }: Conversation): Answer | undefined {
  const long = Object.values(metadata).some((value) => typeof value !== 'string' || value.length > 512);
  return long
    ? refusal(400, 'Invalid metadata: string too long. Expected a string with maximum length 512.')
    : undefined;
}

function list({ items }: Conversation, query: URLSearchParams): Answer {
  const limit = Number(query.get('limit') ?? 20);
  if (limit < 1 || limit > 100) return refusal(400, 'limit must be between 1 and 100');
  const ordered = query.get('order') === 'asc' ? items : items.toReversed();
  const from = ordered.findIndex(({ id }) => id === query.get('after')) + 1;
  const data = ordered.slice(from, from + limit);
  const body = { object: 'list', data, first_id: data[0]?.['id'] ?? null, last_id: data.at(-1)?.['id'] ?? null };
  return { body: { ...body, has_more: from + limit < ordered.length } };
}

function remove(conversation: Conversation, itemId: string): Answer {
  if (!conversation.items.some(({ id }) => id === itemId)) return refusal(404, `Item with id '${itemId}' not found.`);
  conversation.items = conversation.items.filter(({ id }) => id !== itemId);
  return { body: shown(conversation) };
}

function add(conversation: Conversation, items: unknown, newId: () => string): Answer {
  if (!Array.isArray(items) || items.length === 0)
    return refusal(400, 'items: expected an array with at least 1 element');
  if (items.length > 20) return refusal(400, 'items: expected an array with maximum length 20');
  const unknown = items.map(fieldsOf).find(({ type }) => !kinds.test(String(type)));
  if (unknown) return refusal(400, `Invalid value: '${String(unknown['type'])}'.`);
  const added = items.map((item) => stored(fieldsOf(item), newId()));
  conversation.items.push(...added);
  return {
    body: { object: 'list', data: added, first_id: added[0]?.['id'], last_id: added.at(-1)?.['id'], has_more: false },
  };
}

/** An item as the API keeps it: under an id of its own making, its content in parts. */
function stored(item: Fields, unique: string): Fields {
  const { type, role, content } = item;
  const id = `${prefixes[String(type)] ?? 'item'}_${unique}`;
  if (type !== 'message') return { id, status: 'completed', ...item };
  const kind = role === 'assistant' ? 'output_text' : 'input_text';
  const parts = typeof content === 'string' ? [{ type: kind, text: content }] : content;
  return { ...item, id, status: 'completed', content: parts };
}

function refusal(status: number, message: string): Answer {
  return { status, body: { error: { message, type: 'invalid_request_error', param: null, code: null } } };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
