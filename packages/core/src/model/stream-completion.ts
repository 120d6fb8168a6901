import { ModelError } from '../errors.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { OutputItem } from '../protocol/items.ts';
import { toJson, type Json } from '../protocol/json.ts';
import type { ModelResponse } from '../protocol/response.ts';

/** An output item as far as its events have told it: the texts that its deltas gave, and whether it and its parts are done. */
type Tracked = { index: number; id: string; type: string; texts: Map<string, string>; done: Set<string> };
/** A text of an item: which events tell it, where it stands, and the part that it is. */
type Text = { kind: string; at: object; field: string; text: string; part?: { name: string; value: object } };

/**
 * Follows the events of one response and supplies what is missing for a well-formed Open Responses sequence: the first and
 * the terminal event, the `done` events, deltas for text that came without any, gapless sequence numbers.
 */
export class StreamCompletion {
  readonly #items: Tracked[] = [];
  readonly #localId: string = `local_${crypto.randomUUID()}`;
  #sequence = 0;
  #ended = false;

  /** The events to emit for one event of an adapter: nearly always just that one. An item that is done closes all that is in it. */
  admit(event: ModelEvent, model: string): readonly ModelEvent[] {
    const first = this.#sequence === 0 && event.type !== 'response.created' ? [this.#created(model)] : [];
    if (event.type !== 'response.output_item.done') {
      this.#track(event);
      return [...first, this.#number(event)];
    }
    const { item, output_index } = event;
    const closing = [...this.#closing(item, this.#items[output_index] ?? newItem(output_index, item))];
    for (const each of closing) this.#track(each);
    return [...first, ...closing.map((each) => this.#number(each))];
  }

  /** Closes everything that is open. The response comes back with its items in the order in which the stream showed them. */
  finish(response: ModelResponse): { events: readonly ModelEvent[]; response: ModelResponse } {
    const placed = this.#place(response.output);
    const ordered = { ...response, output: placed.map(([item]) => item) };
    const { type } = response.stop;
    const status = type === 'length' || type === 'content_filter' ? 'incomplete' : 'completed';
    const first = this.#sequence === 0 ? [this.#created(response.model)] : [];
    const events = placed.flatMap(([item, tracked]) => [...this.#closing(item, tracked)]);
    if (!this.#ended) events.push(event(`response.${status}`, { response: this.#describe(status, ordered) }));
    events.push({ type: 'polyrun:response_done', sequence_number: 0, response: ordered });
    return { events: [...first, ...events.map((each) => this.#number(each))], response: ordered };
  }

  #created(model: string): ModelEvent {
    return this.#number(event('response.created', { response: this.#describe('in_progress', { model, output: [] }) }));
  }

  #number(each: ModelEvent): ModelEvent {
    each.sequence_number = this.#sequence++;
    return each;
  }

  #track(each: ModelEvent): void {
    if ('delta' in each) {
      const item = this.#items[each.output_index];
      if (!item) {
        const message = `${each.type} for output ${each.output_index}, which was never added`;
        throw new ModelError({ kind: 'protocol', message });
      }
      const key = keyOf(each.type.slice('response.'.length, -'.delta'.length), each);
      item.texts.set(key, (item.texts.get(key) ?? '') + each.delta);
    } else if (each.type === 'response.output_item.added') {
      this.#items[each.output_index] = newItem(each.output_index, each.item);
    } else if ('output_index' in each) {
      const item = this.#items[each.output_index];
      if (each.type.endsWith('.done'))
        item?.done.add(keyOf(each.type.slice('response.'.length, -'.done'.length), each));
      else if ('part' in each) item?.texts.set(keyOf(textKind(each.part), each), '');
    } else this.#ended ||= /^response\.(?:completed|incomplete|failed)$/.test(each.type);
  }

  /** The final items beside what the stream showed of them: the n-th of a kind is the n-th of that kind. */
  #place(output: readonly OutputItem[]): [OutputItem, Tracked][] {
    const left = this.#items.filter((item) => item !== undefined);
    let next = this.#items.length;
    const placed = output.map((item): [OutputItem, Tracked] => {
      const at = left.findIndex(({ type }) => type === item.type);
      const [tracked] = at < 0 ? [] : left.splice(at, 1);
      return [item, tracked ?? newItem(next++, item)];
    });
    return placed.toSorted(([, a], [, b]) => a.index - b.index);
  }

  *#closing(item: OutputItem, tracked: Tracked): Generator<ModelEvent> {
    const { index, id } = tracked;
    if (tracked.done.has('output_item')) return;
    const place = { item_id: id, output_index: index };
    if (this.#items[index] === undefined) {
      yield event('response.output_item.added', {
        output_index: index,
        item: { ...item, ...emptied(item), id, status: 'in_progress' },
      });
    }
    for (const told of textsOf(item)) yield* closingText(told, { ...place, ...told.at }, tracked);
    yield event('response.output_item.done', { output_index: index, item: { ...item, id: item.id ?? id } });
  }

  #describe(status: string, { id, model, output, usage, stop }: Partial<ModelResponse>): Json {
    const reason = stop?.type === 'length' ? 'max_output_tokens' : 'content_filter';
    return toJson({
      id: id ?? this.#localId,
      object: 'response',
      status,
      model,
      output,
      incomplete_details: status === 'incomplete' ? { reason } : null,
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

/** What is left to tell of a text after the events that were seen of it. */
function* closingText(
  { kind, field, text, part }: Text,
  where: object,
  { texts, done }: Tracked,
): Generator<ModelEvent> {
  const key = keyOf(kind, where);
  const seen = texts.get(key);
  if (!done.has(key)) {
    if (part && seen === undefined)
      yield event(`response.${part.name}.added`, { ...where, part: { ...part.value, [field]: '' } });
    const rest = text.startsWith(seen ?? '') ? text.slice(seen?.length) : '';
    if (rest !== '') yield event(`response.${kind}.delta`, { ...where, delta: rest });
    yield event(`response.${kind}.done`, { ...where, [field]: text });
  }
  if (part && !done.has(keyOf(part.name, where)))
    yield event(`response.${part.name}.done`, { ...where, part: part.value });
}

function newItem(index: number, { id = `item_${index}`, type }: OutputItem): Tracked {
  return { index, id, type, texts: new Map(), done: new Set() };
}

function textKind({ type }: { type: string }): string {
  return type === 'summary_text' ? 'reasoning_summary_text' : type;
}

/** Names one text of an item. */
function keyOf(kind: string, at: object): string {
  if ('content_index' in at) return `${kind}/${String(at.content_index)}`;
  return 'summary_index' in at ? `${kind}/${String(at.summary_index)}` : kind;
}

function event(type: string, fields: object): ModelEvent {
  const made = { sequence_number: 0, type, ...fields };
  // The names of most events are put together from the names of the texts and parts that they tell.
  return made as ModelEvent;
}

/** An item before its first delta. */
function emptied({ type }: OutputItem): object {
  if (type === 'message') return { content: [] };
  if (type === 'reasoning') return { summary: [], content: [] };
  return type === 'function_call' ? { arguments: '' } : {};
}

function textsOf(item: OutputItem): Text[] {
  if (item.type === 'function_call') {
    return [{ kind: 'function_call_arguments', at: {}, field: 'arguments', text: item.arguments }];
  }
  if (item.type === 'reasoning') {
    const summaries = item.summary.map((value, summary_index): Text => {
      const part = { name: 'reasoning_summary_part', value };
      return { kind: 'reasoning_summary_text', at: { summary_index }, field: 'text', text: value.text, part };
    });
    const contents = item.content ?? [];
    return [
      ...contents.map(({ text }, content_index) => ({
        kind: 'reasoning_text',
        at: { content_index },
        field: 'text',
        text,
      })),
      ...summaries,
    ];
  }
  if (item.type !== 'message') return [];
  const parts =
    typeof item.content === 'string' ? [{ type: 'output_text', text: item.content } as const] : item.content;
  return parts.flatMap((value, content_index): Text[] => {
    const part = { name: 'content_part', value };
    const at = { content_index };
    if (value.type === 'output_text') return [{ kind: 'output_text', at, field: 'text', text: value.text, part }];
    return value.type === 'refusal' ? [{ kind: 'refusal', at, field: 'refusal', text: value.refusal, part }] : [];
  });
}
