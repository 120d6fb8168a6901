import type { ModelEvent } from '../protocol/events.ts';
import type { MessageItem, OutputItem, OutputText } from '../protocol/items.ts';
import { isFields } from '../protocol/json.ts';
import type { ModelRequest, OutputSpec } from '../protocol/request.ts';
import type { Adaptation, ModelResponse } from '../protocol/response.ts';
import type { Capabilities } from './capabilities.ts';

/** A request as a model is asked it. `tool`: the answer comes as the arguments of this tool. */
export type Asked = { request: ModelRequest; adaptations: readonly Adaptation[]; tool?: string };

/**
 * Asks for an answer of a shape in the way that the model can: natively; else by a tool that takes the answer, which the model must call
 * when it calls no other; else in words. An adaptation tells which, unless it is natively with all that was asked.
 */
export function askForOutput(request: ModelRequest, capabilities: Capabilities): Asked {
  const { output, ...rest } = request;
  const { structuredOutput: native = 'with_tools' } = capabilities;
  const { toolChoice = 'auto' } = rest.settings;
  if (!output || native === 'with_tools') return { request, adaptations: [] };
  if (native === 'without_tools') {
    if (rest.tools.length === 0) return { request, adaptations: [] };
    if (toolChoice === 'none') return told('native', 'without the tools', { ...request, tools: [] });
  }
  if (!isObject(output) || !canBeForced(capabilities))
    return told('prompted', 'by the instructions', inWords(rest, output, capabilities));
  if (toolChoice === 'none') return withTool({ ...rest, tools: [] }, output);
  if (toolChoice === 'auto') return withTool(rest, output);
  // What follows is to be a call of another tool: with the output tool at hand, the model might take that.
  return told('output_tool', 'not while another tool must be called', rest);
}

function canBeForced({ tools, forcedToolChoice }: Capabilities): boolean {
  return tools !== false && forcedToolChoice !== false;
}

function isObject({ schema }: OutputSpec): boolean {
  return isFields(schema) && schema['type'] === 'object';
}

/** JSON mode would keep the model from calling tools, and knows only objects. */
function inWords(request: ModelRequest, output: OutputSpec, { jsonMode }: Capabilities): ModelRequest {
  const { name, schema } = output;
  const words = `Answer with nothing but JSON that obeys this JSON Schema:\n${JSON.stringify(schema)}`;
  const instructions = request.instructions ? `${request.instructions}\n\n${words}` : words;
  const json = jsonMode && request.tools.length === 0 && isObject(output);
  return { ...request, instructions, ...(json && { output: { name, schema: true, strict: false } }) };
}

function withTool(request: ModelRequest, { schema, strict }: OutputSpec): Asked {
  const { tools, settings } = request;
  let tool = 'final_output';
  while (tools.some(({ name }) => name === tool)) tool += '_';
  const description = 'Takes your final answer. Call it alone, once you need no other tool.';
  return {
    ...told('output_tool', 'as the arguments of a tool', {
      ...request,
      tools: [...tools, { type: 'function', name: tool, description, parameters: schema, strict }],
      settings: { ...settings, toolChoice: 'required' },
    }),
    tool,
  };
}

function told(name: string, detail: string, request: ModelRequest): Asked {
  return { request, adaptations: [{ type: 'output_strategy', name, detail }] };
}

/** A response in which calls of the output tool are the messages that they stand for. */
export function outputAsMessage<R extends Pick<ModelResponse, 'output' | 'stop'>>(response: R, tool: string): R {
  const output = response.output.map((item): OutputItem =>
    isCallOf(item, tool) ? messageOf([textOf(item.arguments)], item.status) : item,
  );
  const { type, raw } = response.stop;
  const ended = type === 'tool_calls' && !output.some((item) => item.type === 'function_call');
  return { ...response, output, stop: { type: ended ? 'end' : type, raw } };
}

/** The same for the events of a stream. Who completes it supplies what is left out: its frame, and the ends of what it shows. */
export function outputAsText(tool: string): (event: ModelEvent) => readonly ModelEvent[] {
  const places = new Set<number>();
  return (event) => {
    if ('response' in event) return [];
    if (!('output_index' in event)) return [event];
    const { output_index } = event;
    if ('item' in event && isCallOf(event.item, tool) && !places.has(output_index)) {
      places.add(output_index);
      const { id = `item_${output_index}` } = event.item;
      const at = { sequence_number: 0, output_index, item_id: id, content_index: 0 };
      return [
        { ...event, item: { ...messageOf([], 'in_progress'), id } },
        { ...at, type: 'response.content_part.added', part: textOf('') },
      ];
    }
    if (!places.has(output_index)) return [event];
    return 'delta' in event ? [{ ...event, type: 'response.output_text.delta', content_index: 0 }] : [];
  };
}

function isCallOf(item: OutputItem, tool: string): item is Extract<OutputItem, { type: 'function_call' }> {
  return item.type === 'function_call' && item.name === tool;
}

function messageOf(content: readonly OutputText[], status: MessageItem['status'] = 'completed'): MessageItem {
  return { type: 'message', role: 'assistant', status, content };
}

function textOf(text: string): OutputText {
  return { type: 'output_text', text, annotations: [] };
}
