import { ModelError } from '../errors.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { MessageItem, MessagePart, OutputItem, OutputText, ReasoningItem, Refusal } from '../protocol/items.ts';
import { toJson, type Json } from '../protocol/json.ts';
import type { ModelResponse } from '../protocol/response.ts';

/** An output item as far as its events have told it: its texts by part, and whether it is done. */
type Tracked = {
  index: number;
  id: string;
  type: string;
  texts: Map<string, string>;
  closed: Set<string>;
  done: boolean;
};

const terminal: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/**
 * Follows the events of one response and supplies what is missing for a well-formed Open Responses sequence: the first and
 * the terminal event, the `done` events, deltas for text that came without any, gapless sequence numbers.
 */
export class StreamCompletion {
  readonly #items: Tracked[] = [];
  readonly #localId: string = `local_${crypto.randomUUID()}`;
  #sequence = 0;
  #started = false;
  #ended = false;

  /** The events to emit for one event of an adapter: nearly always just that one. */
  admit(event: ModelEvent, model: string): readonly ModelEvent[] {
    const first = !this.#started;
    this.#started = true;
    if (first && event.type !== 'response.created') {
      const created = this.#number({
        type: 'response.created',
        sequence_number: 0,
        response: this.#describe(model, 'in_progress'),
      });
      this.#track(event);
      return [created, this.#number(event)];
    }
    this.#track(event);
    return [this.#number(event)];
  }

  /** Closes everything that is open. The response comes back with its items in the order in which the stream showed them. */
  finish(response: ModelResponse): { events: readonly ModelEvent[]; response: ModelResponse } {
    const events: ModelEvent[] = [];
    if (!this.#started) {
      this.#started = true;
      events.push({
        type: 'response.created',
        sequence_number: 0,
        response: this.#describe(response.model, 'in_progress'),
      });
    }
    const placed = this.#place(response.output);
    for (const [item, tracked] of placed) this.#close(item, tracked, events);
    const ordered = { ...response, output: placed.map(([item]) => item) };
    if (!this.#ended) events.push(this.#terminalEvent(ordered));
    events.push({ type: 'polyrun:response_done', sequence_number: 0, response: ordered });
    return { events: events.map((event) => this.#number(event)), response: ordered };
  }

  #number(event: ModelEvent): ModelEvent {
    event.sequence_number = this.#sequence++;
    return event;
  }

  #track(event: ModelEvent): void {
    switch (event.type) {
      case 'response.output_item.added':
        this.#items[event.output_index] = newItem(
          event.output_index,
          event.item.id ?? `item_${event.output_index}`,
          event.item.type,
        );
        return;
      case 'response.output_text.delta':
      case 'response.refusal.delta':
      case 'response.reasoning_text.delta':
        return this.#append(event, `content/${event.content_index}`);
      case 'response.reasoning_summary_text.delta':
        return this.#append(event, `summary/${event.summary_index}`);
      case 'response.function_call_arguments.delta':
        return this.#append(event, 'arguments');
      case 'response.content_part.done':
        this.#items[event.output_index]?.closed.add(`content/${event.content_index}`);
        return;
      case 'response.output_item.done': {
        const item = this.#items[event.output_index];
        if (item) item.done = true;
        return;
      }
      default:
        if (terminal.has(event.type)) this.#ended = true;
    }
  }

