import type { InputPart, Item, ModelRequest, ModelSettings, ToolSpec } from '@polyrun/core';

type Fields = { [field: string]: unknown };
export type ChatBody = { messages: { [field: string]: unknown; role: string }[]; [field: string]: unknown };

/** A recorded request as the items and settings from which the adapter would make it; `undefined` for what has no items. */
export function fromChat(body: ChatBody, origin: { provider: string; model: string }): ModelRequest | undefined {
  const { messages } = body;
  if (messages.some((message) => !isSupported(message))) return undefined;
  const input = messages.flatMap((message) => itemsOf(message, origin));
  return { input, tools: toolsOf(body['tools']), settings: settingsOf(body) };
}

function isSupported({ role, content }: Fields): boolean {
  if (role === 'system' || role === 'developer') return typeof content === 'string';
  const known = new Set(['text', 'image_url', 'input_audio', 'file']);
  return !Array.isArray(content) || content.every((part: Fields) => known.has(String(part['type'])));
}

function itemsOf(message: Fields, origin: { provider: string; model: string }): Item[] {
  const { role, content } = message;
  if (role === 'tool')
    return [{ type: 'function_call_output', call_id: String(message['tool_call_id']), output: content as string }];
  if (role !== 'assistant')
    return [
      { type: 'message', role: role as 'user', content: typeof content === 'string' ? content : partsOf(content) },
    ];
  return assistantItems(message, origin);
}

function assistantItems(message: Fields, origin: { provider: string; model: string }): Item[] {
  const { content } = message;
  const from = { origin: { ...origin, api: 'chat-completions' } };
  const items: Item[] = [];
  for (const field of ['reasoning_content', 'reasoning', 'reasoning_details'] as const) {
    if (message[field] === undefined) continue;
    const details = field === 'reasoning_details' ? { reasoning_details: message[field] as never } : {};
    const text = typeof message[field] === 'string' ? message[field] : '';
    items.push({
      ...from,
      type: 'reasoning',
      summary: [],
      content: text === '' ? [] : [{ type: 'reasoning_text', text }],
      provider_data: { [origin.provider]: { field, ...details } },
    });
  }
  if (typeof content === 'string' && content !== '')
    items.push({ ...from, type: 'message', role: 'assistant', content });
  for (const call of (message['tool_calls'] ?? []) as { id: string; function: { name: string; arguments: string } }[])
    items.push({ ...from, type: 'function_call', call_id: call.id, ...call.function });
  return items;
}

function partsOf(content: unknown): InputPart[] {
  return (content as Fields[]).map((part): InputPart => {
    const inner = part[String(part['type'])] as Fields;
    switch (part['type']) {
      case 'image_url':
        return { type: 'input_image', image_url: String(inner['url']) };
      case 'input_audio':
        return { type: 'input_audio', input_audio: inner as { data: string; format: string } };
      case 'file':
        return { type: 'input_file', ...(inner as { file_data?: string; filename?: string; file_id?: string }) };
      default:
        return { type: 'input_text', text: String(part['text']) };
    }
  });
}

function toolsOf(tools: unknown): ToolSpec[] {
  return ((tools ?? []) as { type: string; function?: Fields }[])
    .filter(({ type }) => type === 'function')
    .map((tool) => {
      const { name, description, parameters, strict } = tool.function ?? {};
      return {
        type: 'function',
        name: String(name),
        description: (description ?? '') as string,
        parameters: parameters as never,
        strict: strict === true,
      };
    });
}

function settingsOf(body: Fields): ModelSettings {
  const choice = body['tool_choice'];
  return {
    temperature: body['temperature'] as number | undefined,
    maxTokens: (body['max_tokens'] ?? body['max_completion_tokens']) as number | undefined,
    toolChoice: typeof choice === 'string' ? (choice as 'auto') : undefined,
  };
}
