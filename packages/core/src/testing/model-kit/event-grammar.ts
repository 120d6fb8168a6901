import type { ModelEvent } from '../../protocol/events.ts';
import type { OutputItem, ReasoningItem } from '../../protocol/items.ts';

type ItemEvent = Extract<ModelEvent, { item: unknown }>;
type TextEvent = Extract<ModelEvent, { item_id: string }>;
type OpenItem = {
  id: string;
  type: string;
  done: boolean;
  texts: Map<string, string>;
  parts: Map<string, 'open' | 'done'>;
};

/**
 * What a stream breaks of the grammar of Open Responses events: `response.created` first; items added before anything is told of
 * them, parts before their texts; `item_id` and `output_index` on every delta; whole texts and items as done; sequence numbers
 * without gaps; one terminal event, behind it exactly one `polyrun:response_done`. Until a stream `ended`, only what came is judged.
 */
export function eventProblems(events: readonly ModelEvent[], ended: boolean): string[] {
  const items = new Map<number, OpenItem>();
  const problems = [...frameProblems(events, ended), ...events.flatMap((event) => follow(event, items))];
  if (ended)
    for (const [index, { done }] of items)
      if (!done) problems.push(`expected an output_item.done for item ${index}, got none`);
  return problems;
}

const terminal = /^response\.(?:completed|incomplete|failed)$/;

function frameProblems(events: readonly ModelEvent[], ended: boolean): string[] {
  const types = events.map(({ type }) => type);
  const problems = events.flatMap(({ type, sequence_number: number }, index) =>
    number === index ? [] : [`expected sequence_number ${index} on ${type}, got ${number}`],
  );
  if (types.length > 0 && types[0] !== 'response.created')
    problems.push(`expected response.created first, got ${types[0]}`);
  if (types.filter((type) => type === 'response.created').length > 1)
    problems.push('expected one response.created, got several');
  const ends = types.filter((type) => terminal.test(type)).length;
  const dones = types.filter((type) => type === 'polyrun:response_done').length;
  const wanted = ended ? 1 : 0;
  if (dones !== wanted) problems.push(`expected ${wanted} polyrun:response_done, got ${dones}`);
  if (ended && types.at(-1) !== 'polyrun:response_done')
    problems.push(`expected polyrun:response_done last, got ${types.at(-1)}`);
  if (ended && (ends !== 1 || !terminal.test(types.at(-2) ?? '')))
    problems.push(`expected one terminal event right before the last, got ${types.slice(-3).join(', ')}`);
  return problems;
}

function follow(event: ModelEvent, items: Map<number, OpenItem>): string[] {
  if (!('output_index' in event)) {
    const nowhere = event.type.endsWith('.delta');
    return nowhere ? [`expected output_index on ${event.type}, got none`] : [];
  }
  const item = items.get(event.output_index);
  if (event.type === 'response.output_item.added' && 'item' in event) return addItem(event, items);
  const where = `${event.type} of item ${event.output_index}`;
  if (item === undefined) return [`expected an output_item.added before ${where}, got none`];
  if (item.done)
    return [`expected nothing after the output_item.done of item ${event.output_index}, got ${event.type}`];
  if (!('item_id' in event)) {
    item.done = true;
    const open = [...item.parts].filter(([, state]) => state === 'open').map(([key]) => key);
    return open.length === 0 ? [] : [`expected every part to be done before ${where}, got ${open.join(', ')} open`];
  }
  if (event.item_id !== item.id) return [`expected item_id ${item.id} on ${where}, got ${event.item_id}`];
  return partProblems(event, item).map((problem) => `${problem} on ${where}`);
}

function addItem({ output_index: index, item }: ItemEvent, items: Map<number, OpenItem>): string[] {
  const problems: string[] = [];
  if (items.has(index)) problems.push(`expected item ${index} to be added once, got it twice`);
  if (!item.id) problems.push(`expected an id on the added item ${index}, got none`);
  if ([...items.values()].some(({ id }) => id === item.id))
    problems.push(`expected an id of its own for item ${index}, got ${item.id}`);
  items.set(index, { id: item.id ?? '', type: item.type, done: false, texts: new Map(), parts: new Map() });
  return problems;
}

