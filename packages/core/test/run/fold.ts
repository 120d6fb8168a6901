import type { ModelEvent, ModelResponse, OutputItem } from '../../src/index.ts';

/** What a model's stream breaks of the grammar of Open Responses; empty when nothing. */
export function grammarProblems(events: readonly ModelEvent[]): string[] {
  const problems: string[] = [];
  const items = new Map<number, { id: string; done: boolean; parts: Map<string, boolean> }>();
  const types = events.map(({ type }) => type);
  const check = (ok: boolean, problem: string) => {
    if (!ok) problems.push(problem);
  };
  check(types[0] === 'response.created', 'does not begin with response.created');
  check(types.at(-1) === 'polyrun:response_done', 'does not end with polyrun:response_done');
  check(
    /^response\.(?:completed|incomplete|failed)$/.test(types.at(-2) ?? ''),
    'has no terminal event before the last',
  );
  check(types.filter((type) => type === 'polyrun:response_done').length === 1, 'is done more than once');
  for (const [index, event] of events.entries()) {
    check(event.sequence_number === index, `${event.type} has number ${event.sequence_number} at ${index}`);
    if (event.type === 'response.output_item.added') {
      check(!items.has(event.output_index), `item ${event.output_index} is added twice`);
      items.set(event.output_index, { id: event.item.id ?? '', done: false, parts: new Map() });
      check(event.item.id !== undefined && event.item.id !== '', `item ${event.output_index} has no id`);
      continue;
    }
    if (!('output_index' in event)) continue;
    const item = items.get(event.output_index);
    if (item === undefined || item.done) {
      problems.push(`${event.type} for item ${event.output_index}, which is not open`);
      continue;
    }
    if ('item_id' in event) check(event.item_id === item.id, `${event.type} names ${event.item_id}, not ${item.id}`);
    const key =
      'content_index' in event ? `c${event.content_index}` : 'summary_index' in event ? `s${event.summary_index}` : 'a';
    switch (event.type) {
      case 'response.output_item.done':
        item.done = true;
        check(
          [...item.parts.values()].every((closed) => closed),
          `item ${event.output_index} is done with an open part`,
        );
        break;
      case 'response.content_part.added':
      case 'response.reasoning_summary_part.added':
        check(!item.parts.has(key), `part ${key} is added twice`);
        item.parts.set(key, false);
        break;
      case 'response.content_part.done':
      case 'response.reasoning_summary_part.done':
        check(item.parts.get(key) === false, `part ${key} is done without being open`);
        item.parts.set(key, true);
        break;
      case 'response.output_text.delta':
      case 'response.refusal.delta':
      case 'response.reasoning_summary_text.delta':
        check(item.parts.get(key) === false, `${event.type} for part ${key}, which is not open`);
        break;
      default:
    }
  }
  for (const [index, { done }] of items) check(done, `item ${index} is never done`);
  return problems;
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
  const texts: [string, string][] = [];
  if (item.type === 'message') {
    const content =
      typeof item.content === 'string' ? [{ type: 'output_text', text: item.content } as const] : item.content;
    for (const [index, part] of content.entries()) {
      if (part.type === 'output_text') texts.push([`output_text ${index}`, part.text]);
      if (part.type === 'refusal') texts.push([`refusal ${index}`, part.refusal]);
    }
  }
  if (item.type === 'reasoning' && Array.isArray(item.summary)) {
    const { content = [], summary } = item;
    for (const [index, { text }] of (Array.isArray(content) ? content : []).entries())
      if (text !== '') texts.push([`reasoning ${index}`, text]);
    for (const [index, { text }] of summary.entries()) texts.push([`summary ${index}`, text]);
  }
  const name = item.type === 'function_call' ? { name: item['name'] } : {};
  if (item.type === 'function_call' && typeof item.arguments === 'string' && item.arguments !== '')
    texts.push(['arguments', item.arguments]);
  return { type: item.type, ...name, texts: Object.fromEntries(texts.toSorted(byKey)) };
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

function byKey([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}
