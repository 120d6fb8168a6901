import { isFields, toJson, type ModelEvent } from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { eventOf, fieldsOf, given, listOf, notAReply, numberOf, stringOf } from '@polyrun/core/http';
import { itemIn } from './items.ts';
import { StreamedItem } from './streamed-item.ts';
import type { Destination } from './target.ts';
import type { Chunk, Reply } from './wire.ts';

type Events = readonly ModelEvent[];
/** An item as the response has it in the end, and as its events told it. */
type Final = [StreamedItem, Fields];

/** Passes the events of a stream on, made true to each other where a server is not, and keeps the response that they end in. */
export function accumulateReply(at: Destination): { add(chunk: Chunk): Events; end(): Reply } {
  return new StreamedResponse(at);
}

class StreamedResponse {
  readonly #at: Destination;
  readonly #items: StreamedItem[] = [];
  #created = false;
  #response: Fields | undefined;
  #requestId: string | undefined;

  constructor(at: Destination) {
    this.#at = at;
  }

  add(chunk: Chunk): Events {
    this.#requestId ??= chunk.requestId;
    // Nothing counts behind the terminal event.
    if (this.#response || !isFields(chunk.data)) return [];
    if (chunk.whole) {
      this.#response = chunk.data;
      return [];
    }
    const event = eventOf(chunk);
    const { type, item } = event;
    switch (type) {
      case 'response.created':
        if (this.#created) return [];
        this.#created = true;
        return framed(type, event['response']);
      case 'response.in_progress':
      case 'response.queued':
        return framed(type, event['response']);
      case 'response.output_item.added':
      case 'response.output_item.done':
        return isFields(item) ? this.#item(event, item) : [];
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      // What OpenAI's server for Codex and some gateways end with.
      case 'response.done':
      case 'response.cancelled':
        return this.#ended(fieldsOf(event['response']));
      default:
        return this.#other(event);
    }
  }

  end(): Reply {
    const response = this.#response;
    if (!response) throw notAReply('no terminal event came', this.#requestId, true);
    return { response, ...given({ requestId: this.#requestId }) };
  }

  #item(event: Fields, item: Fields): Events {
    const known = this.#find(event, item['type'], item);
    const slot = known ?? this.#begin(item, event);
    if (event['type'] === 'response.output_item.done') return this.#done(slot, item);
    return known ? [] : this.#open(slot);
  }

  /**
   * The item of that kind that an event tells of: by its id, else the latest of its number. Some servers leave ids or numbers out, change
   * them, or give one to several items. `item`: it begins or ends with the event.
   */
  #find({ item_id, output_index }: Fields, kind: unknown, item?: Fields): StreamedItem | undefined {
    const { id = item_id, call_id } = item ?? {};
    const same = this.#items.filter(({ begun }) => begun['type'] === kind);
    const named = same.find((slot) => id && [slot.id, slot.begun['call_id']].includes(id));
    const fits = ({ number, done, begun }: StreamedItem) =>
      (numberOf(output_index) ?? number) === number && (!item || (!done && begun['call_id'] === call_id));
    return named ?? same.findLast(fits);
  }

  #begin(begun: Fields, event: Fields = {}): StreamedItem {
    const index = this.#items.length;
    const id = stringOf(begun['id']);
    const taken = id === '' || this.#items.some((slot) => slot.id === id);
    const number = numberOf(event['output_index']);
    const slot = new StreamedItem({ index, id: taken ? `item_${index}` : id, begun, number });
    this.#items.push(slot);
    return slot;
  }

  #open({ index, id, begun }: StreamedItem): Events {
    const item = itemIn(begun, { ...this.#at, cut: false });
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

  /** What was not told of an item before it is done is told then, by the core. */
  #done(slot: StreamedItem, raw: Fields): Events {
    if (slot.done) return [];
    slot.done = slot.whole(raw);
    const item = { ...itemIn(slot.done, { ...this.#at, cut: false }), id: slot.id };
    return [{ type: 'response.output_item.done', sequence_number: 0, output_index: slot.index, item }];
  }

  /** All items are told before the end is, also those that only the terminal event holds. */
  #ended(response: Fields): Events {
    this.#response = response;
    // It is told as an error.
    if (response['status'] === 'failed') return [];
    const status = /^(?:incomplete|cancelled)$/.test(stringOf(response['status'])) ? 'incomplete' : 'completed';
    const left = [...this.#items];
    const final = listOf(response['output']).map((item): Final => {
      const at = left.findIndex(({ begun }) => begun['type'] === item['type']);
      return [left.splice(at, at < 0 ? 0 : 1)[0] ?? this.#begin(item), item];
    });
    // Some servers leave the output out of the terminal event: what was told of the items is all there is.
    if (final.length === 0) {
      if (status === 'completed' && left.some(({ isWhole }) => !isWhole))
        throw notAReply('what was told of an item never ended', this.#requestId, true);
      final.push(...left.map((slot): Final => [slot, slot.done ?? { ...slot.begun, status }]));
    }
    const events = final.flatMap(([slot, item]) => this.#done(slot, item));
    const output = final.map(([slot, item]) => slot.whole(item));
    if (output.length > 0) this.#response = { ...response, output };
    return [...events, ...framed(`response.${status}`, response)];
  }

  #other(event: Fields): Events {
    const type = stringOf(event['type']);
    const kind = StreamedItem.kindOf(type);
    if (kind !== undefined) {
      const known = this.#find(event, kind);
      const begins = !known && kind !== 'function_call' && !type.includes('_part.');
      const slot = begins ? this.#begin({ type: kind, id: event['item_id'] }, event) : known;
      const told = slot?.tell(event);
      if (slot && told) return [...(begins ? this.#open(slot) : []), ...told];
    }
    return [{ type: 'polyrun:provider_event', sequence_number: 0, provider: this.#at.provider, data: toJson(event) }];
  }
}

type Framed = 'created' | 'queued' | 'in_progress' | 'completed' | 'incomplete';

/** An event that tells of the whole response. */
function framed(type: `response.${Framed}`, response: unknown): Events {
  return [{ type, sequence_number: 0, response: toJson(response) }];
}
