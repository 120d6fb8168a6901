import { ResponseEvents, toJson, type Fields, type ModelEvent } from '@polyrun/core';
import { fieldsOf, given, listOf, notAReply, numberOf, stringOf } from '@polyrun/core/http';
import { continuesItem, inputOf, isProviderBlock, providerItem } from './decode.ts';
import type { Chunk, Reply } from './wire.ts';

type Mutable = { [field: string]: unknown };
/** A block as far as it is told. `json` is the text of its input, `open` until its end was told. */
type Slot = { readonly index: number; readonly block: Mutable; json: string; open: boolean };
type Events = readonly ModelEvent[];

/** Adds the events of a stream up to the message that an unstreamed call would have returned, and tells what each brings. */
export function accumulateReply(): { add(chunk: Chunk): Events; end(): Reply } {
  const reply = new StreamedReply();
  return { add: (chunk) => reply.add(chunk), end: () => reply.end() };
}

class StreamedReply {
  readonly #events = new ResponseEvents();
  readonly #message: Mutable = {};
  readonly #slots: Slot[] = [];
  #started = false;
  #restarted = false;
  #ended = false;
  #requestId: string | undefined;

  add({ data, requestId }: Chunk): Events {
    this.#requestId ??= requestId;
    const event = fieldsOf(data);
    switch (event['type']) {
      case 'message_start':
        return this.#start(fieldsOf(event['message']));
      case 'content_block_start':
        return this.#open(numberOf(event['index']) ?? this.#slots.length, fieldsOf(event['content_block']));
      case 'content_block_delta':
        return this.#delta(numberOf(event['index']), fieldsOf(event['delta']));
      case 'content_block_stop':
        for (const slot of this.#slots) slot.open &&= slot.index !== event['index'];
        return [];
      case 'message_delta':
        return this.#note(event);
      case 'message_stop':
        this.#ended = true;
        return [];
      case 'ping':
        return [];
      case 'message':
        // A server that does not stream whatever is asked.
        this.#ended = true;
        return this.#start(event);
      default:
        return this.#events.provider('anthropic', toJson(data));
    }
  }

  end(): Reply {
    // A message may begin with its end: one that only repeats a call of a tool has no events between.
    if (!this.#ended && typeof this.#message['stop_reason'] !== 'string')
      throw notAReply('the stream ended early', this.#requestId, true);
    const content = this.#slots.toSorted((a, b) => a.index - b.index).map(finished);
    return {
      message: this.#started ? { ...this.#message, content } : undefined,
      ...given({ requestId: this.#requestId }),
    };
  }

  /** A second message in one stream cannot be told from a stream that two answers were mixed in, unless nothing was told of the first. */
  #start({ content, ...message }: Fields): Events {
    if (this.#slots.length > 0 && message['id'] !== this.#message['id'])
      throw notAReply('another began within it', this.#requestId, true);
    this.#restarted = this.#slots.length > 0;
    Object.assign(this.#message, message);
    this.#started = true;
    if (this.#restarted) return [];
    const events = listOf(content).flatMap((block, index) => this.#open(index, block));
    for (const slot of this.#slots) slot.open = false;
    return events;
  }

  #open(index: number, block: Fields): Events {
    // The message that began once more goes on, or else all of it would count twice.
    if (this.#restarted && this.#slots.some((known) => known.index === index))
      throw notAReply('it began twice', this.#requestId, true);
    this.#started = true;
    const before = this.#slots.map(({ block: known }) => known);
    const slot: Slot = { index, block: { ...block }, json: '', open: true };
    this.#slots.push(slot);
    if (isProviderBlock(block) && continuesItem(before)) return [];
    const { type, id, name, text, thinking } = block;
    if (type === 'text') {
      if (before.at(-1)?.['type'] === 'text') this.#events.endPart();
      else this.#events.close();
      return stringOf(text) === '' ? [] : this.#events.text(stringOf(text));
    }
    this.#events.close();
    if (isProviderBlock(block)) return this.#events.item({ ...providerItem([block]), status: 'in_progress' });
    if (type !== 'tool_use') return this.#events.reasoning(stringOf(thinking));
    // An input that is here already is told at the end: it may come once more, in pieces.
    return this.#events.call(before.length, { callId: stringOf(id), name: stringOf(name) });
  }

  /** A delta has the fields of its block, text in pieces; only input and citations go by other names. */
  #delta(index: number | undefined, { type, ...told }: Fields): Events {
    const fields: Mutable = { ...told };
    const at = this.#slots.findLastIndex((known) => known.index === index);
    const slot = this.#slots[at];
    const { text, thinking, partial_json, citation } = fields;
    if (!slot) return this.#unopened(index, { type, ...told });
    slot.json += stringOf(partial_json);
    if (citation) fields['citations'] = [...listOf(slot.block['citations']), citation];
    for (const [field, value] of Object.entries(fields)) {
      if (/^(partial_json|citation|estimated_tokens)$/.test(field)) continue;
      slot.block[field] =
        typeof value === 'string' ? stringOf(slot.block[field]) + value : (value ?? slot.block[field]);
    }
    if (typeof text === 'string') return text === '' ? [] : this.#events.text(text);
    if (typeof thinking === 'string') return this.#events.reasoning(thinking);
    if (slot.block['type'] === 'tool_use') return this.#events.callArguments(at, stringOf(partial_json));
    const known = /^(input_json|citations|signature|compaction)_delta$/.test(stringOf(type));
    return known ? [] : this.#events.provider('anthropic', toJson({ type, ...fields }));
  }

  /** What was said in a block that was never begun. */
  #unopened(index: number | undefined, delta: Fields): Events {
    const [, type] = /^(text|thinking)_delta$/.exec(stringOf(delta['type'])) ?? [];
    if (type === undefined) return this.#events.provider('anthropic', toJson(delta));
    return [...this.#open(index ?? 0, { type }), ...this.#delta(index ?? 0, delta)];
  }

  /** The last word on how the message ended and what it cost, field by field. */
  #note({ type: _type, delta, usage, ...fields }: Fields): Events {
    Object.assign(this.#message, said(fields), said(fieldsOf(delta)));
    this.#message['usage'] = { ...fieldsOf(this.#message['usage']), ...said(fieldsOf(usage)) };
    return [];
  }
}

/** The fields that say something. */
function said(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/** The block as an unstreamed reply would hold it, but that arguments of calls stay the text that they came as, and that open ones say so. */
function finished({ block, json, open }: Slot): Fields {
  const isCall = block['type'] === 'tool_use';
  const input = json === '' ? {} : { input: isCall ? json : inputOf(json) };
  return { ...block, ...input, ...(open && isCall && { open }) };
}
