import { ModelError } from '../../errors.ts';
import type { CallContext, Model } from '../../model/model.ts';
import type { ModelEvent } from '../../protocol/events.ts';
import type { OutputItem } from '../../protocol/items.ts';
import { parseJson } from '../../protocol/json.ts';
import type { ModelRequest } from '../../protocol/request.ts';
import type { ModelResponse } from '../../protocol/response.ts';
import { canonical } from '../compare.ts';

/** What came of one call of a model: a response or an error, and the events on the way. */
export type Outcome = {
  readonly response: ModelResponse | undefined;
  readonly error: unknown;
  readonly events: readonly ModelEvent[];
};
/** A call to make. */
export type Ask = {
  readonly request?: ModelRequest;
  readonly call?: CallContext;
  /** Sees each event of a stream as it comes. */
  readonly onEvent?: () => void;
};

/** The plainest request there is. */
export const hello: ModelRequest = {
  input: [{ type: 'message', role: 'user', content: 'Hello' }],
  tools: [],
  settings: {},
};

/** Calls `getResponse`. */
export async function whole(model: Model, { request = hello, call }: Ask = {}): Promise<Outcome> {
  try {
    return { response: await model.getResponse(request, call), error: undefined, events: [] };
  } catch (error) {
    return { response: undefined, error, events: [] };
  }
}

/** Calls `streamResponse` and reads it to its end. */
export async function streamed(model: Model, { request = hello, call, onEvent }: Ask = {}): Promise<Outcome> {
  const events: ModelEvent[] = [];
  let response: ModelResponse | undefined;
  try {
    for await (const event of model.streamResponse(request, call)) {
      events.push(event);
      onEvent?.();
      if (event.type === 'polyrun:response_done') response = event.response;
    }
    return { response, error: undefined, events };
  } catch (error) {
    return { response, error, events };
  }
}

/** What two readings of the same answer must agree on: everything but what the carrying of it tells. */
export function gist({ response, error }: Outcome): string {
  if (!response) return `an error, ${nameOf(error)}`;
  const { output, usage, stop, model } = response;
  return canonical({ model, stop, usage, output: output.map(asRead) });
}

/** Without its id; arguments as what they mean, for wires that stream as a text what they else send as an object. */
function asRead({ id: _, ...item }: OutputItem): object {
  return item.type === 'function_call' ? { ...item, arguments: parseJson(item.arguments) ?? item.arguments } : item;
}

/** An error in one line. */
export function nameOf(error: unknown): string {
  if (error instanceof ModelError) return `ModelError '${error.kind}': ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : `no error (${String(error)})`;
}

/** Does one thing after the other, several at a time. */
export async function inTurn<T, R>(values: readonly T[], make: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = [...values.entries()].toReversed();
  const worker = async () => {
    for (let next = left.pop(); next; next = left.pop()) results[next[0]] = await make(next[1]);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return results;
}

/** The promise, or a failure once it takes longer than any adapter should. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`expected ${what} within 5 seconds, got nothing`)), 5000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A value in one line, cut where it gets long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : canonical(value);
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text;
}

/** The first place at which two texts part, with what each says there. */
export function apart(got: string, wanted: string): string {
  let at = 0;
  while (at < got.length && got[at] === wanted[at]) at++;
  const from = Math.max(0, at - 60);
  const cut = (text: string) => `${from > 0 ? '…' : ''}${text.slice(from, at + 120)}`;
  return `expected ${cut(wanted)}, got ${cut(got)}`;
}
