import type { ModelEvent, OutputItem } from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { fieldsOf, listOf, numberOf, stringOf } from '@polyrun/core/http';

type Part = 'none' | 'open' | 'done';
/** A text of an item: what was told of it, where it stands, and the events of the part that it is. */
type Text = {
  seen: string;
  done: boolean;
  part: Part;
  readonly index: number;
  readonly at: object;
  readonly partName: string;
};
type Events = readonly ModelEvent[];

/** The events that tell of texts and parts: of which item they are, and for a text its field (`text`) and the part that it is. */
const kinds: { readonly [name: string]: { readonly of: string; readonly field?: string; readonly part?: string } } = {
  output_text: { of: 'message', part: 'content_part' },
  refusal: { of: 'message', field: 'refusal', part: 'content_part' },
  content_part: { of: 'message' },
  reasoning_text: { of: 'reasoning' },
  reasoning_summary_text: { of: 'reasoning', part: 'reasoning_summary_part' },
  reasoning_summary_part: { of: 'reasoning' },
  function_call_arguments: { of: 'function_call', field: 'arguments' },
};
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
    return Object.hasOwn(kinds, name) ? kinds[name]?.of : undefined;
  }

  /** The events for one that tells of a text or a part; `undefined` when it says nothing that Open Responses knows. */
  tell(event: Fields): Events | undefined {
    const [, name = '', what] = eventName.exec(stringOf(event['type'])) ?? [];
    if (this.done) return [];
    if (name.endsWith('_part')) return this.#part(event, name, what);
    const delta = event['delta'];
    if (what === 'delta' && typeof delta !== 'string') return undefined;
    const text = this.#text(name, event);
    const opened = openPart(name, text);
    if (what === 'delta') {
      text.seen += stringOf(delta);
      return [...opened, ...told({ ...event, ...text.at })];
    }
    if (text.done) return opened;
    text.done = true;
    return [...opened, ...missing(name, text, event), ...told({ ...event, ...text.at })];
  }

  /** What must be told before the item is done: the ends of parts whose texts have ended. */
  closing(item: OutputItem): Events {
    return [...this.#texts.values()].flatMap((text) => {
      if (text.part !== 'open' || !text.done) return [];
      text.part = 'done';
      const parts: unknown = Reflect.get(item, text.partName === 'content_part' ? 'content' : 'summary');
      return told({ type: `response.${text.partName}.done`, ...text.at, part: listOf(parts)[text.index] });
    });
  }

  #part(event: Fields, name: string, what: string | undefined): Events | undefined {
    // Visible reasoning has texts, but no parts.
    if (!/^(?:output_text|refusal|summary_text)$/.test(stringOf(fieldsOf(event['part'])['type']))) return undefined;
    const text = this.#text(name, event);
    // Before its text has ended a part has not either: both are told with the item.
    const next: Part = what === 'added' ? 'open' : 'done';
    if (next === 'open' ? text.part !== 'none' : text.part !== 'open' || !text.done) return [];
    text.part = next;
    return told({ ...event, ...text.at });
  }

  #text(name: string, { content_index, summary_index }: Fields): Text {
    const partName = kinds[name]?.part ?? name;
    const index = numberOf(content_index, summary_index) ?? 0;
    const key = `${partName} ${index}`;
    const known = this.#texts.get(key);
    if (known) return known;
    const place = name.startsWith('reasoning_summary') ? { summary_index: index } : { content_index: index };
    const at = {
      sequence_number: 0,
      item_id: this.id,
      output_index: this.index,
      ...(name !== 'function_call_arguments' && place),
    };
    const text: Text = { seen: '', done: false, part: 'none', index, at, partName };
    this.#texts.set(key, text);
    return text;
  }
}

/** What was not told of a text before it was done: some servers tell a text only when it is whole. */
function missing(name: string, { seen, at }: Text, event: Fields): Events {
  const whole = stringOf(event[kinds[name]?.field ?? 'text']);
  const delta = whole.startsWith(seen) ? whole.slice(seen.length) : '';
  return delta === '' ? [] : told({ type: `response.${name}.delta`, ...at, delta });
}

/** The beginning of the part that a text is, where nothing was told of it. */
function openPart(name: string, text: Text): Events {
  const { part: event, field = 'text' } = kinds[name] ?? {};
  if (event === undefined || text.part !== 'none') return [];
  text.part = 'open';
  const type = name === 'reasoning_summary_text' ? 'summary_text' : name;
  const part = { type, [field]: '', ...(type === 'output_text' && { annotations: [] }) };
  return told({ type: `response.${event}.added`, ...text.at, part });
}

/** The event, for it is put together from the names and fields that the table gives it. */
function told(event: object): Events {
  return isTold(event) ? [event] : [];
}

function isTold(event: object): event is ModelEvent {
  const type: unknown = Reflect.get(event, 'type');
  return typeof type === 'string' && eventName.test(type) && 'item_id' in event && 'output_index' in event;
}
