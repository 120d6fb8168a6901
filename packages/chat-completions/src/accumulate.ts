import { isFields, ResponseEvents, type Fields, type ModelEvent } from '@polyrun/core';
import { fieldsOf, given, listOf, streamCut, stringOf } from '@polyrun/core/http';
import type { ReasoningField } from './dialects.ts';
import { isFirst } from './decode.ts';
import { overlay } from './overlay.ts';
import { contentIn, detailed, imagesIn, opaqueIn, plainReasoning, reasoningIn, thoughtIn } from './reasoning.ts';
import { callsIn, ToolCalls } from './tool-calls.ts';
import { doneMark, type Chunk, type Reply } from './wire.ts';

type Mutable = { [field: string]: unknown };

/** Adds the chunks of a stream up to the completion that an unstreamed call would have returned, and tells what each brings. */
export function accumulateReply(): { add(chunk: Chunk): readonly ModelEvent[]; end(): Reply } {
  const reply = new StreamedReply();
  return { add: (chunk) => reply.add(chunk), end: () => reply.end() };
}

class StreamedReply {
  readonly #events = new ResponseEvents();
  readonly #calls = new ToolCalls(this.#events);
  readonly #completion: Mutable = {};
  readonly #message: Mutable = {};
  #finish: string | undefined;
  #done = false;
  #requestId: string | undefined;
  #told: ReasoningField | undefined;
  #begun = false;
  #numbered = false;
  #pieces = false;
  #usage: unknown;

  add({ data, requestId, whole }: Chunk): readonly ModelEvent[] {
    this.#requestId ??= requestId;
    // What a server did not stream has ended, whatever it says of it.
    if (whole) return [...this.add({ data }), ...this.add({ data: doneMark })];
    if (data === doneMark) {
      this.#done = true;
      return this.#calls.end();
    }
    const chunk = fieldsOf(data);
    this.#note(chunk);
    const choices = listOf(chunk['choices']);
    const firsts = choices.filter(isFirst);
    this.#numbered ||= firsts.length > 0;
    // Some servers count their chunks where the number of the choice should be.
    return (this.#numbered ? firsts : choices.slice(0, 1)).flatMap((choice) => this.#choice(choice));
  }

  #choice(choice: Fields): readonly ModelEvent[] {
    this.#begun = true;
    this.#usage = choice['usage'] ?? this.#usage;
    // Beside or behind deltas, `message` is the whole so far; it is all there is where a server did not stream.
    const { delta, message } = choice;
    this.#pieces ||= isFields(delta);
    const events = this.#delta(fieldsOf(this.#pieces ? delta : message));
    const finish = stringOf(choice['finish_reason']);
    // Alibaba's own API writes it out that there is none yet.
    if (finish === '' || finish === 'null') return events;
    this.#finish = finish;
    return [...events, ...this.#calls.end()];
  }

  end(): Reply {
    const request = given({ requestId: this.#requestId });
    if (this.#finish === undefined && !this.#done) throw streamCut(this.#requestId);
    const message = { ...this.#message, tool_calls: this.#calls.entries() };
    const choice = { index: 0, message, finish_reason: this.#finish, usage: this.#usage };
    // A stream that only ended holds no answer.
    return { completion: { ...this.#completion, choices: this.#begun ? [choice] : [] }, ...request };
  }

  /** Everything beside the choices: the first id and model, the last word on the rest, field by field. */
  #note({ choices: _choices, ...chunk }: Fields): void {
    const known = this.#completion;
    Object.assign(known, overlay(known, chunk), given({ id: known['id'], model: known['model'] }));
  }

  #delta(delta: Fields): ModelEvent[] {
    const events: ModelEvent[] = [];
    const { text, field } = reasoningIn(delta);
    // Several fields may tell the same: the first one in use is passed on, what is opaque opens the item.
    this.#told ??= field;
    const words = field === this.#told ? text : '';
    if (words !== '' || opaqueIn(delta).length > 0) events.push(...this.#events.reasoning(words));
    if (field === 'thinking') this.#append('thinking', text);
    for (const name of plainReasoning) this.#append(name, thoughtIn(delta[name]));
    for (const name of detailed) for (const detail of listOf(delta[name])) this.#detail(name, detail);
    const content = contentIn(delta);
    if (content !== '') events.push(...this.#events.text(content));
    this.#append('content', content);
    const refusal = stringOf(delta['refusal']);
    if (refusal !== '') events.push(...this.#events.refusal(refusal));
    this.#append('refusal', refusal);
    for (const entry of callsIn(delta)) events.push(...this.#calls.add(entry));
    this.#rest(delta);
    return events;
  }

  #append(field: string, text: string): void {
    if (text !== '') this.#message[field] = stringOf(this.#message[field]) + text;
  }

  /** Lists grow, entries of one index being pieces of one; opaque fields come whole. */
  #rest(delta: Fields): void {
    const { annotations, executed_tools, audio } = delta;
    for (const [field, list] of Object.entries({ annotations, images: imagesIn(delta), executed_tools }))
      for (const entry of listOf(list))
        this.#merge(field, entry, ({ index }) => index !== undefined && index === entry['index']);
    if (audio) this.#message['audio'] = overlay(fieldsOf(this.#message['audio']), fieldsOf(audio), growing);
    for (const field of opaqueIn(delta)) if (!detailed.includes(field)) this.#message[field] = delta[field];
  }

  /** Details of one index and kind are pieces of one detail, unless their ids differ; what is signed or encrypted is whole. */
  #detail(field: string, detail: Fields): void {
    const { index, type, id } = detail;
    this.#merge(field, detail, (known) => {
      const whole = index === undefined && (known['signature'] ?? known['data']);
      return (
        known['index'] === index && known['type'] === type && !whole && (!known['id'] || !id || known['id'] === id)
      );
    });
  }

  #merge(field: string, entry: Fields, belongs: (known: Fields) => boolean): void {
    const known = listOf(this.#message[field]);
    const at = known.findLastIndex(belongs);
    const earlier = known[at];
    this.#message[field] = earlier ? known.with(at, overlay(earlier, entry, growing)) : [...known, entry];
  }
}

/** Fields of a detail or of spoken words that come in pieces of text. */
const growing: ReadonlySet<string> = new Set(['text', 'summary', 'thinking', 'data', 'transcript']);
