import {
  addUsage,
  type FunctionCallItem,
  type InputItem,
  type Item,
  type Model,
  type ModelEvent,
  type ModelRequest,
  type ModelResponse,
  type Usage,
} from '@polyrun/core';

/** What one writes by hand for one agent with tools. */
export type Program = {
  readonly model: Model;
  readonly request: Omit<ModelRequest, 'input'>;
  readonly tools: { readonly [name: string]: (args: { city: string }) => string | Promise<string> };
};

/** The loop that one writes without a library: ask the model, run its calls side by side, append, again. */
export async function handWritten(program: Program, input: readonly Item[]): Promise<{ text: string; items: Item[] }> {
  const { model, request, tools } = program;
  const items = [...input];
  let usage: Usage | undefined;
  for (;;) {
    const response = await model.getResponse({ ...request, input: items });
    usage = usage ? addUsage(usage, response.usage) : response.usage;
    items.push(...response.output);
    const calls = response.output.filter((item): item is FunctionCallItem => item.type === 'function_call');
    if (calls.length === 0) return { text: textIn(response), items };
    const outputs = calls.map((call) => tools[call.name]?.(JSON.parse(call.arguments)) ?? 'There is no such tool.');
    for (const [index, { call_id }] of calls.entries())
      items.push({ type: 'function_call_output', call_id, output: (await outputs[index]) ?? '' });
  }
}

/** The streamed one, for an answer without calls: each event is handed over to the consumer as it comes. */
export async function* handWrittenStream(program: Program, input: readonly InputItem[]): AsyncGenerator<ModelEvent> {
  const { model, request } = program;
  const items: Item[] = input.map((item): Item => (item.type === undefined ? { ...item, type: 'message' } : item));
  for await (const event of model.streamResponse({ ...request, input: items })) {
    if (event.type === 'polyrun:response_done') items.push(...event.response.output);
    yield event;
  }
}

function textIn({ output }: ModelResponse): string {
  const message = output.findLast((item) => item.type === 'message');
  const part = typeof message?.content === 'string' ? undefined : message?.content[0];
  return part?.type === 'output_text' ? part.text : '';
}
