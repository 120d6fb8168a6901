import { isFields, type Fields, type ModelEvent, type ResponseEvents } from '@polyrun/core';
import { fieldsOf, numberOf, stringOf } from '@polyrun/core/http';
import { isClosed } from './chunks.ts';

/** A tool call, or a piece of one. */
export type CallPiece = { index: number | undefined; id: string; name: string; args: string };

/** Reads an entry of `tool_calls`; `undefined` when nothing is in it. Arguments may be text or an object, a missing id may be spelled `null`. */
export function callPiece(entry: Fields): CallPiece | undefined {
  const { index, id, function: called } = entry;
  const { name, arguments: args } = fieldsOf(called ?? entry);
  const piece: CallPiece = {
    index: numberOf(index),
    id: id === 'null' ? '' : stringOf(id),
    name: stringOf(name),
    args: isFields(args) ? JSON.stringify(args) : stringOf(args),
  };
  return piece.id + piece.name + piece.args === '' ? undefined : piece;
}

type Slot = CallPiece & { told: number | undefined };

/** Puts the tool calls of one streamed message together: Mistral's own come whole, those of other models that it serves in pieces. */
export class ToolCalls {
  readonly #slots: Slot[] = [];

  /** Takes one entry of a delta's `tool_calls`. */
  add(entry: Fields): void {
    const piece = callPiece(entry);
    if (!piece) return;
    const slot = this.#slotOf(piece);
    if (!slot) {
      this.#slots.push({ ...piece, told: undefined });
      return;
    }
    slot.id ||= piece.id;
    slot.name ||= piece.name;
    if (slot.args !== piece.args || !isClosed(piece.args)) slot.args += piece.args;
  }

  /** What is new since the last time. Calls are told in order, each once its name is there; `place` tells those of several messages apart. */
  tell(events: ResponseEvents, place: number): ModelEvent[] {
    const told: ModelEvent[] = [];
    for (const [key, slot] of this.#slots.entries()) {
      if (slot.name === '') break;
      const name = `${place}/${key}`;
      if (slot.told === undefined) told.push(...events.call(name, { callId: slot.id, name: slot.name }));
      told.push(...events.callArguments(name, slot.args.slice(slot.told ?? 0)));
      slot.told = slot.args.length;
    }
    return told;
  }

  /** The calls as an unstreamed reply would hold them. */
  entries(): Fields[] {
    return this.#slots.map(({ id, name, args }, index) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
      index,
    }));
  }

  /** The call that a piece continues; `undefined` when it begins one. Every call may be numbered 0, so that ids and names tell more than numbers. */
  #slotOf({ index, id, name }: CallPiece): Slot | undefined {
    if (id !== '') {
      const named = this.#slots.find((slot) => slot.id === id);
      if (named) return named;
    }
    const slot = this.#slots.findLast((known) => index === undefined || known.index === index);
    const another = slot && ((id !== '' && slot.id !== '') || (name !== '' && slot.name !== '' && isClosed(slot.args)));
    return another ? undefined : slot;
  }
}
