import type { InputPart, Item, Json, ModelRequest, ToolSpec } from '@polyrun/core';

type Fields = { readonly [field: string]: unknown };
type Block = { [field: string]: unknown; type: string };
type Message = { role: string; content: Block[] };

const origin = { provider: 'anthropic', api: 'anthropic-messages', model: 'claude-sonnet-4-5' };

/** A recorded request as the items and settings from which the adapter would make it. What has no setting goes as the provider's own option. */
export function fromMessages(body: Fields): ModelRequest {
  const {
    model: _model,
    messages,
    system,
    tools,
    max_tokens,
    stop_sequences,
    stream: _stream,
    output_format,
    ...options
  } = body;
  const { tool_choice, ...rest } = options as { tool_choice?: { type: string; name?: string } };
  const text =
    typeof system === 'string' ? system : ((system ?? []) as Block[]).map((block) => block['text']).join('\n\n');
  return {
    ...(text !== '' && { instructions: text }),
    input: (messages as Message[]).flatMap(itemsOf),
    tools: ((tools ?? []) as Fields[]).map(toolOf),
    settings: {
      cache: 'none',
      maxTokens: max_tokens as number,
      ...(stop_sequences ? { stop: stop_sequences as string[] } : {}),
      ...(tool_choice ? { toolChoice: choices[tool_choice.type] ?? { name: String(tool_choice.name) } } : {}),
      providerOptions: {
        anthropic: { ...rest, ...(output_format ? { output_format } : {}) } as { [key: string]: Json },
      },
    },
  };
}

const choices: { readonly [type: string]: 'auto' | 'required' | 'none' } = {
  auto: 'auto',
  any: 'required',
  none: 'none',
};

function toolOf(tool: Fields): ToolSpec {
  const { type, name, description, input_schema, strict, ...rest } = tool as { type?: string; [field: string]: Json };
  const plain = type === undefined && Object.keys(rest).length === 0;
  if (plain)
    return {
      type: 'function',
      name: name as string,
      description: (description ?? '') as string,
      parameters: input_schema as Json,
      strict: strict === true,
    };
  // What a function tool of ours cannot say, such as deferred loading, is said by the provider's own spelling.
  return {
    type: `anthropic:${type ?? 'custom'}`,
    ...(tool as { [field: string]: Json }),
    ...(type === undefined && { type: 'anthropic:custom' }),
    ...(type !== undefined && { type: `anthropic:${type}` }),
  };
}

function itemsOf({ role, content }: Message): Item[] {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  if (role !== 'assistant') return blocks.map((block) => inputItem(role, block));
  return blocks.map(outputItem);
}

function inputItem(role: string, block: Block): Item {
  if (block.type === 'tool_result') {
    const { tool_use_id, content, type: _, ...rest } = block;
    const data = { ...rest, ...(Array.isArray(content) ? { content } : {}) } as { [field: string]: Json };
    return {
      type: 'function_call_output',
      call_id: String(tool_use_id),
      output: typeof content === 'string' ? content : '',
      provider_data: { anthropic: data },
    };
  }
  return { type: 'message', role: role as 'user', content: [partOf(block)] };
}

function partOf(block: Block): InputPart {
  const source = (block['source'] ?? {}) as { [field: string]: string };
  const data = `data:${source['media_type']};base64,${source['type'] === 'text' ? btoa(String(source['data'])) : source['data']}`;
  if (block.type === 'text') return { type: 'input_text', text: String(block['text']) };
  if (block.type === 'image')
    return { type: 'input_image', image_url: source['type'] === 'url' ? String(source['url']) : data };
  if (block.type === 'document') return { type: 'input_file', file_data: data };
  throw new Error(`no part for ${block.type}`);
}

function outputItem(block: Block): Item {
  const { type, ...rest } = block as { type: string; [field: string]: Json };
  switch (type) {
    case 'text':
      return {
        type: 'message',
        role: 'assistant',
        origin,
        content: [{ type: 'output_text', text: rest['text'] as string }],
      };
    case 'thinking':
      return {
        type: 'reasoning',
        origin,
        summary: [],
        content: [{ type: 'reasoning_text', text: rest['thinking'] as string }],
        encrypted_content: rest['signature'] as string,
      };
    case 'redacted_thinking':
      return {
        type: 'reasoning',
        origin,
        summary: [],
        encrypted_content: rest['data'] as string,
        provider_data: { anthropic: { type } },
      };
    case 'tool_use': {
      const { id, name, input, ...others } = rest;
      const extra = Object.keys(others).length > 0 ? { provider_data: { anthropic: others } } : {};
      return {
        type: 'function_call',
        origin,
        call_id: id as string,
        name: name as string,
        arguments: JSON.stringify(input),
        ...extra,
      };
    }
    default:
      return { type: `anthropic:${type}`, origin, blocks: [block] };
  }
}
