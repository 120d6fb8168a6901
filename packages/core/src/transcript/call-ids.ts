import type { Item } from '../protocol/items.ts';
import { shortHash } from '../protocol/hash.ts';

/**
 * Maps the call ids of one request to ids that a wire accepts: legal ones are kept, others become `prefix` + a hash cut to
 * `length` characters. Deterministic for the same order of calls, and injective: two ids never share a wire id.
 */
export function wireIds(rule: { legal: RegExp; length: number; prefix?: string }): (callId: string) => string {
  const wireOf = new Map<string, string>();
  const taken = new Set<string>();
  return (callId) => {
    const known = wireOf.get(callId);
    if (known !== undefined) return known;
    let wire = callId;
    for (let salt = 0; !rule.legal.test(wire) || taken.has(wire); salt++) {
      const hash = shortHash(salt === 0 ? callId : `${callId}#${salt}`);
      // Some wires take nothing but digits.
      const text = salt % 2 === 0 ? hash : hash.replaceAll(/\D/g, (letter) => `${letter.charCodeAt(0) % 10}`);
      wire = ((rule.prefix ?? '') + text).slice(0, rule.length);
    }
    wireOf.set(callId, wire);
    taken.add(wire);
    return wire;
  };
}

/**
 * Gives calls ids that are unique in their conversation: the provider's own where it is present and new, `call_<n>` otherwise,
 * with n counting the calls of the conversation.
 */
export class CallIds {
  readonly #taken = new Set<string>();
  #conversation: readonly Item[];
  #length: number;
  #seen = 0;

  constructor(conversation: readonly Item[] = []) {
    this.#conversation = conversation;
    this.#length = conversation.length;
  }

  /** Goes on with a conversation that has grown. Each item is looked at once, and none before an id is asked for. */
  in({ items, length }: { readonly items: readonly Item[]; readonly length: number }): this {
    this.#conversation = items;
    this.#length = length;
    return this;
  }

  /** The id under which the next call of the response goes. */
  next(given: string): string {
    for (; this.#seen < this.#length; this.#seen++) this.#see(this.#conversation[this.#seen]);
    let id = given;
    for (let n = this.#taken.size + 1; id === '' || this.#taken.has(id); n++) id = `call_${n}`;
    this.#taken.add(id);
    return id;
  }

  #see(item: Item | undefined): void {
    if (item?.type === 'function_call') this.#taken.add(item.call_id);
  }
}
