import type { ModelEvent } from '../protocol/events.ts';
import type {
  FunctionCallItem,
  MessageItem,
  OutputItem,
  OutputText,
  ReasoningItem,
  Refusal,
} from '../protocol/items.ts';
import type { Json } from '../protocol/json.ts';

type Events = readonly ModelEvent[];
type OpenMessage = { index: number; id: string; parts: number; text: number | undefined; refusal: number | undefined };

/**
 * Makes the Open Responses events of one streamed response from the deltas of any wire: it opens items and parts as they are
 * needed and numbers them. An adapter's `accumulate` holds one and returns what its methods return; `defineModel` adds the rest:
 * `response.created`, the `done` events, the terminal event and the sequence numbers.
 */
export class ResponseEvents {
  #items = 0;
  #message: OpenMessage | undefined;
  #reasoning: { index: number; id: string; summaries: number } | undefined;
  readonly #calls = new Map<string | number, { index: number; id: string }>();

  /** Visible text of the open message. */
  text(delta: string): Events {
    const events: ModelEvent[] = [];
    const message = this.#openMessage(events);
    message.text ??= this.#openPart(events, message, { type: 'output_text', text: '', annotations: [] });
    events.push({ type: 'response.output_text.delta', ...at(message), content_index: message.text, delta });
    return events;
  }

  /** Words with which the model declines. */
  refusal(delta: string): Events {
    const events: ModelEvent[] = [];
    const message = this.#openMessage(events);
    message.refusal ??= this.#openPart(events, message, { type: 'refusal', refusal: '' });
    events.push({ type: 'response.refusal.delta', ...at(message), content_index: message.refusal, delta });
    return events;
  }

  /** The model's reasoning as it wrote it; `''` only opens the item, for reasoning that is not visible. */
  reasoning(delta: string): Events {
    const events: ModelEvent[] = [];
    const reasoning = this.#openReasoning(events);
    if (delta !== '') events.push({ type: 'response.reasoning_text.delta', ...at(reasoning), content_index: 0, delta });
    return events;
  }

  /** A summary of the reasoning; `part` counts the summaries of one reasoning item. */
  reasoningSummary(delta: string, part = 0): Events {
    const events: ModelEvent[] = [];
    const reasoning = this.#openReasoning(events);
    for (; reasoning.summaries <= part; reasoning.summaries++) {
      const added = { type: 'summary_text', text: '' } as const;
      events.push({
        type: 'response.reasoning_summary_part.added',
        ...at(reasoning),
        summary_index: reasoning.summaries,
        part: added,
      });
    }
    events.push({ type: 'response.reasoning_summary_text.delta', ...at(reasoning), summary_index: part, delta });
    return events;
  }

  /** Opens the function call that the wire calls `key`; give its name as soon as it is whole. */
  call(key: string | number, { callId, name }: { callId: string; name: string }): Events {
    if (this.#calls.has(key)) return [];
    const events: ModelEvent[] = [];
    const item: FunctionCallItem = {
      type: 'function_call',
      status: 'in_progress',
      call_id: callId,
      name,
      arguments: '',
    };
    this.#calls.set(key, this.#open(events, item));
    return events;
  }

  /** A piece of the arguments of an open call. */
  callArguments(key: string | number, delta: string): Events {
    const call = this.#calls.get(key);
    if (!call || delta === '') return [];
    return [{ type: 'response.function_call_arguments.delta', ...at(call), delta }];
  }

  /** An item that arrives whole. */
  item(item: OutputItem): Events {
    const events: ModelEvent[] = [];
    this.#open(events, item);
    return events;
  }

  /** Something of the provider's that has no place in Open Responses. */
  provider(provider: string, data: Json): Events {
    return [{ type: 'polyrun:provider_event', sequence_number: 0, provider, data }];
  }

  /** Ends the open text of a message: text that follows is a part of its own. */
  endPart(): void {
    if (this.#message) this.#message.text = undefined;
  }

  /** Ends the open message and reasoning: what comes next opens items of its own. */
  close(): void {
    this.#message = undefined;
    this.#reasoning = undefined;
  }

  #openMessage(events: ModelEvent[]): OpenMessage {
    if (this.#message) return this.#message;
    const item: MessageItem = { type: 'message', role: 'assistant', status: 'in_progress', content: [] };
    this.#message = { ...this.#open(events, item), parts: 0, text: undefined, refusal: undefined };
    return this.#message;
  }

  #openReasoning(events: ModelEvent[]) {
    if (this.#reasoning) return this.#reasoning;
    const item: ReasoningItem = { type: 'reasoning', status: 'in_progress', summary: [] };
    this.#reasoning = { ...this.#open(events, item), summaries: 0 };
    return this.#reasoning;
  }

  #openPart(events: ModelEvent[], message: OpenMessage, part: OutputText | Refusal): number {
    const index = message.parts++;
    events.push({ type: 'response.content_part.added', ...at(message), content_index: index, part });
    return index;
  }

  #open(events: ModelEvent[], item: OutputItem): { index: number; id: string } {
    const index = this.#items++;
    const id = item.id ?? `item_${index}`;
    events.push({ type: 'response.output_item.added', sequence_number: 0, output_index: index, item: { ...item, id } });
    return { index, id };
  }
}

function at({ index, id }: { index: number; id: string }) {
  return { sequence_number: 0, item_id: id, output_index: index };
}
