import * as fc from 'fast-check';
import type { ModelEvent, ModelResponse, OutputItem } from '../../src/index.ts';
import { call, message } from '../../src/testing/index.ts';

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
  fc.constant<OutputItem>({ type: 'toy:search_call', id: 'ws_1', status: 'completed', query: 'x' }),
  fc
    .tuple(
      fc.constantFrom('echo', 'broken', 'missing', 'transfer_to_b', 'transfer_to_a'),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
      fc.nat(3),
    )
    .map(([name, value, n]) => call(name, { value }, `call_${n}`)),
);
/** What a model's stream breaks of the grammar of Open Responses; empty when nothing. */
export function grammarProblems(events: readonly ModelEvent[]): string[] {
  const types = events.map(({ type }) => type);
  const problems = [
    types[0] === 'response.created' ? '' : 'does not begin with response.created',
    types.at(-1) === 'polyrun:response_done' ? '' : 'does not end with polyrun:response_done',
    /^response\.(?:completed|incomplete|failed)$/.test(types.at(-2) ?? '')
      ? ''
      : 'has no terminal event before the last',
    types.filter((type) => type === 'polyrun:response_done').length === 1 ? '' : 'is done more than once',
    ...events.map(({ type, sequence_number: number }, index) =>
      number === index ? '' : `${type} is ${number} at ${index}`,
    ),
  ].filter((problem) => problem !== '');
  return [...problems, ...sequenceProblems(events)];
}

function sequenceProblems(events: readonly ModelEvent[]): string[] {
  const problems: string[] = [];
  const items = new Map<number, OpenItem>();
  for (const event of events) {
    if (event.type === 'response.output_item.added') {
      if (items.has(event.output_index)) problems.push(`item ${event.output_index} is added twice`);
      if (!event.item.id) problems.push(`item ${event.output_index} has no id`);
      items.set(event.output_index, { id: event.item.id ?? '', done: false, parts: new Map() });
    } else if ('output_index' in event) problems.push(...itemProblems(event, items.get(event.output_index)));
  }
  for (const [index, { done }] of items) if (!done) problems.push(`item ${index} is never done`);
  return problems;
}

type OpenItem = { id: string; done: boolean; parts: Map<string, 'open' | 'done'> };

function itemProblems(event: Extract<ModelEvent, { output_index: number }>, item: OpenItem | undefined): string[] {
  const where = `${event.type} of item ${event.output_index}`;
  if (item === undefined || item.done) return [`${where}, which is not open`];
  if ('item_id' in event && event.item_id !== item.id) return [`${where} names ${event.item_id}`];
  if (event.type === 'response.output_item.done') {
    item.done = true;
    return [...item.parts.values()].includes('open') ? [`${where} with an open part`] : [];
  }
  return partProblems(event, item).map((problem) => `${where} ${problem}`);
}

function partProblems(event: object & { type: string }, { parts }: OpenItem): string[] {
  const key =
    'content_index' in event
      ? `c${String(event.content_index)}`
      : 'summary_index' in event
        ? `s${String(event.summary_index)}`
        : '';
  const state = parts.get(key);
  if (event.type.endsWith('part.added')) {
    parts.set(key, 'open');
    return state === undefined ? [] : [`adds part ${key} twice`];
  }
  if (event.type.endsWith('part.done')) {
    parts.set(key, 'done');
    return state === 'open' ? [] : [`ends part ${key}, which is not open`];
  }
  // Reasoning text and arguments have no parts.
  const loose = key === '' || event.type.startsWith('response.reasoning_text.');
  return loose || state === 'open' ? [] : [`for part ${key}, which is not open`];
}

/** The items that the deltas alone make, without ids and what only a whole item has. */
export function foldDeltas(events: readonly ModelEvent[]): unknown[] {
  const items: { type: string; name?: string; texts: Map<string, string> }[] = [];
  const append = (index: number, key: string, delta: string) => {
    const texts = items[index]?.texts;
    texts?.set(key, (texts.get(key) ?? '') + delta);
  };
  for (const event of events) {
    switch (event.type) {
      case 'response.output_item.added':
        items[event.output_index] = {
          type: event.item.type,
          ...(event.item.type === 'function_call' ? { name: event.item.name } : {}),
          texts: new Map(),
        };
        break;
      case 'response.content_part.added':
        append(event.output_index, `${event.part.type} ${event.content_index}`, '');
        break;
      case 'response.reasoning_summary_part.added':
        append(event.output_index, `summary ${event.summary_index}`, '');
        break;
      case 'response.output_text.delta':
        append(event.output_index, `output_text ${event.content_index}`, event.delta);
        break;
      case 'response.refusal.delta':
        append(event.output_index, `refusal ${event.content_index}`, event.delta);
        break;
      case 'response.reasoning_text.delta':
        append(event.output_index, `reasoning ${event.content_index}`, event.delta);
        break;
      case 'response.reasoning_summary_text.delta':
        append(event.output_index, `summary ${event.summary_index}`, event.delta);
        break;
      case 'response.function_call_arguments.delta':
        append(event.output_index, 'arguments', event.delta);
        break;
      default:
    }
  }
  return items.map(({ texts, ...item }) => ({ ...item, texts: Object.fromEntries([...texts].toSorted(byKey)) }));
}

/** A final item in the shape of `foldDeltas`. */
export function asFolded(item: OutputItem): unknown {
  const name = item.type === 'function_call' ? { name: item['name'] } : {};
  return { type: item.type, ...name, texts: Object.fromEntries(textsOf(item).toSorted(byKey)) };
}

function textsOf(item: OutputItem): [string, unknown][] {
  const fields: Record<string, unknown> = { ...item };
  const parts = (key: string) => (Array.isArray(fields[key]) ? fields[key] : []).entries();
  const texts: [string, unknown][] = [];
  if (item.type === 'message')
    for (const [index, part] of parts('content')) texts.push([`${part.type} ${index}`, part.text ?? part.refusal]);
  if (item.type === 'reasoning') {
    // Reasoning text has no part of its own that an event opens.
    for (const [index, { text: written }] of parts('content'))
      if (written !== '') texts.push([`reasoning ${index}`, written]);
    for (const [index, { text: written }] of parts('summary')) texts.push([`summary ${index}`, written]);
  }
  if (item.type === 'function_call' && item['arguments'] !== '') texts.push(['arguments', item['arguments']]);
  return texts;
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

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
