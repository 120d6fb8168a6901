import { isFields, ResponseEvents, type Fields, type ModelEvent } from '@polyrun/core';
import { fieldsOf, given, listOf, numberOf, streamCut, stringOf } from '@polyrun/core/http';
import { appendChunk, chunksOf, segmentKind, thinkingText, type Segment } from './chunks.ts';
import { callItems, chunkItem } from './decode.ts';
import { ToolCalls } from './tool-calls.ts';
import { doneMark, type Chunk, type Reply } from './wire.ts';

/** Adds the chunks of a stream up to the completion that an unstreamed call would have returned, and tells what each brings. */
export function accumulateReply(provider: string): { add(chunk: Chunk): readonly ModelEvent[]; end(): Reply } {
  const reply = new StreamedReply(provider);
  return { add: (chunk) => reply.add(chunk), end: () => reply.end() };
}

type Message = {
  readonly head: { readonly role: string; readonly tool_call_id?: unknown };
  readonly index: number | undefined;
  readonly place: number;
  readonly chunks: Fields[];
  readonly calls: ToolCalls;
};

class StreamedReply {
  readonly #provider: string;
  readonly #events = new ResponseEvents();
  readonly #messages: Message[] = [];
  readonly #completion: { [field: string]: unknown } = {};
  #segment: Segment['kind'] | undefined;
  #finish: string | undefined;
  #begun = false;
  #pieces = false;
  #done = false;
  #requestId: string | undefined;

  constructor(provider: string) {
    this.#provider = provider;
  }

  add({ data, requestId, hosted = false }: Chunk): readonly ModelEvent[] {
    this.#requestId ??= requestId;
    if (data === doneMark) {
      this.#done = true;
      return [];
    }
    const { choices, ...rest } = fieldsOf(data);
    // The last word on everything beside the choices.
    for (const field in rest) this.#completion[field] = rest[field] ?? this.#completion[field];
    const choice = listOf(choices).find(({ index }) => !Number(index));
    if (!choice) return [];
    this.#begun = true;
    this.#finish = stringOf(choice['finish_reason']) || this.#finish;
    // Behind deltas, `message` is the whole so far; it is all there is where a server did not stream.
    const { delta, message } = choice;
    this.#pieces ||= isFields(delta);
    return this.#delta(fieldsOf(this.#pieces ? delta : message), hosted);
  }

  end(): Reply {
    const request = given({ requestId: this.#requestId });
    if (this.#finish === undefined && !this.#done) throw streamCut(this.#requestId);
    const messages = this.#messages.map(asMessage);
    const said = messages.length > 1 ? { messages } : { message: messages[0] ?? {} };
    const choice = { index: 0, ...said, finish_reason: this.#finish };
    // A stream that only ended holds no answer.
    return { completion: { ...this.#completion, choices: this.#begun ? [choice] : [] }, ...request };
  }

  #delta(delta: Fields, hosted: boolean): ModelEvent[] {
    const { message, events } = this.#messageOf(delta, hosted);
    const results = message.head.role === 'tool';
    for (const chunk of chunksOf(delta)) {
      const goesOn = appendChunk(message.chunks, chunk);
      if (!results) events.push(...this.#tell(chunk, goesOn));
    }
    for (const entry of listOf(delta['tool_calls'])) message.calls.add(entry);
    // Where Mistral may run a call itself, who runs it shows only behind it.
    if (!hosted) events.push(...message.calls.tell(this.#events, message.place));
    return events;
  }

  #tell(chunk: Fields, goesOn: boolean): readonly ModelEvent[] {
    const kind = segmentKind(chunk);
    if (kind === 'other' || this.#segment !== kind || (kind === 'thinking' && !goesOn)) this.#events.close();
    this.#segment = kind;
    if (kind === 'thinking') return this.#events.reasoning(thinkingText(chunk));
    if (kind === 'other') return this.#events.item(chunkItem(chunk, this.#provider));
    return chunk['type'] === 'text' ? this.#events.text(stringOf(chunk['text'])) : [];
  }

  /** The message that a delta belongs to: another number, or another role, begins another one. */
  #messageOf(delta: Fields, hosted: boolean): { message: Message; events: ModelEvent[] } {
    const { role, tool_call_id } = delta;
    const last = this.#messages.at(-1);
    if (last && goesOn(last, delta)) return { message: last, events: [] };
    const place = this.#messages.length;
    const head = { role: stringOf(role) || 'assistant', ...given({ tool_call_id: tool_call_id ?? undefined }) };
    const message = { head, index: numberOf(delta['index']), place, chunks: [], calls: new ToolCalls() };
    this.#messages.push(message);
    const events = role === 'tool' ? [] : this.#executed(hosted);
    this.#events.close();
    this.#segment = undefined;
    return { message, events };
  }

  /** What Mistral ran in the message before the one that has just begun. */
  #executed(hosted: boolean): ModelEvent[] {
    const before = this.#messages.slice(0, -1).findLast(({ head }) => head.role !== 'tool');
    if (!hosted || !before) return [];
    const called = { messages: this.#messages.map(asMessage), last: false, provider: this.#provider, cut: false };
    return callItems(before.calls.entries(), called).flatMap((item) =>
      item.type === 'function_call' ? [] : this.#events.item(item),
    );
  }
}

function goesOn({ head, index }: Message, delta: Fields): boolean {
  const number = numberOf(delta['index']) ?? index;
  return number === (index ?? number) && (stringOf(delta['role']) || head.role) === head.role;
}

function asMessage({ head, chunks, calls }: Message): Fields {
  return { ...head, content: chunks, tool_calls: calls.entries() };
}
