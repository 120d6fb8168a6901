import {
  isFields,
  usageOf,
  type Fields,
  type FunctionCallItem,
  type MessageItem,
  type ModelResponse,
  type StopType,
} from '@polyrun/core';
import { given, notAReply } from '@polyrun/core/http';
import type { Destination } from './target.ts';
import { todo } from './todo.ts';
import type { Reply } from './wire.ts';

/** What an answer says; `undefined` and `''` are what it does not say. */
type Told = {
  readonly id: string | undefined;
  readonly model: string;
  readonly text: string;
  /** The calls with their ids, `''` where the wire has none; `arguments` is JSON as text. */
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** Tokens, cached ones counted as input. */
  readonly usage: Parameters<typeof usageOf>[0];
  /** Why it ended, in the provider's word. */
  readonly stop: string;
};

/** Words for the end that say more than the content does; all others follow it. */
const stops: { readonly [word: string]: StopType } = {};

/** Reads an answer, streamed or not. Throws a `ModelError` for what is none. */
export function decodeReply({ data, requestId }: Reply, { model }: Destination): Omit<ModelResponse, 'adaptations'> {
  const told = isFields(data) ? toldBy(data) : undefined;
  if (!told) throw notAReply('nothing is said in it', requestId);
  const { id, text, stop } = told;
  const calls = told.calls.map((call): FunctionCallItem => ({
    type: 'function_call',
    status: 'completed',
    call_id: call.id,
    name: call.name,
    arguments: call.arguments,
  }));
  const content = [{ type: 'output_text', text, annotations: [] } as const];
  const said: MessageItem = { type: 'message', role: 'assistant', status: 'completed', content };
  return {
    ...given({ id, requestId }),
    model: told.model || model,
    output: [...(text === '' ? [] : [said]), ...calls],
    usage: usageOf(told.usage),
    stop: { type: stops[stop] ?? (calls.length > 0 ? 'tool_calls' : 'end'), raw: stop || null },
  };
}

/** `undefined` for what is no answer of a model. */
function toldBy(data: Fields): Told | undefined {
  return todo('src/decode.ts, toldBy: where an answer holds its text, calls, usage and stop', data);
}
