import { inputToItems, type Item, type ModelRequest, type ModelSettings, type ToolSpec } from '@polyrun/core';

type Fields = { readonly [field: string]: unknown };

/** A recorded request as the items and settings from which the adapter would make it. */
export function fromResponses(body: Fields, provider: string): ModelRequest {
  const { conversation, previous_response_id, instructions } = body;
  const settings: ModelSettings = {
    store: true,
    maxTokens: body['max_output_tokens'] as number | undefined,
    truncation: body['truncation'] as 'auto' | undefined,
    ...(body['tool_choice'] === 'required' && { toolChoice: 'required' }),
  };
  return {
    input: inputToItems(body['input']).map((item) =>
      isModels(item) ? { ...item, origin: { provider, api: 'openai-responses', model: 'm' } } : item,
    ),
    tools: toolsOf(body['tools']),
    settings,
    ...(typeof instructions === 'string' && { instructions }),
    ...(typeof previous_response_id === 'string' && { previousResponseId: previous_response_id }),
    ...(typeof conversation === 'string' && { conversationId: conversation }),
  };
}

function isModels(item: Item): boolean {
  return item.type === 'message' ? item.role === 'assistant' : !item.type.endsWith('_output');
}

function toolsOf(tools: unknown): ToolSpec[] {
  return ((tools ?? []) as Fields[]).map((tool): ToolSpec => {
    if (tool['type'] !== 'function') return tool as ToolSpec;
    const { name, description, parameters, strict } = tool;
    return { type: 'function', name, description: description ?? '', parameters, strict: strict === true } as ToolSpec;
  });
}
