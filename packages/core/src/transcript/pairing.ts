import { answerKinds, answerTo } from '../protocol/answers.ts';
import type { Item } from '../protocol/items.ts';
import type { Adaptation } from '../protocol/response.ts';
import { isProviderItem } from '../protocol/validate.ts';
import { CallIds } from './call-ids.ts';
import { asEdited, editIn } from './edits.ts';
import { oncePerItem } from './once.ts';

export type Report = (type: Adaptation['type'], name: string, detail: string) => void;

const clientOutputs: ReadonlySet<string> = new Set(Object.values(answerKinds));

/** True for what answers a call. */
export function isOutput(item: Item): boolean {
  return item.type === 'function_call_output' || (isProviderItem(item) && clientOutputs.has(item.type));
}

/** True for a call that the client answers, other than a function call. */
export function isClientCall(item: Item): boolean {
  return isProviderItem(item) && Object.hasOwn(answerKinds, item.type);
}

/** True for what the model itself said or did. */
export function isModels(item: Item): boolean {
  return item.type !== 'message' || item.role === 'assistant';
}

/**
 * Gives every call exactly one output, and shows calls as they ran. Outputs stand in the order of their calls, right behind the
 * model's own items among which the calls stand; one that comes later is brought there. Of several calls of one id, the newest takes
 * the next output. `delta`: outputs whose calls are elsewhere come first, else they are left out.
 *
 * What it makes of an item is the same object the next time.
 */
export function pairing(): (items: readonly Item[], report: Report, delta?: boolean) => Item[] {
  const remake: Remake = {
    renamed: oncePerItem((item, id) => ({ ...item, call_id: id })),
    edited: oncePerItem(asEdited),
    unanswered: oncePerItem((call, id) => answerTo(call, id, 'No output: this call was not completed.')),
  };
  return (items, report, delta = false) => {
    const pairs = new Pairs(remake, report);
    for (const item of items) pairs.add(item);
    return pairs.end(delta);
  };
}

type Remake = { readonly [how in 'renamed' | 'edited' | 'unanswered']: (item: Item, key: string) => Item };
/** A call with the id that it goes by, which output it asked for, and where both stand. */
type Call = {
  readonly item: Item;
  readonly asks: string;
  readonly at: number;
  output: Item | undefined;
  outputAt: number | undefined;
};

class Pairs {
  readonly #remake: Remake;
  readonly #report: Report;
  readonly #paired: Item[] = [];
  readonly #orphans: Item[] = [];
  readonly #ids = new CallIds();
  /** Calls whose place for outputs has passed without one, by what they asked for. */
  readonly #left = new Map<string, Call>();
  /** Calls whose outputs may come now, and how many have. */
  #group: Call[] = [];
  #outputs = 0;
  #answering = false;
  #shuffled = false;

  constructor(remake: Remake, report: Report) {
    this.#remake = remake;
    this.#report = report;
  }

  add(item: Item): void {
    this.#answering = isOutput(item) ? this.#answer(item) : this.#place(item);
  }

  end(delta: boolean): Item[] {
    this.#close();
    for (const call of this.#left.values()) this.#give(call);
    if (delta) return [...this.#orphans, ...this.#paired];
    for (const { type } of this.#orphans) this.#report('dropped_item', type, 'no call stands before this output');
    return this.#paired;
  }

  #place(item: Item): false {
    if (this.#group.length > 0 && (this.#answering || !isModels(item))) this.#close();
    if (item.type !== 'function_call' && !isClientCall(item)) this.#paired.push(item);
    else {
      const asks = askedFor(item, answerKinds[item.type]);
      const earlier = this.#left.get(asks);
      if (earlier) this.#give(earlier);
      const call = this.#withId(item, this.#ids.next(callIdOf(item)));
      this.#group.push({ item: call, asks, at: this.#paired.length, output: undefined, outputAt: undefined });
      this.#paired.push(call);
    }
    return false;
  }

  #answer(output: Item): true {
    const asks = askedFor(output, output.type);
    const next = this.#group[this.#outputs];
    const waits = (call: Call) => call.asks === asks && !call.output;
    const call = next && waits(next) ? next : (this.#group.find(waits) ?? this.#left.get(asks));
    if (!call) return this.#orphans.push(output) > 0 || true;
    const { item, outputAt } = call;
    const id = callIdOf(item);
    call.output = this.#withId(output, id);
    const edit = editIn(output);
    if (edit !== undefined) this.#paired[call.at] = this.#remake.edited(item, edit);
    if (outputAt === undefined) {
      this.#shuffled ||= call !== next;
      this.#outputs++;
      return true;
    }
    this.#paired[outputAt] = call.output;
    this.#left.delete(asks);
    this.#report('other', output.type, `of call ${id}: it came late, earlier requests were told that there is none`);
    return true;
  }

  /** Puts the outputs of the open group in place. */
  #close(): void {
    if (this.#shuffled) this.#report('other', 'function_call_output', 'outputs are put in the order of their calls');
    for (const call of this.#group) {
      call.outputAt = this.#paired.length;
      this.#paired.push(call.output ?? this.#remake.unanswered(call.item, callIdOf(call.item)));
      if (!call.output) this.#left.set(call.asks, call);
    }
    this.#group = [];
    this.#outputs = 0;
    this.#shuffled = false;
  }

  /** No output of this call will come. */
  #give({ asks, item }: Call): void {
    this.#left.delete(asks);
    this.#report('other', item.type, `call ${callIdOf(item)} has no output; the model is told so`);
  }

  #withId(item: Item, id: string): Item {
    return callIdOf(item) === id ? item : this.#remake.renamed(item, id);
  }
}

/** What ties an output to its call: the id that both came with, and the kind of the output. */
function askedFor(item: Item, kind = 'function_call_output'): string {
  const id = callIdOf(item);
  return kind === 'function_call_output' ? id : `${kind}\n${id}`;
}

function callIdOf(item: Item): string {
  return 'call_id' in item && typeof item.call_id === 'string' ? item.call_id : '';
}