  #append(event: { type: string; output_index: number; delta: string }, part: string): void {
    const item = this.#items[event.output_index];
    if (!item)
      throw new ModelError({
        kind: 'protocol',
        message: `${event.type} for output ${event.output_index}, which was never added`,
      });
    item.texts.set(part, (item.texts.get(part) ?? '') + event.delta);
  }

  /** The final items beside what the stream showed of them: the n-th of a kind is the n-th of that kind. */
  #place(output: readonly OutputItem[]): [OutputItem, Tracked][] {
    const left = this.#items.filter((item) => item !== undefined);
    let next = this.#items.length;
    const placed = output.map((item): [OutputItem, Tracked] => {
      const at = left.findIndex(({ type }) => type === item.type);
      const [tracked] = at < 0 ? [] : left.splice(at, 1);
      return [item, tracked ?? newItem(next, item.id ?? `item_${next++}`, item.type)];
    });
    return placed.sort(([, a], [, b]) => a.index - b.index);
  }

  #close(item: OutputItem, tracked: Tracked, events: ModelEvent[]): void {
    if (tracked.done) return;
    const { index, id } = tracked;
    if (this.#items[index] === undefined) {
      const added: OutputItem = { ...item, ...emptied(item), id, status: 'in_progress' };
      events.push({ type: 'response.output_item.added', sequence_number: 0, output_index: index, item: added });
    }
    if (item.type === 'message') closeMessage(item, tracked, events);
    else if (item.type === 'reasoning') closeReasoning(item, tracked, events);
    else if (item.type === 'function_call' && typeof item.arguments === 'string') {
      const rest = remainder(item.arguments, tracked.texts.get('arguments'));
      if (rest !== '') events.push({ type: 'response.function_call_arguments.delta', ...at(tracked), delta: rest });
      events.push({ type: 'response.function_call_arguments.done', ...at(tracked), arguments: item.arguments });
    }
    events.push({
      type: 'response.output_item.done',
      sequence_number: 0,
      output_index: index,
      item: { ...item, id: item.id ?? id },
    });
  }

  #terminalEvent(response: ModelResponse): ModelEvent {
    const cut = response.stop.type === 'length' || response.stop.type === 'content_filter';
    const status = cut ? 'incomplete' : 'completed';
    return {
      type: `response.${status}`,
      sequence_number: 0,
      response: this.#describe(response.model, status, response),
    };
  }

  #describe(model: string, status: string, response?: ModelResponse): Json {
    const { usage, stop } = response ?? {};
    return toJson({
      id: response?.id ?? this.#localId,
      object: 'response',
      status,
      model,
      output: response?.output ?? [],
      incomplete_details:
        status === 'incomplete' ? { reason: stop?.type === 'length' ? 'max_output_tokens' : 'content_filter' } : null,
      usage: usage && {
        input_tokens: usage.inputTokens,
        input_tokens_details: { cached_tokens: usage.inputTokensDetails.cachedTokens },
        output_tokens: usage.outputTokens,
        output_tokens_details: { reasoning_tokens: usage.outputTokensDetails.reasoningTokens },
        total_tokens: usage.totalTokens,
      },
    });
  }
}

function newItem(index: number, id: string, type: string): Tracked {
  return { index, id, type, texts: new Map(), closed: new Set(), done: false };
}

function at({ index, id }: Tracked) {
  return { sequence_number: 0, item_id: id, output_index: index };
}

/** An item before its first delta. */
function emptied(item: OutputItem) {
  if (item.type === 'message') return { content: [] };
  if (item.type === 'reasoning') return { summary: [], content: [] };
  return item.type === 'function_call' ? { arguments: '' } : {};
}

function remainder(whole: string, seen = ''): string {
  return whole.startsWith(seen) ? whole.slice(seen.length) : '';
}

function closeMessage(item: MessageItem, tracked: Tracked, events: ModelEvent[]): void {
  const parts: readonly MessagePart[] =
    typeof item.content === 'string' ? [{ type: 'output_text', text: item.content, annotations: [] }] : item.content;
  for (const [index, part] of parts.entries()) {
    if (part.type === 'output_text' || part.type === 'refusal') events.push(...closePart(part, index, tracked));
  }
}

function* closePart(part: OutputText | Refusal, index: number, tracked: Tracked): Generator<ModelEvent> {
  const key = `content/${index}`;
  if (tracked.closed.has(key)) return;
  const place = { ...at(tracked), content_index: index };
  const text = part.type === 'refusal' ? part.refusal : part.text;
  const seen = tracked.texts.get(key);
  if (seen === undefined) {
    const empty: OutputText | Refusal =
      part.type === 'refusal' ? { type: 'refusal', refusal: '' } : { type: 'output_text', text: '', annotations: [] };
    yield { type: 'response.content_part.added', ...place, part: empty };
  }
  const rest = remainder(text, seen);
  if (part.type === 'refusal') {
    if (rest !== '') yield { type: 'response.refusal.delta', ...place, delta: rest };
    yield { type: 'response.refusal.done', ...place, refusal: text };
  } else {
    if (rest !== '') yield { type: 'response.output_text.delta', ...place, delta: rest };
    yield { type: 'response.output_text.done', ...place, text };
  }
  yield { type: 'response.content_part.done', ...place, part };
}

function closeReasoning(item: ReasoningItem, tracked: Tracked, events: ModelEvent[]): void {
  for (const [index, { text }] of (item.content ?? []).entries()) {
    const place = { ...at(tracked), content_index: index };
    const rest = remainder(text, tracked.texts.get(`content/${index}`));
    if (rest !== '') events.push({ type: 'response.reasoning_text.delta', ...place, delta: rest });
    events.push({ type: 'response.reasoning_text.done', ...place, text });
  }
  for (const [index, part] of item.summary.entries()) {
    const place = { ...at(tracked), summary_index: index };
    const seen = tracked.texts.get(`summary/${index}`);
    if (seen === undefined)
      events.push({
        type: 'response.reasoning_summary_part.added',
        ...place,
        part: { type: 'summary_text', text: '' },
      });
    const rest = remainder(part.text, seen);
    if (rest !== '') events.push({ type: 'response.reasoning_summary_text.delta', ...place, delta: rest });
    events.push({ type: 'response.reasoning_summary_text.done', ...place, text: part.text });
    events.push({ type: 'response.reasoning_summary_part.done', ...place, part });
  }
}
