import { ModelError, ResponseEvents, type ModelEvent } from '@polyrun/core';
import { ToolCalls } from './tool-calls.ts';
import { doneMark, fieldsOf, listOf, numberOf, textOf, type Chunk, type Fields, type Reply } from './wire.ts';

type Mutable = { [field: string]: unknown };

/** Fields of a message that come in pieces of text. */
const textFields = ['content', 'refusal', 'reasoning_content', 'reasoning'] as const;
type TextField = (typeof textFields)[number];

/** Adds the chunks of a stream up to the completion that an unstreamed call would have returned, and tells what each brings. */
export function accumulateReply(): { add(chunk: Chunk): readonly ModelEvent[]; end(): Reply } {
  const reply = new StreamedReply();
  return { add: (chunk) => reply.add(chunk), end: () => reply.end() };
}

class StreamedReply {
  readonly #events = new ResponseEvents();
  readonly #calls = new ToolCalls(this.#events);
  readonly #completion: Mutable = {};
  readonly #message: Mutable = { role: 'assistant' };
  #texts: { [field in TextField]?: string } = {};
  #usage: Fields | undefined;
  #finish: string | undefined;
  #done = false;
  #requestId: string | undefined;
  #spoken: 'reasoning_content' | 'reasoning' | 'reasoning_details' | undefined;

