import { isFields, parseJson, type ModelEvent, type ProviderItem, type ResponseEvents } from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { fieldsOf, given, listOf, numberOf, stringOf } from '@polyrun/core/http';

/** A tool call, or a piece of one, whatever dialect wrote it. `type`: what is called, by which `args` are JSON or any text. */
export type CallPiece = {
  type: 'function' | 'custom';
  index: number | undefined;
  id: string;
  name: string;
  args: string;
  extra: unknown;
};

type Slot = CallPiece & { key: number; announced: boolean; emitted: number };

/** The entries of a message's or a delta's `tool_calls`, a legacy `function_call` among them. */
export function callsIn({ tool_calls, function_call }: Fields): readonly Fields[] {
  return [...listOf(tool_calls), ...(function_call ? [{ index: -1, function: function_call }] : [])];
}

/** Reads an entry of `tool_calls`; `undefined` when nothing is in it. Arguments may be text, an object, null or missing. */
export function callPiece(entry: Fields): CallPiece | undefined {
  const { index, id, function: called, custom, extra_content } = entry;
  // Cloudflare's calls are flat.
  const { name, input, arguments: args = input } = fieldsOf(called ?? custom ?? entry);
  const piece: CallPiece = {
    // Snowflake writes every field there is, with nothing in those that are not meant.
    type: custom && !called ? 'custom' : 'function',
    index: numberOf(index),
    id: stringOf(id),
    name: stringOf(name),
    args: isFields(args) ? JSON.stringify(args) : stringOf(args),
    extra: extra_content,
  };
  return piece.id + piece.name + piece.args === '' ? undefined : piece;
}

/** A call of a tool that takes any text, as the Responses API has it. */
export function customCall({ id, name, args }: CallPiece, status: ProviderItem['status']): ProviderItem {
  return { type: 'custom_tool_call', ...given({ status }), call_id: id, name, input: args };
}

/** True for arguments that nothing can follow. */
export function isClosed(args: string): boolean {
  return isFields(parseJson(args));
}

/**
 * Puts tool calls together from the pieces of any dialect: with or without index, id or type, the name late or repeated,
 * the arguments whole, piecemeal, repeated or announced as `{}`.
 */
export class ToolCalls {
  readonly #events: ResponseEvents;
  readonly #slots: Slot[] = [];

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** Takes one entry of a delta's `tool_calls`; returns what it makes known. */
  add(entry: Fields): ModelEvent[] {
    const piece = callPiece(entry);
    if (!piece) return [];
    const slot = this.#slotOf(piece);
    if (slot) merge(slot, piece);
    else this.#slots.push({ ...piece, key: this.#slots.length, announced: false, emitted: 0 });
    return this.#tell(false);
  }

  /** What was held back until the end was known. */
  end(): ModelEvent[] {
    return this.#tell(true);
  }

  /** The calls as an unstreamed reply would hold them. */
  entries(): Fields[] {
    return this.#slots.map(({ type, id, name, args, extra }) => ({
      id,
      type,
      [type]: type === 'custom' ? { name, input: args } : { name, arguments: args },
      ...given({ extra_content: extra }),
    }));
  }

  /** The call that a piece continues; `undefined` when it begins one. */
  #slotOf(piece: CallPiece): Slot | undefined {
    const { index, id } = piece;
    const slot = this.#slots.findLast((known) =>
      index === undefined ? id === '' || known.id === id : known.index === index,
    );
    return slot && isAnother(slot, piece) ? undefined : slot;
  }

  /** Announces calls in order, each once its name cannot grow any more, and passes on their arguments. */
  #tell(ended: boolean): ModelEvent[] {
    const told: ModelEvent[] = [];
    for (const slot of this.#slots) {
      const { type, key, name, args } = slot;
      // `{}` may be a placeholder that the real arguments replace.
      const held = !ended && (args === '' || args === '{}');
      // There are no events for pieces of a free text.
      const open = type === 'custom' || name === '' || (held && key === this.#slots.length - 1);
      if (!slot.announced && open && !ended) break;
      if (!slot.announced) told.push(...this.#announced(slot));
      slot.announced = true;
      if (held) continue;
      told.push(...this.#events.callArguments(key, args.slice(slot.emitted)));
      slot.emitted = args.length;
    }
    return told;
  }

  #announced(slot: Slot): readonly ModelEvent[] {
    const { type, key, id: callId, name } = slot;
    if (type === 'custom') return this.#events.item(customCall(slot, 'in_progress'));
    return this.#events.call(key, { callId, name });
  }
}

/** Some servers number every call 0 and tell them apart by id; others send whole calls, without number or id or both. */
function isAnother(slot: Slot, { index, id, name, args }: CallPiece): boolean {
  if (name === '' || slot.name === '') return false;
  if (index !== undefined && id !== '' && slot.id !== '') return id !== slot.id;
  const other = name !== slot.name || (args !== slot.args && args !== '' && slot.args !== '{}');
  return isClosed(slot.args) && (other || (index === undefined && id === ''));
}

function merge(slot: Slot, { id, name, args, extra }: CallPiece): void {
  slot.id ||= id;
  slot.extra = extra ?? slot.extra;
  if (!slot.announced && name !== slot.name) slot.name = name.startsWith(slot.name) ? name : slot.name + name;
  if (slot.args === args && isClosed(args)) return;
  const placeholder = slot.args === '{}' && slot.emitted === 0 && args !== '';
  slot.args = placeholder ? args : slot.args + args;
}
