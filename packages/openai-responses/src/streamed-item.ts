import type { ModelEvent } from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { fieldsOf, listOf, numberOf, stringOf } from '@polyrun/core/http';

/** A text of an item: what was told of it, where it stands, and the events of the part that it is. */
type Text = {
  seen: string;
  done: boolean;
  /** What was told of the part that it is. */
  part?: string | undefined;
  /** As in the name of the event that told it. */
  name: string;
  readonly index: number;
  readonly at: object;
  /** The field of the item that it stands in. */
  readonly list: string;
};
type Events = readonly ModelEvent[];

/** The events that tell of texts and parts: of which item they are, and for a text its field and the part that it is. */
const kinds: { readonly [name: string]: readonly [of: string, field?: string, part?: string] } = {
  output_text: ['message', 'text', 'content_part'],
  refusal: ['message', 'refusal', 'content_part'],
  content_part: ['message'],
  reasoning_text: ['reasoning', 'text'],
  reasoning_summary_text: ['reasoning', 'text', 'reasoning_summary_part'],
  reasoning_summary_part: ['reasoning'],
  function_call_arguments: ['function_call', 'arguments'],
};
const eventName = /^response\.(\w+)\.(added|delta|done)$/;

/** One item of a stream: passes its events on, each part opened before its texts are told, each text whole when it is done. */
export class StreamedItem {
  readonly index: number;
  readonly id: string;
  /** The item as its first event had it. */
  readonly begun: Fields;
  /** Its place as the server counts. */
  readonly number: number | undefined;
  /** The item as its `output_item.done` had it. */
  done: Fields | undefined;
  readonly #texts = new Map<string, Text>();

  constructor({ index, id, begun, number }: Pick<StreamedItem, 'index' | 'id' | 'begun' | 'number'>) {
    this.index = index;
    this.id = id;
    this.begun = begun;
    this.number = number;
  }

  /** False for an item that only its own end makes whole: a call runs only when all of it was told. */
  get isWhole(): boolean {
    const [text] = this.#texts.values();
    return this.done !== undefined || (text !== undefined && (text.done || text.list !== 'arguments'));
  }

  /**
   * An item as its events told it: under their id, for some servers give out another one each time; and with its texts where it says
   * nothing, for some end it without.
   */
  whole(item: Fields): Fields {
    const whole: { [field: string]: unknown } = { ...item, ...(item['id'] !== undefined && { id: this.id }) };
    const said = [item['arguments'], item['content'], item['summary']];
    if (said.some((each) => Object.keys(Object(each)).length > 0)) return whole;
    for (const { name, seen, list } of this.#texts.values())
      if (seen !== '') whole[list] = list === 'arguments' ? seen : [...listOf(whole[list]), partOf(name, seen)];
    return whole;
  }

  /** The kind of item that an event tells of; `undefined` when it tells of no text. */
  static kindOf(type: string): string | undefined {
    const [, name = ''] = eventName.exec(type) ?? [];
    return Object.hasOwn(kinds, name) ? kinds[name]?.[0] : undefined;
  }

  /** The events for one that tells of a text or a part; `undefined` when it says nothing that Open Responses knows. */
  tell(event: Fields): Events | undefined {
    const [, name = '', what] = eventName.exec(stringOf(event['type'])) ?? [];
    if (this.done) return [];
    if (name.endsWith('_part')) return this.#part(event, name, what);
    const delta = event['delta'];
    if (what === 'delta' && typeof delta !== 'string') return undefined;
    const text = this.#text(name, event);
    text.name = name;
    const opened = openPart(text);
    if (what === 'delta') {
      text.seen += stringOf(delta);
      return [...opened, ...told({ ...event, ...text.at })];
    }
    if (text.done) return opened;
    text.done = true;
    // Some servers tell a text only when it is whole.
    const whole = stringOf(event[fieldOf(name)]);
    const rest = whole.startsWith(text.seen) ? whole.slice(text.seen.length) : '';
    text.seen += rest;
    const missing = rest === '' ? [] : told({ type: `response.${name}.delta`, ...text.at, delta: rest });
    return [...opened, ...missing, ...told({ ...event, ...text.at })];
  }

  #part(event: Fields, name: string, what: string | undefined): Events | undefined {
    // Visible reasoning has texts, but no parts.
    if (!/^(?:output_text|refusal|summary_text)$/.test(stringOf(fieldsOf(event['part'])['type']))) return undefined;
    const text = this.#text(name, event);
    // Before its text has ended a part has not either: both are told with the item.
    if (what === 'added' ? text.part : text.part !== 'added' || !text.done) return [];
    text.part = what;
    return told({ ...event, ...text.at });
  }

  #text(name: string, { content_index, summary_index }: Fields): Text {
    const index = numberOf(content_index, summary_index) ?? 0;
    const list = /arguments|summary/.exec(name)?.[0] ?? 'content';
    const known = this.#texts.get(`${list} ${index}`);
    if (known) return known;
    const at = {
      sequence_number: 0,
      item_id: this.id,
      output_index: this.index,
      ...(list !== 'arguments' && { [`${list}_index`]: index }),
    };
    const text: Text = { seen: '', done: false, name, index, at, list };
    this.#texts.set(`${list} ${index}`, text);
    return text;
  }
}

/** The beginning of the part that a text is, where nothing was told of it. */
function openPart(text: Text): Events {
  const [, , event] = kinds[text.name] ?? [];
  if (event === undefined || text.part) return [];
  text.part = 'added';
  return told({ type: `response.${event}.added`, ...text.at, part: partOf(text.name, '') });
}

function partOf(name: string, text: string): Fields {
  const type = name === 'reasoning_summary_text' ? 'summary_text' : name;
  return { type, [fieldOf(name)]: text, ...(type === 'output_text' && { annotations: [] }) };
}

function fieldOf(name: string): string {
  return kinds[name]?.[1] ?? '';
}

/** The event, for it is put together from the names and fields that the table gives it. */
function told(event: object): Events {
  return isTold(event) ? [event] : [];
}

function isTold(event: object): event is ModelEvent {
  return 'item_id' in event;
}