  add({ data, requestId }: Chunk): readonly ModelEvent[] {
    this.#requestId ??= requestId;
    if (data === doneMark) {
      this.#done = true;
      return this.#calls.end();
    }
    const chunk = fieldsOf(data);
    this.#note(chunk);
    const choices = listOf(chunk['choices']).map(fieldsOf);
    const choice = choices.find(({ index }) => (numberOf(index) ?? 0) === 0);
    if (!choice) return [];
    const finish = textOf(choice['finish_reason']);
    if (finish !== '') this.#finish = finish;
    // `message` is the whole so far where a delta stands beside it, and all there is where a server did not stream.
    const events = this.#delta(fieldsOf(choice['delta'] ?? choice['message']));
    if (finish !== '') events.push(...this.#calls.end());
    return events;
  }

  end(): Reply {
    if (this.#finish === undefined && !this.#done) {
      const message = 'The stream ended before the model had: neither a finish reason nor [DONE] came.';
      throw new ModelError({ kind: 'protocol', message, retryable: true, ...this.#request() });
    }
    const toolCalls = this.#calls.entries();
    const message = { ...this.#message, ...this.#texts, ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}) };
    const choice = { index: 0, message, finish_reason: this.#finish ?? null };
    const completion = { ...this.#completion, choices: [choice], ...(this.#usage ? { usage: this.#usage } : {}) };
    return { completion, ...this.#request() };
  }

  #request(): { requestId?: string } {
    return this.#requestId === undefined ? {} : { requestId: this.#requestId };
  }

  /** Everything beside the choices: the first id and model, the last word on the rest. */
  #note(chunk: Fields): void {
    for (const [field, value] of Object.entries(chunk)) {
      if (field === 'choices' || field === 'usage' || value === null || value === '') continue;
      if ((field === 'id' || field === 'model') && this.#completion[field] !== undefined) continue;
      this.#completion[field] = value;
    }
    // Groq's older streams report usage in a field of their own.
    const usage = chunk['usage'] ?? fieldsOf(chunk['x_groq'])['usage'];
    if (usage) this.#usage = mergedUsage(this.#usage ?? {}, fieldsOf(usage));
  }

  #delta(delta: Fields): ModelEvent[] {
    const events: ModelEvent[] = [];
    this.#reasoning(delta, events);
    if (Array.isArray(delta['content'])) this.#contentParts(delta['content'], events);
    else events.push(...this.#text('content', delta['content']));
    events.push(...this.#text('refusal', delta['refusal']));
    for (const entry of listOf(delta['tool_calls'])) events.push(...this.#calls.add(entry));
    if (delta['function_call']) events.push(...this.#calls.add({ index: -1, function: delta['function_call'] }));
    for (const field of ['annotations', 'images'] as const) {
      const added = listOf(delta[field]);
      if (added.length > 0) this.#message[field] = [...listOf(this.#message[field]), ...added];
    }
    const ran = listOf(delta['executed_tools']);
    if (ran.length > 0) this.#message['executed_tools'] = mergedEntries(listOf(this.#message['executed_tools']), ran);
    for (const field of ['extra_content', 'thought_signature'] as const)
      if (delta[field]) this.#message[field] = delta[field];
    return events;
  }

  #text(field: TextField, value: unknown): readonly ModelEvent[] {
    const text = textOf(value);
    if (text === '') return [];
    this.#texts[field] = (this.#texts[field] ?? '') + text;
    if (field === 'content') return this.#events.text(text);
    if (field === 'refusal') return this.#events.refusal(text);
    return [];
  }

  /** Several fields may tell the same thought; the first one in use is the one that is passed on. */
  #reasoning(delta: Fields, events: ModelEvent[]): void {
    const details = listOf(delta['reasoning_details']).map(fieldsOf);
    for (const detail of details) this.#detail(detail);
    for (const field of ['reasoning_content', 'reasoning'] as const) {
      const text = textOf(delta[field]);
      this.#text(field, text);
      if (text !== '') this.#spoken ??= field;
      if (text !== '' && this.#spoken === field) events.push(...this.#events.reasoning(text));
    }
    if (details.length === 0) return;
    const text = details.map(detailText).join('');
    if (text !== '') this.#spoken ??= 'reasoning_details';
    events.push(...this.#events.reasoning(this.#spoken === 'reasoning_details' ? text : ''));
  }

  /** Details of one index and kind are pieces of one detail, unless their ids differ. */
  #detail(detail: Fields): void {
    const earlier = listOf(this.#message['reasoning_details']).map(fieldsOf);
    const at = earlier.findLastIndex(
      (known) =>
        known['index'] === detail['index'] &&
        known['type'] === detail['type'] &&
        (!known['id'] || !detail['id'] || known['id'] === detail['id']),
    );
    this.#message['reasoning_details'] =
      at < 0 ? [...earlier, detail] : earlier.with(at, mergedDetail(earlier[at] ?? {}, detail));
  }

  /** Content in parts, as Mistral streams it: thinking beside text. */
  #contentParts(parts: readonly unknown[], events: ModelEvent[]): void {
    for (const part of parts.map(fieldsOf)) {
      if (part['type'] !== 'thinking') {
        events.push(...this.#text('content', part['text']));
        continue;
      }
      const text = thinkingText(part);
      this.#message['thinking'] = textOf(this.#message['thinking']) + text;
      if (text !== '') events.push(...this.#events.reasoning(text));
    }
  }
}

/** The visible text of an entry of `reasoning_details`. */
export function detailText(detail: Fields): string {
  return textOf(detail['text']) || textOf(detail['summary']);
}

/** The text of a content part of type `thinking`. */
export function thinkingText({ thinking }: Fields): string {
  if (typeof thinking === 'string') return thinking;
  return listOf(thinking)
    .map((part) => textOf(fieldsOf(part)['text']))
    .join('');
}

function mergedDetail(known: Fields, piece: Fields): Fields {
  const merged: Mutable = { ...known };
  for (const [field, value] of Object.entries(piece)) {
    const grows = field === 'text' || field === 'summary' || field === 'data';
    if (grows && typeof value === 'string') merged[field] = textOf(known[field]) + value;
    else if (value !== null && value !== undefined) merged[field] = value;
  }
  return merged;
}

/** The last word wins, field by field, one level into the details. */
function mergedUsage(known: Fields, told: Fields): Fields {
  const merged: Mutable = { ...known };
  for (const [field, value] of Object.entries(told)) {
    if (value === null || value === undefined) continue;
    merged[field] = typeof value === 'object' ? mergedUsage(fieldsOf(known[field]), fieldsOf(value)) : value;
  }
  return merged;
}

/** Entries that share an index are one entry. */
function mergedEntries(known: readonly unknown[], pieces: readonly unknown[]): readonly unknown[] {
  return pieces.map(fieldsOf).reduce<readonly unknown[]>((entries, piece) => {
    const at = entries.findIndex((entry) => fieldsOf(entry)['index'] === piece['index']);
    return at < 0 ? [...entries, piece] : entries.with(at, { ...fieldsOf(entries[at]), ...piece });
  }, known);
}
