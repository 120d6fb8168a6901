import { isFields, toJson, type ModelEvent } from '@polyrun/core';
import type { Fields, OutputItem } from '@polyrun/core';
import { fieldsOf, given, listOf, notAReply, numberOf, stringOf } from '@polyrun/core/http';
import { itemIn } from './items.ts';
import { StreamedItem } from './streamed-item.ts';
import type { Destination } from './target.ts';
import type { Chunk, Reply } from './wire.ts';

/** Passes the events of a stream on, made true to each other where a server is not, and keeps the response that they end in. */
export function accumulateReply(at: Destination): { add(chunk: Chunk): readonly ModelEvent[]; end(): Reply } {
  const reply = new StreamedResponse(at);
  return { add: (chunk) => reply.add(chunk), end: () => reply.end() };
}

class StreamedResponse {
  readonly #at: Destination;
  readonly #items: StreamedItem[] = [];
  #latest = 0;
  #created = false;
  #response: Fields | undefined;
  #requestId: string | undefined;

  constructor(at: Destination) {
    this.#at = at;
  }

  add({ data, whole, requestId }: Chunk): readonly ModelEvent[] {
    this.#requestId ??= requestId;
    // Nothing counts behind the terminal event.
    if (this.#response || !isFields(data)) return [];
    if (whole) {
      this.#response = data;
      return [];
    }
    switch (data['type']) {
      case 'response.created':
        return this.#created ? [] : this.#opened(data);
      case 'response.output_item.added':
        return this.#added(data);
      case 'response.output_item.done':
        return this.#done(this.#indexOf(data), fieldsOf(data['item']));
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return this.#ended(data, data['type']);
      default:
        return this.#other(data);
    }
  }

  end(): Reply {
    const request = given({ requestId: this.#requestId });
    const response = this.#response;
    if (!response) throw notAReply('no terminal event came', this.#requestId, true);
    const final = listOf(response['output']);
    const slots = this.#slots();
    // Some servers leave the output out of the terminal event.
    const output = final.length > 0 ? final.map((item, n) => named(item, slots[n])) : doneIn(slots);
    if (response['status'] === 'completed' && output.length < slots.length && final.length === 0)
      throw notAReply('what was told of an item never ended', this.#requestId, true);
    return { response: output.length > 0 ? { ...response, output } : response, ...request };
  }

  #opened(data: Fields): readonly ModelEvent[] {
    this.#created = true;
    return [{ type: 'response.created', sequence_number: 0, response: toJson(data['response']) }];
  }

  #added(data: Fields): readonly ModelEvent[] {
    const index = this.#indexOf(data);
    return this.#items[index] ? [] : this.#open(index, fieldsOf(data['item']));
  }

  #open(index: number, raw: Fields): readonly ModelEvent[] {
    const item = itemIn(raw, { ...this.#at, cut: false });
    const { id } = this.#slot(index, item.id);
    const status = item.type === 'function_call' ? { status: 'in_progress' as const } : {};
    return [
      {
        type: 'response.output_item.added',
        sequence_number: 0,
        output_index: index,
        item: { ...item, ...status, id },
      },
    ];
  }

  #slot(index: number, id = `item_${index}`): StreamedItem {
    const slot = this.#items[index] ?? new StreamedItem(index, id);
    this.#items[index] = slot;
    this.#latest = index;
    return slot;
  }

  /** What was not told of an item before it is done is told then, by the core. */
  #done(index: number, raw: Fields): readonly ModelEvent[] {
    const whole = itemIn(raw, { ...this.#at, cut: false });
    const slot = this.#slot(index, whole.id);
    if (slot.done) return [];
    slot.done = raw;
    const item: OutputItem = { ...whole, id: slot.id };
    return [
      ...slot.closing(item),
      { type: 'response.output_item.done', sequence_number: 0, output_index: index, item },
    ];
  }

  /** All items are told before the end is, also those that only the terminal event holds. */
  #ended(data: Fields, type: 'response.completed' | 'response.incomplete' | 'response.failed'): readonly ModelEvent[] {
    const response = fieldsOf(data['response']);
    this.#response = response;
    const slots = this.#slots();
    const missing = listOf(response['output']).flatMap((item, n) =>
      this.#done(slots[n]?.index ?? this.#items.length, item),
    );
    return [...missing, { type, sequence_number: 0, response: toJson(response) }];
  }

  #other(data: Fields): readonly ModelEvent[] {
    const type = stringOf(data['type']);
    if (type === 'response.in_progress' || type === 'response.queued')
      return [{ type, sequence_number: 0, response: toJson(data['response']) }];
    const index = this.#indexOf(data);
    const kind = StreamedItem.kindOf(type);
    if (kind !== undefined) {
      const { item_id: id } = data;
      const events = this.#items[index] || kind === 'function_call' ? [] : this.#open(index, { type: kind, id });
      const told = this.#items[index]?.tell(data);
      if (told) return [...events, ...told];
    }
    return [{ type: 'polyrun:provider_event', sequence_number: 0, provider: this.#at.provider, data: toJson(data) }];
  }

  #indexOf({ output_index, item_id, type }: Fields): number {
    const known = this.#items.findIndex((item) => item?.id === item_id);
    const next = type === 'response.output_item.added' ? this.#items.length : this.#latest;
    return numberOf(output_index) ?? (known < 0 ? next : known);
  }

  /** The items that there are: some servers leave numbers out. */
  #slots(): readonly StreamedItem[] {
    return this.#items.flat();
  }
}

/** An item of the terminal event under the id that its events had: some servers give out another one each time. */
function named(item: Fields, slot: StreamedItem | undefined): Fields {
  return slot?.done && slot.done['type'] === item['type'] && item['id'] !== undefined ? { ...item, id: slot.id } : item;
}

function doneIn(slots: readonly StreamedItem[]): readonly Fields[] {
  return slots.flatMap((slot) => (slot.done ? [named(slot.done, slot)] : []));
}
