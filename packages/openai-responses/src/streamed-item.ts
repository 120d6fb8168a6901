import { isFields, type ModelEvent, type OutputItem } from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { listOf, numberOf, stringOf } from '@polyrun/core/http';

type Text = { seen: string; done: boolean; part: 'none' | 'open' | 'done' };
type Events = readonly ModelEvent[];

/** The events that tell a text of an item: what the text is of, and the part of the item that it is. */
const texts: { readonly [name: string]: { readonly of: string; readonly field: string; readonly part?: string } } = {
  output_text: { of: 'message', field: 'text', part: 'content_part' },
  refusal: { of: 'message', field: 'refusal', part: 'content_part' },
  reasoning_text: { of: 'reasoning', field: 'text' },
  reasoning_summary_text: { of: 'reasoning', field: 'text', part: 'reasoning_summary_part' },
  function_call_arguments: { of: 'function_call', field: 'arguments' },
};
const partNames: { readonly [part: string]: string } = { content_part: 'message', reasoning_summary_part: 'reasoning' };
const eventName = /^response\.(\w+)\.(added|delta|done)$/;

/** One item of a stream: passes its events on, each part opened before its texts are told, each text whole when it is done. */
export class StreamedItem {
  readonly index: number;
  readonly id: string;
  /** The item as its `output_item.done` had it. */
  done: Fields | undefined;
  readonly #texts = new Map<string, Text>();

  constructor(index: number, id: string) {
    this.index = index;
    this.id = id;
  }

  /** The kind of item that an event tells of; `undefined` when it tells of no text. */
  static kindOf(type: string): string | undefined {
    const [, name = ''] = eventName.exec(type) ?? [];
    return Object.hasOwn(texts, name) ? texts[name]?.of : Object.hasOwn(partNames, name) ? partNames[name] : undefined;
  }

  /** The events for one that tells of a text or a part; `undefined` when it says nothing that Open Responses knows. */
  tell(event: Fields): Events | undefined {
    const [, name = '', what] = eventName.exec(stringOf(event['type'])) ?? [];
    if (this.done) return [];
    if (Object.hasOwn(partNames, name)) return this.#part(event, name, what);
    const spec = texts[name];
    const delta = event['delta'];
    if (!spec || (what === 'delta' && typeof delta !== 'string')) return undefined;
    const opened = this.#openPart(name, event);
    const text = this.#text(name, event);
    const at = this.#at(name, event);
    if (what === 'delta') {
      text.seen += stringOf(delta);
      return [...opened, ...told({ ...event, ...at })];
    }
    if (text.done) return opened;
    text.done = true;
    const whole = stringOf(event[spec.field]);
    // Some servers tell a text only when it is whole.
    const missing = whole.startsWith(text.seen) ? whole.slice(text.seen.length) : '';
    const deltas = missing === '' ? [] : told({ type: `response.${name}.delta`, ...at, delta: missing });
    return [...opened, ...deltas, ...told({ ...event, ...at })];
  }

  /** What must be told before the item is done: the ends of parts whose texts have ended. */
  closing(item: OutputItem): Events {
    return [...this.#texts].flatMap(([key, text]) => {
      if (text.part !== 'open' || !text.done) return [];
      text.part = 'done';
      const [name = '', at = '0'] = key.split(' ');
      const index = Number(at);
      const place = name === 'content_part' ? { content_index: index } : { summary_index: index };
      const list: unknown = Reflect.get(item, name === 'content_part' ? 'content' : 'summary');
      return told({ type: `response.${name}.done`, ...this.#place(), ...place, part: listOf(list)[index] });
    });
  }

  #part(event: Fields, name: string, what: string | undefined): Events | undefined {
    const part = event['part'];
    const type = isFields(part) ? stringOf(part['type']) : '';
    // Visible reasoning has texts, but no parts.
    if (!/^(?:output_text|refusal|summary_text)$/.test(type)) return undefined;
    const text = this.#text(name, event);
    const at = this.#at(name, event);
    if (what === 'added') {
      if (text.part !== 'none') return [];
      text.part = 'open';
      return told({ ...event, ...at });
    }
    // Before its text has ended the part has not either: both are told with the item.
    if (text.part !== 'open' || !text.done) return [];
    text.part = 'done';
    return told({ ...event, ...at });
  }

  #openPart(name: string, event: Fields): Events {
    const spec = texts[name];
    if (spec?.part === undefined) return [];
    const text = this.#text(name, event);
    if (text.part !== 'none') return [];
    text.part = 'open';
    const type = name === 'reasoning_summary_text' ? 'summary_text' : name;
    const part = { type, [spec.field]: '', ...(type === 'output_text' && { annotations: [] }) };
    return told({ type: `response.${spec.part}.added`, ...this.#at(name, event), part });
  }

  #text(name: string, event: Fields): Text {
    const { content_index, summary_index } = event;
    const key = `${texts[name]?.part ?? name} ${numberOf(content_index, summary_index) ?? 0}`;
    const known = this.#texts.get(key) ?? { seen: '', done: false, part: 'none' };
    this.#texts.set(key, known);
    return known;
  }

  #at(name: string, { content_index, summary_index }: Fields): object {
    if (name === 'function_call_arguments') return this.#place();
    return name.startsWith('reasoning_summary')
      ? { ...this.#place(), summary_index: numberOf(summary_index) ?? 0 }
      : { ...this.#place(), content_index: numberOf(content_index) ?? 0 };
  }

  #place(): { sequence_number: number; item_id: string; output_index: number } {
    return { sequence_number: 0, item_id: this.id, output_index: this.index };
  }
}

/** The event, for it is put together from the names and fields that the table gives it. */
function told(event: object): Events {
  return isTold(event) ? [event] : [];
}

function isTold(event: object): event is ModelEvent {
  const type: unknown = Reflect.get(event, 'type');
  return typeof type === 'string' && eventName.test(type) && 'item_id' in event && 'output_index' in event;
}
