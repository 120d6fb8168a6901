import * as fc from 'fast-check';
import type { ModelEvent, ModelResponse, OutputItem } from '../../src/index.ts';
import { call, message } from '../../src/testing/index.ts';
import { eventProblems } from '../../src/testing/model-kit/event-grammar.ts';

const text = fc.string({ maxLength: 30 });
const texts = fc.array(text, { minLength: 1, maxLength: 3 });
/** An item as a model may write it. */
export const anyItem: fc.Arbitrary<OutputItem> = fc.oneof(
  text.map((written) => message(written)),
  texts.map((parts): OutputItem => ({
    type: 'message',
    role: 'assistant',
    content: parts.map((part) => ({ type: 'output_text', text: part, annotations: [] })),
  })),
  text.map((refusal): OutputItem => ({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal }] })),
  fc
    .record({ summary: fc.array(text, { maxLength: 2 }), content: fc.array(text, { maxLength: 2 }) })
    .map(({ summary, content }): OutputItem => ({
      type: 'reasoning',
      summary: summary.map((part) => ({ type: 'summary_text', text: part })),
      content: content.map((part) => ({ type: 'reasoning_text', text: part })),
    })),
  fc.uuid().map((id): OutputItem => ({ type: 'toy:search_call', id, status: 'completed', query: 'x' })),
  fc
    .tuple(
      fc.constantFrom('echo', 'broken', 'missing', 'transfer_to_b', 'transfer_to_a'),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
      fc.nat(3),
    )
    .map(([name, value, n]) => call(name, { value }, `call_${n}`)),
);
/** What a model's whole stream breaks of the grammar of Open Responses; empty when nothing. */
export function grammarProblems(events: readonly ModelEvent[]): string[] {
  return eventProblems(events, true);
}

/** The items that the `done` events hold, without the ids that only events need. */
export function doneItems(events: readonly ModelEvent[]): unknown[] {
  const items: unknown[] = [];
  for (const event of events) {
    if (event.type !== 'response.output_item.done') continue;
    const { id: _, ...item } = event.item;
    items[event.output_index] = item;
  }
  return items;
}

export function withoutIds({ output }: ModelResponse): unknown[] {
  return output.map(({ id: _, ...item }) => item);
}
