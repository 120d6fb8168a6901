import type { InputPart, Item, ModelRequest, ModelSettings, ToolSpec } from '@polyrun/core';

type Fields = { readonly [field: string]: unknown };
const origin = { provider: 'mistral', api: 'mistral', model: 'any' };

/** A recorded request as the items and settings from which the adapter would make it. */
export function fromMistral(body: Fields): ModelRequest {
  const messages = body['messages'] as Fields[];
  return { input: messages.flatMap(itemsOf), tools: toolsOf(body['tools']), settings: settingsOf(body) };
}

function itemsOf({ role, content, tool_call_id, tool_calls }: Fields): Item[] {
  if (role === 'tool')
    return [{ type: 'function_call_output', call_id: String(tool_call_id), output: content as string }];
  if (role !== 'assistant')
    return [
      { type: 'message', role: role as 'user', content: typeof content === 'string' ? content : partsOf(content) },
    ];
  const said = typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Fields[]);
  const words = said.map(({ text }): Item => ({ type: 'message', role: 'assistant', content: String(text), origin }));
  const calls = (tool_calls ?? []) as { id: string; function: { name: string; arguments: string } }[];
  return [
    ...words,
    ...calls.map((call): Item => ({ type: 'function_call', call_id: call.id, ...call.function, origin })),
  ];
}

function partsOf(content: unknown): InputPart[] {
  return (content as Fields[]).map((part): InputPart => {
    if (part['type'] === 'image_url')
      return { type: 'input_image', image_url: (part['image_url'] as { url: string }).url };
    if (part['type'] === 'document_url') return { type: 'input_file', file_url: String(part['document_url']) };
    return { type: 'input_text', text: String(part['text']) };
  });
}

function toolsOf(tools: unknown): ToolSpec[] {
  return ((tools ?? []) as { function: Fields }[]).map(({ function: { name, description, parameters } }) => ({
    type: 'function',
    name: String(name),
    description: String(description),
    parameters: parameters as never,
    strict: false,
  }));
}

function settingsOf(body: Fields): ModelSettings {
  const effort = body['reasoning_effort'] as 'none' | 'high' | undefined;
  const { prompt_cache_key } = body as { prompt_cache_key?: string };
  return {
    topP: body['top_p'] as number,
    frequencyPenalty: (body['frequency_penalty'] ?? undefined) as number | undefined,
    presencePenalty: (body['presence_penalty'] ?? undefined) as number | undefined,
    stop: (body['stop'] ?? undefined) as string[] | undefined,
    toolChoice: body['tool_choice'] as 'auto' | undefined,
    reasoning: effort === undefined ? undefined : { effort },
    providerOptions: { mistral: { n: 1, ...(prompt_cache_key !== undefined && { prompt_cache_key }) } },
  };
}