function partProblems(event: TextEvent, item: OpenItem): string[] {
  const part = partOf(event);
  const state = part === undefined ? undefined : item.parts.get(part);
  if (event.type.endsWith('part.added')) {
    if (part !== undefined) item.parts.set(part, 'open');
    return state === undefined ? [] : ['expected a part to be added once, got it twice'];
  }
  if (event.type.endsWith('part.done')) {
    if (part !== undefined) item.parts.set(part, 'done');
    return state === 'open' ? [] : [`expected an open part, got one that is ${state ?? 'not added'}`];
  }
  return [
    ...textProblems(event, item),
    ...(part === undefined || state === 'open'
      ? []
      : [`expected an open part, got one that is ${state ?? 'not added'}`]),
  ];
}

/** The part that an event is of; reasoning texts and arguments have none. */
function partOf(event: TextEvent): string | undefined {
  if (event.type.startsWith('response.reasoning_text.')) return undefined;
  if ('content_index' in event) return `content ${event.content_index}`;
  return 'summary_index' in event ? `summary ${event.summary_index}` : undefined;
}

function textProblems(event: TextEvent, { texts }: OpenItem): string[] {
  const key = textKey(event);
  if ('delta' in event) {
    texts.set(key, (texts.get(key) ?? '') + event.delta);
    return [];
  }
  const told = wholeText(event);
  const seen = texts.get(key) ?? '';
  return told === undefined || told === seen
    ? []
    : [`expected the whole text ${JSON.stringify(seen)}, got ${JSON.stringify(told)}`];
}

function wholeText(event: TextEvent): string | undefined {
  if ('arguments' in event) return event.arguments;
  if ('refusal' in event) return event.refusal;
  return 'text' in event ? event.text : undefined;
}

/** Names one text of an item: what kind it is of, and its place. */
function textKey(event: TextEvent): string {
  const kind = event.type.slice('response.'.length, event.type.lastIndexOf('.'));
  if ('content_index' in event) return `${kind} ${event.content_index}`;
  return 'summary_index' in event ? `${kind} ${event.summary_index}` : kind;
}

/** What the deltas alone make of each item: its kind, the name of a call, and its texts by kind and place. */
export type Folded = { type: string; name?: string; texts: { [key: string]: string } };

/** The items of a stream by their place, from nothing but what was added and the deltas. */
export function folded(events: readonly ModelEvent[]): Folded[] {
  const items: Folded[] = [];
  for (const event of events) {
    if (!('output_index' in event)) continue;
    if (event.type === 'response.output_item.added' && 'item' in event)
      items[event.output_index] = { ...named(event.item), texts: {} };
    const texts = items[event.output_index]?.texts ?? {};
    if ('part' in event && event.type.endsWith('.added')) texts[addedKey(event)] = '';
    if ('delta' in event && event.delta !== '') texts[textKey(event)] = (texts[textKey(event)] ?? '') + event.delta;
  }
  return items.filter((item) => item !== undefined);
}

/** A final item in the shape of `folded`. */
export function asFolded(item: OutputItem): Folded {
  return { ...named(item), texts: Object.fromEntries(textsOf(item)) };
}

function named(item: OutputItem): { type: string; name?: string } {
  return item.type === 'function_call' ? { type: item.type, name: item.name } : { type: item.type };
}

/** The key of the text that an added part holds. */
function addedKey(event: Extract<ModelEvent, { part: unknown }>): string {
  return 'summary_index' in event
    ? `reasoning_summary_text ${event.summary_index}`
    : `${event.part.type} ${event.content_index}`;
}

/** Parts count though they be empty; reasoning texts and arguments are no parts, and need no delta when they are. */
function textsOf(item: OutputItem): [string, string][] {
  if (item.type === 'message') return messageTexts(item);
  if (item.type === 'function_call') return full([['function_call_arguments', item.arguments]]);
  if (item.type !== 'reasoning') return [];
  const { summary = [], content = [] }: Partial<ReasoningItem> = Object(item);
  return [
    ...full(content.map(({ text }, index) => [`reasoning_text ${index}`, text])),
    ...summary.map(({ text }, index): [string, string] => [`reasoning_summary_text ${index}`, text]),
  ];
}

function messageTexts({ content }: OutputItem & { content?: unknown }): [string, string][] {
  if (typeof content === 'string') return [['output_text 0', content]];
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  return parts.map((part, index) => {
    const { type, text, refusal }: { type?: string; text?: string; refusal?: string } = Object(part);
    return [`${type} ${index}`, text ?? refusal ?? ''];
  });
}

function full(texts: [string, string][]): [string, string][] {
  return texts.filter(([, text]) => text !== '');
}
