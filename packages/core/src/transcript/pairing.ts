import { answerKinds, answerTo } from '../protocol/answers.ts';
import type { Item } from '../protocol/items.ts';
import type { Adaptation } from '../protocol/response.ts';
import { CallIds } from './call-ids.ts';

const outputKinds: ReadonlySet<string> = new Set(['function_call_output', ...Object.values(answerKinds)]);

/**
 * Gives every call exactly one output: the n-th call of an id takes the n-th output of it that stands behind the call. Outputs stand right
 * after the model's own items among which their calls stand. `delta`: outputs whose calls are elsewhere come first, else they are left out.
 */
export function pair(items: readonly Item[], report: (adaptation: Adaptation) => void, delta = false): Item[] {
  const orphans: Item[] = [];
  const paired: (Item | Call)[] = [];
  const open: Call[] = [];
  const calls = new Calls();
  let answering = false;
  for (const item of items) {
    if (outputKinds.has(item.type)) {
      answering = true;
      if (!calls.answer(item)) orphans.push(item);
      continue;
    }
    if (answering || !isModels(item)) paired.push(...open.splice(0));
    answering = false;
    const call = calls.add(item);
    if (call) open.push(call);
    paired.push(call?.item ?? item);
  }
  paired.push(...open);
  const whole = paired.map((entry) => (entry instanceof Call ? entry.outputOr(report) : entry));
  if (delta) return [...orphans, ...whole];
  for (const { type } of orphans)
    report({ type: 'dropped_item', name: type, detail: 'no call stands before this output' });
  return whole;
}

/** A call under an id of its own, and its output once that was found. */
class Call {
  readonly item: Item;
  output: Item | undefined;

  constructor(item: Item) {
    this.item = item;
  }

  outputOr(report: (adaptation: Adaptation) => void): Item {
    const { item, output } = this;
    const callId = callIdOf(item);
    if (output) return withCallId(output, callId);
    report({ type: 'other', name: item.type, detail: `call ${callId} has no output; the model is told so` });
    return answerTo(item, callId, 'No output: this call was not completed.');
  }
}

/** The calls of a conversation, by the ids that they came with. */
class Calls {
  readonly #ids = new CallIds([]);
  readonly #waiting = new Map<string, Call[]>();

  /** The call that an item is; `undefined` when it asks the client for no output. */
  add(item: Item): Call | undefined {
    if (item.type !== 'function_call' && !Object.hasOwn(answerKinds, item.type)) return undefined;
    const given = callIdOf(item);
    const call = new Call(withCallId(item, this.#ids.next(given)));
    this.#waiting.set(given, [...(this.#waiting.get(given) ?? []), call]);
    return call;
  }

  /** False when no call waits for this output. */
  answer(output: Item): boolean {
    const call = this.#waiting.get(callIdOf(output))?.shift();
    if (call) call.output = output;
    return call !== undefined;
  }
}

function isModels(item: Item): boolean {
  return item.type !== 'message' || item.role === 'assistant';
}

function withCallId(item: Item, callId: string): Item {
  if (item.type === 'message' || item.type === 'reasoning' || callIdOf(item) === callId) return item;
  return { ...item, call_id: callId };
}

function callIdOf(item: Item): string {
  return 'call_id' in item && typeof item.call_id === 'string' ? item.call_id : '';
}
