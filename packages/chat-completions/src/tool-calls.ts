import { isFields, parseJson, type ModelEvent, type ResponseEvents } from '@polyrun/core';
import { fieldsOf, numberOf, textOf, type Fields } from './wire.ts';

/** A tool call, or a piece of one, whatever dialect wrote it. */
export type CallPiece = { index: number | undefined; id: string; name: string; arguments: string; extra: unknown };

type Slot = CallPiece & { key: number; announced: boolean; emitted: number };

/** Reads an entry of `tool_calls`; `undefined` when nothing is in it. Arguments may be text, an object, null or missing. */
export function callPiece(entry: unknown): CallPiece | undefined {
  const fields = fieldsOf(entry);
  const { name, arguments: args } = fieldsOf(fields['function']);
  const piece: CallPiece = {
    index: numberOf(fields['index']),
    id: textOf(fields['id']),
    name: textOf(name),
    arguments: isFields(args) ? JSON.stringify(args) : textOf(args),
    extra: fields['extra_content'],
  };
  return piece.id === '' && piece.name === '' && piece.arguments === '' ? undefined : piece;
}

/**
 * Puts tool calls together from the pieces of any dialect: with or without index, id or type, the name late or repeated,
 * the arguments whole, piecemeal, repeated or announced as `{}`. A call never leaves it before the whole reply has ended.
 */
export class ToolCalls {
  readonly #events: ResponseEvents;
  readonly #slots: Slot[] = [];
  readonly #byIndex = new Map<number, Slot>();

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** Takes one entry of a delta's `tool_calls`; returns what it makes known. */
  add(entry: unknown): ModelEvent[] {
    const piece = callPiece(entry);
    if (!piece) return [];
    const slot = this.#slotOf(piece);
    if (slot === undefined) this.#open(piece);
    else merge(slot, piece);
    return this.#tell(false);
  }

  /** What was held back until the end was known. */
  end(): ModelEvent[] {
    return this.#tell(true);
  }

  /** The calls as an unstreamed reply would hold them. */
  entries(): Fields[] {
    return this.#slots.map(({ id, name, arguments: args, extra }) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
      ...(extra === undefined ? {} : { extra_content: extra }),
    }));
  }

  #slotOf(piece: CallPiece): Slot | undefined {
    if (piece.index !== undefined) {
      const slot = this.#byIndex.get(piece.index);
      // Some servers number every call 0 and tell them apart by id alone.
      const another = slot && piece.name !== '' && piece.id !== '' && slot.id !== '' && slot.id !== piece.id;
      return another ? undefined : slot;
    }
    const slot = piece.id === '' ? this.#slots.at(-1) : this.#slots.findLast(({ id }) => id === piece.id);
    const repeated = slot && piece.id !== '' && slot.arguments === piece.arguments;
    const another = slot && !repeated && piece.name !== '' && slot.name !== '' && isWhole(slot.arguments);
    return another ? undefined : slot;
  }

  #open(piece: CallPiece): void {
    const slot: Slot = { ...piece, key: this.#slots.length, announced: false, emitted: 0 };
    this.#slots.push(slot);
    if (piece.index !== undefined) this.#byIndex.set(piece.index, slot);
  }

  /** Announces calls in order, each once its name cannot grow any more, and passes on their arguments. */
  #tell(ended: boolean): ModelEvent[] {
    const told: ModelEvent[] = [];
    for (const slot of this.#slots) {
      // `{}` may be a placeholder that the real arguments replace.
      const held = !ended && (slot.arguments === '' || slot.arguments === '{}');
      const nameOpen = held && slot.key === this.#slots.length - 1;
      if (!slot.announced && !ended && (slot.name === '' || nameOpen)) break;
      if (!slot.announced) told.push(...this.#events.call(slot.key, { callId: slot.id, name: slot.name }));
      slot.announced = true;
      if (held || slot.emitted === slot.arguments.length) continue;
      told.push(...this.#events.callArguments(slot.key, slot.arguments.slice(slot.emitted)));
      slot.emitted = slot.arguments.length;
    }
    return told;
  }
}

function merge(slot: Slot, piece: CallPiece): void {
  if (slot.id === '') slot.id = piece.id;
  slot.extra = piece.extra ?? slot.extra;
  if (!slot.announced && piece.name !== slot.name)
    slot.name = piece.name.startsWith(slot.name) ? piece.name : slot.name + piece.name;
  if (slot.arguments === piece.arguments && isWhole(slot.arguments)) return;
  if (slot.arguments === '{}' && slot.emitted === 0 && piece.arguments !== '') slot.arguments = piece.arguments;
  else slot.arguments += piece.arguments;
}

/** True for arguments that nothing can follow. */
function isWhole(text: string): boolean {
  return isFields(parseJson(text));
}
