import type { Json } from './json.ts';
import type { OutputItem, OutputText, Refusal } from './items.ts';
import type { ModelErrorKind, ModelResponse } from './response.ts';

type Part = { item_id: string; output_index: number };
type Event<T extends string, F> = { type: T; sequence_number: number } & F;

/** The semantic streaming events of Open Responses, verbatim. */
export type WireEvent =
  | Event<
      | 'response.created'
      | 'response.queued'
      | 'response.in_progress'
      | 'response.completed'
      | 'response.incomplete'
      | 'response.failed',
      { response: Json }
    >
  | Event<'response.output_item.added' | 'response.output_item.done', { output_index: number; item: OutputItem }>
  | Event<
      'response.content_part.added' | 'response.content_part.done',
      Part & { content_index: number; part: OutputText | Refusal }
    >
  | Event<
      'response.output_text.delta' | 'response.refusal.delta' | 'response.reasoning_text.delta',
      Part & { content_index: number; delta: string }
    >
  | Event<'response.output_text.done', Part & { content_index: number; text: string }>
  | Event<'response.refusal.done', Part & { content_index: number; refusal: string }>
  | Event<'response.reasoning_text.done', Part & { content_index: number; text: string }>
  | Event<
      'response.reasoning_summary_part.added' | 'response.reasoning_summary_part.done',
      Part & { summary_index: number; part: { type: 'summary_text'; text: string } }
    >
  | Event<'response.reasoning_summary_text.delta', Part & { summary_index: number; delta: string }>
  | Event<'response.reasoning_summary_text.done', Part & { summary_index: number; text: string }>
  | Event<'response.function_call_arguments.delta', Part & { delta: string }>
  | Event<'response.function_call_arguments.done', Part & { arguments: string }>
  | Event<'error', { code: string | null; message: string }>
  | Event<'polyrun:provider_event', { provider: string; data: Json }>;

/** Our own extension event, always the last one of a model stream: the response that `getResponse` would have returned. */
export type ResponseDoneEvent = { type: 'polyrun:response_done'; sequence_number: number; response: ModelResponse };

/** An attempt failed after its deltas were seen; what it emitted since its `response.created` is void. */
export type AttemptDiscardedEvent = {
  type: 'polyrun:attempt_discarded';
  sequence_number: number;
  attempt: number;
  error: { kind: ModelErrorKind; message: string };
};

export type ModelEvent = WireEvent | ResponseDoneEvent | AttemptDiscardedEvent;
