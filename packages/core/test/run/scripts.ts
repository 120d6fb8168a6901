import {
  usageOf,
  type Item,
  type ModelRequest,
  type ModelResponse,
  type OutputItem,
  type RunItem,
  type StopType,
} from '../../src/index.ts';

/** A whole model response, for tests that need a stop, a usage or an id of their own. */
export function response(
  output: readonly OutputItem[],
  more: Partial<Omit<ModelResponse, 'stop'>> & { stop?: StopType } = {},
): ModelResponse {
  const { stop = 'end', ...rest } = more;
  return {
    model: 'scripted-model',
    output,
    usage: usageOf({ inputTokens: 10, outputTokens: 5 }),
    adaptations: [],
    ...rest,
    stop: { type: stop, raw: stop },
  };
}

/** The outputs of tools in a list of items, by call id. */
export function outputsIn(items: readonly Item[]): Record<string, unknown> {
  return Object.fromEntries(
    items.flatMap((item) => (item.type === 'function_call_output' ? [[item.call_id, item.output]] : [])),
  );
}

/** The call ids of the outputs, in their order. */
export function orderOf(items: readonly Item[]): string[] {
  return items.flatMap((item) => (item.type === 'function_call_output' ? [item.call_id] : []));
}

export function toolNames(request: ModelRequest | undefined): string[] {
  return (request?.tools ?? []).map((spec) =>
    'name' in spec && typeof spec.name === 'string' ? spec.name : spec.type,
  );
}

/** Run items as short words: their type, and the call or text that they are about. */
export function brief(items: readonly RunItem[]): string[] {
  return items.map((item) => {
    switch (item.type) {
      case 'message_output_item':
        return `message ${item.text}`;
      case 'tool_call_item':
        return `call ${item.toolName}`;
      case 'handoff_call_item':
        return `handoff call ${item.to.name}`;
      case 'handoff_output_item':
        return `handoff ${item.from.name} > ${item.to.name}`;
      case 'tool_call_output_item':
        return `output ${item.toolName}`;
      default:
        return item.type;
    }
  });
}

/** What a promise is rejected with. Fails when it is not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`Expected a rejection, got ${JSON.stringify(value)}.`);
}

/** A promise and the ways to settle it. */
export function latch<T = void>(): { promise: Promise<T>; open: (value: T) => void; break: (error: unknown) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return { promise, open: resolve, break: reject };
}
