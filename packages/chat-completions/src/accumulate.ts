import { ModelError, ResponseEvents, type ModelEvent } from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { fieldsOf, given, listOf, stringOf } from '@polyrun/core/http';
import type { ReasoningField } from './dialects.ts';
import { isFirst } from './decode.ts';
import { contentIn, opaqueIn, reasoningIn } from './reasoning.ts';
import { ToolCalls } from './tool-calls.ts';
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
    const choice = listOf(chunk['choices']).find(isFirst);
    if (!choice) return [];
    this.#begun = true;
    this.#usage = choice['usage'] ?? this.#usage;
    // Beside a delta, `message` is the whole so far; it is all there is where a server did not stream.
    const events = this.#delta(fieldsOf(choice['delta'] ?? choice['message']));
    const finish = stringOf(choice['finish_reason']);
    if (finish === '') return events;
    this.#finish = finish;
    return [...events, ...this.#calls.end()];
  }

  end(): Reply {
    const request = given({ requestId: this.#requestId });
    if (this.#finish === undefined && !this.#done) {
      const message = 'The stream ended before the answer did: neither a finish reason nor [DONE] came.';
      throw new ModelError({ kind: 'protocol', message, retryable: true, ...request });
    }
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
    this.#append('reasoning_content', stringOf(delta['reasoning_content']));
    this.#append('reasoning', stringOf(delta['reasoning']));
    for (const detail of listOf(delta['reasoning_details'])) this.#detail(detail);
    const content = contentIn(delta);
    if (content !== '') events.push(...this.#events.text(content));
    this.#append('content', content);
    const refusal = stringOf(delta['refusal']);
    if (refusal !== '') events.push(...this.#events.refusal(refusal));
    this.#append('refusal', refusal);
    const { function_call } = delta;
    const legacy = function_call ? [{ index: -1, function: function_call }] : [];
    for (const entry of [...listOf(delta['tool_calls']), ...legacy]) events.push(...this.#calls.add(entry));
    this.#rest(delta);
    return events;
  }

  #append(field: string, text: string): void {
    if (text !== '') this.#message[field] = stringOf(this.#message[field]) + text;
  }

  /** Lists grow, entries of one index being pieces of one; opaque fields come whole. */
  #rest(delta: Fields): void {
    for (const field of ['annotations', 'images', 'executed_tools'] as const)
      for (const entry of listOf(delta[field]))
        this.#merge(field, entry, ({ index }) => index !== undefined && index === entry['index']);
    const { audio } = delta;
    if (audio) this.#message['audio'] = overlay(fieldsOf(this.#message['audio']), fieldsOf(audio), growing);
    for (const field of opaqueIn(delta)) if (field !== 'reasoning_details') this.#message[field] = delta[field];
  }

  /** Details of one index and kind are pieces of one detail, unless their ids differ. */
  #detail(detail: Fields): void {
    const { index, type, id } = detail;
    this.#merge(
      'reasoning_details',
      detail,
      (known) => known['index'] === index && known['type'] === type && (!known['id'] || !id || known['id'] === id),
    );
  }

  #merge(field: string, entry: Fields, belongs: (known: Fields) => boolean): void {
    const known = listOf(this.#message[field]);
    const at = known.findLastIndex(belongs);
    const earlier = known[at];
    this.#message[field] = earlier ? known.with(at, overlay(earlier, entry, growing)) : [...known, entry];
  }
}

/** Fields of a detail or of spoken words that come in pieces of text. */
const growing: ReadonlySet<string> = new Set(['text', 'summary', 'data', 'transcript']);

/** `known` with what `told` says, field by field and depth by depth; nothing said changes nothing, growing texts are joined. */
function overlay(known: Fields, told: Fields, grows?: ReadonlySet<string>): Fields {
  const merged: Mutable = { ...known };
  for (const [field, value] of Object.entries(told)) {
    if (value === null || value === undefined || value === '') continue;
    if (grows?.has(field)) merged[field] = stringOf(known[field]) + stringOf(value);
    else
      merged[field] =
        typeof value === 'object' && !Array.isArray(value) ? overlay(fieldsOf(known[field]), fieldsOf(value)) : value;
  }
  return merged;
}
