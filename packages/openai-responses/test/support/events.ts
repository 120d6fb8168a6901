import type { ModelEvent, OutputItem } from '@polyrun/core';

type Fields = { readonly [field: string]: unknown };
type Open = { id: string; parts: Map<string, string>; texts: Map<string, string>; done: boolean };

/** What a sequence of events breaks of the grammar of Open Responses: places, ids, parts, whole texts, numbers, the frame around all. */
export function eventProblems(events: readonly ModelEvent[]): string[] {
  const problems: string[] = [];
  const items = new Map<number, Open>();
  for (const [index, event] of events.entries()) {
    if (event.sequence_number !== index)
      problems.push(`${event.type} has number ${event.sequence_number}, not ${index}`);
    if ((event.type === 'response.created') !== (index === 0)) problems.push(`${event.type} stands at ${index}`);
    if ('output_index' in event) problems.push(...follow(event, items));
  }
  for (const [index, { done }] of items) if (!done) problems.push(`item ${index} is not done`);
  const ends = events.filter(({ type }) => /^response\.(?:completed|incomplete)$/.test(type));
  if (ends.length !== 1 || ends[0] !== events.at(-2)) problems.push('the terminal event is not the last but one');
  return problems;
}

function follow(event: ModelEvent & { output_index: number }, items: Map<number, Open>): string[] {
  const where = `${event.type} of item ${event.output_index}`;
  const item = items.get(event.output_index);
  if (event.type === 'response.output_item.added') {
    items.set(event.output_index, { id: event.item.id ?? '', parts: new Map(), texts: new Map(), done: false });
    return item ? [`${where} comes twice`] : [];
  }
  if (!item || item.done) return [`${where} comes ${item ? 'after its end' : 'before its beginning'}`];
  if (event.type === 'response.output_item.done') {
    item.done = true;
    const open = [...item.parts.values()].filter((state) => state === 'open');
    return [
      ...(event.item.id === item.id ? [] : [`${where} has another id`]),
      ...open.map(() => `${where} leaves a part open`),
    ];
  }
  if (!('item_id' in event) || event.item_id !== item.id) return [`${where} has another id`];
  return partProblems(event, item).map((problem) => `${where} ${problem}`);
}

function partProblems(event: ModelEvent & { item_id: string }, { parts, texts }: Open): string[] {
  const part = partOf(event);
  const key = keyOf(event);
  if (event.type.endsWith('part.added')) return parts.has(part) ? ['comes twice'] : (parts.set(part, 'open'), []);
  if (event.type.endsWith('part.done'))
    return parts.get(part) === 'open' ? (parts.set(part, 'done'), []) : ['ends no open part'];
  const needsPart = !/reasoning_text|function_call/.test(event.type);
  const problems = needsPart && parts.get(part) !== 'open' ? ['stands outside of a part'] : [];
  if ('delta' in event) texts.set(key, (texts.get(key) ?? '') + event.delta);
  else if (wholeOf(event) !== (texts.get(key) ?? '')) problems.push(`tells ${wholeOf(event)}, not ${texts.get(key)}`);
  return problems;
}

function wholeOf(event: object): string {
  const { text, refusal, arguments: args } = event as Fields;
  return String(text ?? refusal ?? args);
}

function partOf(event: object): string {
  const { content_index, summary_index } = event as Fields;
  return content_index === undefined ? `summary ${String(summary_index)}` : `content ${JSON.stringify(content_index)}`;
}

function keyOf(event: ModelEvent): string {
  return `${event.type.slice(0, event.type.lastIndexOf('.'))} ${partOf(event)}`;
}

/** The texts of each item as the deltas tell them. */
export function textsTold(events: readonly ModelEvent[]): string[] {
  const texts: string[] = [];
  for (const event of events) {
    if (!('output_index' in event)) continue;
    texts[event.output_index] ??= '';
    if ('delta' in event) texts[event.output_index] += event.delta;
  }
  return texts;
}

/** The same of final items. */
export function textsIn(output: readonly OutputItem[]): string[] {
  return output.map((item) => {
    if (item.type === 'function_call') return item.arguments;
    if (item.type === 'reasoning') return [...(item.content ?? []), ...item.summary].map(({ text }) => text).join('');
    if (item.type !== 'message' || typeof item.content === 'string') return '';
    return item.content
      .map((part) => ('text' in part ? part.text : part.type === 'refusal' ? part.refusal : ''))
      .join('');
  });
}

/** A response as a stream of OpenAI's might have brought it, its texts in three pieces. */
export function asEvents(body: Fields): Fields[] {
  const items = body['output'] as Fields[];
  const told = items.flatMap((item, output_index) => {
    const place = { output_index, item_id: item['id'] };
    return [
      { type: 'response.output_item.added', output_index, item: { ...item, ...empty(item), status: 'in_progress' } },
      ...textEvents(item).map((event) => ({ ...place, ...event })),
      { type: 'response.output_item.done', output_index, item },
    ];
  });
  const begun = { ...body, status: 'in_progress', output: [], usage: null };
  return [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...told,
    { type: 'response.completed', response: body },
  ];
}

function empty({ type }: Fields): Fields {
  if (type === 'message') return { content: [] };
  return type === 'function_call' ? { arguments: '' } : type === 'reasoning' ? { summary: [] } : {};
}

function textEvents(item: Fields): Fields[] {
  if (item['type'] === 'function_call')
    return pieces(['function_call_arguments', 'arguments'], String(item['arguments']), {});
  const parts = (name: string, list: unknown, at: (index: number) => Fields): Fields[] =>
    ((list ?? []) as Fields[]).flatMap((part, index) => {
      const kind = part['type'] === 'summary_text' ? 'reasoning_summary_text' : String(part['type']);
      const field = kind === 'refusal' ? 'refusal' : 'text';
      const texts = pieces([kind, field], String(part[field]), at(index));
      if (kind === 'reasoning_text') return texts;
      const empty = { ...part, [field]: '' };
      return [
        { type: `response.${name}.added`, ...at(index), part: empty },
        ...texts,
        { type: `response.${name}.done`, ...at(index), part },
      ];
    });
  if (item['type'] === 'message') return parts('content_part', item['content'], (content_index) => ({ content_index }));
  if (item['type'] !== 'reasoning') return [];
  return [
    ...parts('content_part', item['content'], (content_index) => ({ content_index })),
    ...parts('reasoning_summary_part', item['summary'], (summary_index) => ({ summary_index })),
  ];
}

function pieces([kind, field]: readonly [kind: string, field: string], text: string, at: Fields): Fields[] {
  const third = Math.ceil(text.length / 3) || 1;
  const cuts = [text.slice(0, third), text.slice(third, 2 * third), text.slice(2 * third)].filter(
    (piece) => piece !== '',
  );
  return [
    ...cuts.map((delta) => ({ type: `response.${kind}.delta`, ...at, delta })),
    { type: `response.${kind}.done`, ...at, [field]: text },
  ];
}
