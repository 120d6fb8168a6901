import { ResponseEvents, toJson, type Fields, type ModelEvent } from '@polyrun/core';
import { eventOf, fieldsOf, given, listOf, notAReply, numberOf, said, stringOf } from '@polyrun/core/http';
import { belongs, inputOf, isProviderBlock, providerItem } from './decode.ts';
import type { Chunk, Reply } from './wire.ts';

type Mutable = { [field: string]: unknown };
/** A block as far as it is told. `json` is the text of its input, `open` until its end was told. */
type Slot = { readonly index: number; readonly block: Mutable; json: string; open: boolean };
type Events = readonly ModelEvent[];

/** Adds the events of a stream up to the message that an unstreamed call would have returned, and tells what each brings. */
export function accumulateReply(): { add(chunk: Chunk): Events; end(): Reply } {
  return new StreamedReply();
}

/** The kinds of blocks that deltas belong to; gateways tell thoughts within texts, and texts within calls. */
const homes: { readonly [delta: string]: string } = {
  text_delta: 'text',
  citations_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'thinking',
  input_json_delta: 'tool_use',
  compaction_delta: 'compaction',
};

class StreamedReply {
  readonly #events = new ResponseEvents();
  readonly #message: Mutable = {};
  readonly #slots: Slot[] = [];
  #started = false;
  #restarted = false;
  #ended = false;
  #requestId: string | undefined;

  add(chunk: Chunk): Events {
    this.#requestId ??= chunk.requestId;
    const event = eventOf(chunk);
    const index = numberOf(event['index'], this.#slots.at(-1)?.index) ?? 0;
    switch (event['type']) {
      case 'message_start':
        return this.#start(fieldsOf(event['message']));
      case 'content_block_start':
        return this.#open(numberOf(event['index']) ?? this.#slots.length, fieldsOf(event['content_block']));
      case 'content_block_delta':
        return this.#delta(index, fieldsOf(event['delta']));
      case 'content_block_stop':
        for (const slot of this.#slots) slot.open &&= slot.index !== index;
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
        return this.#events.provider('anthropic', toJson(event));
    }
  }

  end(): Reply {
    // A message may begin with its end: one that only repeats a call of a tool has no events between.
    if (!this.#ended && typeof this.#message['stop_reason'] !== 'string') throw this.#broken('it ended early');
    const content = this.#slots.toSorted((a, b) => a.index - b.index).map(finished);
    return {
      message: this.#started ? { ...this.#message, content } : undefined,
      ...given({ requestId: this.#requestId }),
    };
  }

  /** A second message in one stream cannot be told from a stream that two answers were mixed in, unless nothing was told of the first. */
  #start({ content, ...message }: Fields): Events {
    if (this.#slots.length > 0 && message['id'] !== this.#message['id']) throw this.#broken('another began');
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
    if (this.#restarted && this.#slots.some((known) => known.index === index)) throw this.#broken('it began twice');
    this.#started = true;
    const before = this.#slots.map(({ block: known }) => known);
    this.#slots.push({ index, block: { ...block }, json: '', open: true });
    const { type, id, name, text, thinking } = block;
    const opaque = isProviderBlock(block);
    // It goes on with the item of the provider's before it.
    if (opaque && belongs(before.slice(before.findLastIndex((known) => !isProviderBlock(known)) + 1))) return [];
    if (type === 'text' && before.at(-1)?.['type'] === type) this.#events.endPart();
    else this.#events.close();
    if (opaque) return this.#events.item({ ...providerItem([block]), status: 'in_progress' });
    if (type === 'text') return stringOf(text) === '' ? [] : this.#events.text(stringOf(text));
    // An input that is here already is told at the end: it may come once more, in pieces.
    if (type === 'tool_use') return this.#events.call(before.length, { callId: stringOf(id), name: stringOf(name) });
    return this.#events.reasoning(stringOf(thinking));
  }

  #delta(index: number, delta: Fields): Events {
    const { type, text, thinking } = delta;
    const home = homes[stringOf(type)];
    const at = this.#slots.findLastIndex(
      ({ index: own, block }) => own === index && (isProviderBlock(block) || (home ?? block['type']) === block['type']),
    );
    const slot = this.#slots[at];
    const words = stringOf(text) + stringOf(thinking);
    if (slot) grow(slot, delta);
    if (slot?.block['type'] === 'tool_use') return this.#events.callArguments(at, stringOf(delta['partial_json']));
    if (words === '' || (slot && isProviderBlock(slot.block)))
      return slot && home ? [] : this.#events.provider('anthropic', toJson(delta));
    // What was said in a block that was never begun, or in one of another kind.
    if (!slot) return [...this.#open(index, { type: home }), ...this.#delta(index, delta)];
    // What belongs to an earlier block is told at the end.
    if (at < this.#slots.length - 1) return [];
    return slot.block['type'] === 'text' ? this.#events.text(words) : this.#events.reasoning(words);
  }

  /** Such a stream may be tried again. */
  #broken(why: string): Error {
    return notAReply(why, this.#requestId, true);
  }

  /** The last word on how the message ended and what it cost, field by field. */
  #note({ type: _type, delta, usage, ...fields }: Fields): Events {
    Object.assign(this.#message, said(fields), said(fieldsOf(delta)));
    this.#message['usage'] = { ...fieldsOf(this.#message['usage']), ...said(fieldsOf(usage)) };
    return [];
  }
}

/** A delta has the fields of its block, text in pieces, a signature whole; only input and citations go by other names. */
function grow(slot: Slot, { type: _type, partial_json, citation, estimated_tokens: _tokens, ...fields }: Fields): void {
  const { block } = slot;
  slot.json += stringOf(partial_json);
  if (citation) block['citations'] = [...listOf(block['citations']), citation];
  for (const [field, value] of Object.entries(said(fields))) {
    const known = field === 'signature' ? '' : stringOf(block[field]);
    block[field] = typeof value === 'string' ? known + value : value;
  }
}

/** The block as an unstreamed reply would hold it, but that arguments of calls stay the text that they came as, and that open ones say so. */
function finished({ block, json, open }: Slot): Fields {
  const isCall = block['type'] === 'tool_use';
  const input = json === '' ? {} : { input: isCall ? json : inputOf(json) };
  return { ...block, ...input, ...(open && isCall && { open }) };
}
