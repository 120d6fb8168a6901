import { answerKinds, answerTo } from '../protocol/answers.ts';
import type { Item } from '../protocol/items.ts';
import type { Adaptation } from '../protocol/response.ts';

const outputKinds: ReadonlySet<string> = new Set(['function_call_output', ...Object.values(answerKinds)]);

/** The output that stands for a call which never got one. */
export const missingOutput = 'No output: this call was not completed.';

type Call = { item: Item; callId: string; output: Item | undefined };

/**
 * Gives every call exactly one output, right after the model's own items among which the call stands, and every output its call.
 * Returns the same array when all is well, which costs one pass.
 */
export function pair(items: readonly Item[], report: (adaptation: Adaptation) => void): readonly Item[] {
  if (isPaired(items)) return items;
  const calls = matchOutputs(items, report);
  const paired: Item[] = [];
  let next = 0;
  let answered = 0;
  const answer = () => {
    for (const call of calls.slice(answered, next)) paired.push(outputOf(call, report));
    answered = next;
  };
  for (const item of items) {
    if (outputKinds.has(item.type)) continue;
    if (!isModelItem(item)) answer();
    const call = isCall(item) ? calls[next++] : undefined;
    paired.push(call ? withCallId(item, call.callId) : item);
  }
  answer();
  return paired;
}

/** The outputs whose calls are elsewhere. */
export function outputsApart(items: readonly Item[]): ReadonlySet<Item> {
  const calls = new Set(items.filter(isCall).map(callIdOf));
  return new Set(items.filter((item) => outputKinds.has(item.type) && !calls.has(callIdOf(item))));
}

/** True when each call is answered once, after it and before anything that the model did not say. */
function isPaired(items: readonly Item[]): boolean {
  const open = new Set<string>();
  const seen = new Set<string>();
  let answering = false;
  for (const item of items) {
    if (isCall(item)) {
      const callId = callIdOf(item);
      if ((answering && open.size > 0) || seen.has(callId) || callId === '') return false;
      answering = false;
      seen.add(callId);
      open.add(callId);
    } else if (outputKinds.has(item.type)) {
      answering = true;
      if (!open.delete(callIdOf(item))) return false;
    } else if (open.size > 0 && (answering || !isModelItem(item))) return false;
    else answering = false;
  }
  return open.size === 0;
}

/** The calls in order, each with its output: the n-th call of an id takes the n-th output of it that stands behind the call. */
function matchOutputs(items: readonly Item[], report: (adaptation: Adaptation) => void): Call[] {
  const calls: Call[] = [];
  const waiting = new Map<string, Call[]>();
  const taken = new Set<string>();
  for (const item of items) {
    const id = callIdOf(item);
    if (isCall(item)) {
      const call: Call = { item, callId: uniqueId(id, taken), output: undefined };
      calls.push(call);
      const queue = waiting.get(id);
      if (queue) queue.push(call);
      else waiting.set(id, [call]);
    } else if (outputKinds.has(item.type)) {
      const call = waiting.get(id)?.shift();
      if (call) call.output = item;
      else report({ type: 'dropped_item', name: item.type, detail: `no call ${id} stands before this output` });
    }
  }
  return calls;
}

function uniqueId(given: string, taken: Set<string>): string {
  let id = given;
  for (let n = 2; id === '' || taken.has(id); n++) id = `${given === '' ? 'call' : given}_${n}`;
  taken.add(id);
  return id;
}

function outputOf({ item, callId, output }: Call, report: (adaptation: Adaptation) => void): Item {
  if (output) return withCallId(output, callId);
  report({
    type: 'other',
    name: item.type,
    detail: `call ${callId} has no output; the model is told that it was not completed`,
  });
  return answerTo(item, callId, missingOutput);
}

/** True for items that ask the client for an output. */
export function isCall(item: Item): boolean {
  return item.type === 'function_call' || Object.hasOwn(answerKinds, item.type);
}

function isModelItem(item: Item): boolean {
  return item.type === 'message' ? item.role === 'assistant' : item.type !== 'function_call_output';
}

function withCallId(item: Item, callId: string): Item {
  if (callIdOf(item) === callId) return item;
  switch (item.type) {
    case 'message':
    case 'reasoning':
      return item;
    case 'function_call':
    case 'function_call_output':
      return { ...item, call_id: callId };
    default:
      return { ...item, call_id: callId };
  }
}

function callIdOf(item: Item): string {
  return 'call_id' in item && typeof item.call_id === 'string' ? item.call_id : '';
}
