import { ModelError } from '@polyrun/core';
import { answer, cassettesOf, hello, play, type Cassette, type Exchange } from './corpus.ts';
import type { Wire } from './table.ts';

type Fields = { [field: string]: unknown };

const perEvent = (change: (event: string) => string) => (stream: string) =>
  stream
    .split(/\r?\n\r?\n/)
    .filter((event) => event.trim() !== '')
    .map((event) => `${change(event)}\n\n`)
    .join('');

/** Other ways to write a stream that say the same: what the standard allows, and what proxies and gateways make of streams. */
export const framings: { readonly [name: string]: (stream: string) => string } = {
  'lines that end with both marks': (stream) => stream.replaceAll(/\r?\n/g, '\r\n'),
  'lines that end with a carriage return': (stream) => stream.replaceAll(/\r?\n/g, '\r'),
  'a byte order mark': (stream) => `\uFEFF${stream}`,
  'comments in and between events': perEvent((event) => `: working\n${event}\n\n: still here`),
  'events without data': perEvent((event) => `${event}\n\n\nevent: nothing`),
  'events with empty data': perEvent((event) => `${event}\n\ndata:\n\ndata: `),
  'ids and times to wait': perEvent((event) => `id: 7\nretry: 3000\n${event}`),
  'no space behind colons': (stream) => stream.replaceAll(/^(data|event): /gm, '$1:'),
  'more space around data': (stream) => stream.replaceAll(/^data: (.*)$/gm, 'data:   $1 '),
  'names behind data': perEvent((event) => event.split('\n').toSorted().join('\n')),
  'no names': (stream) => stream.replaceAll(/^event:.*\n/gm, ''),
  'data on several lines': (stream) => stream.replaceAll(/^data: (\{.*)$/gm, (_, data: string) => onSeveralLines(data)),
  'no end of the last line': (stream) => stream.trimEnd(),
  'the mark of another wire at the end': (stream) =>
    stream.includes('[DONE]') ? stream : `${stream}\n\ndata: [DONE]\n\n`,
  'fields and events that nobody knows': (stream) =>
    stream.replaceAll(/^data: (\{.*)$/gm, (_, data: string) => `data: ${withNews(data)}`),
};

function onSeveralLines(data: string): string {
  return JSON.stringify(JSON.parse(data), null, 1).replaceAll(/^/gm, 'data: ');
}

function withNews(data: string): string {
  const news = '{"object":"chat.completion.news","type":"news","choices":[]}';
  return `${JSON.stringify({ ...(JSON.parse(data) as Fields), zz_new: [{ a: null }] })}\n\ndata: ${news}`;
}

type At = { wire: Wire; cassette: Cassette; exchange: Exchange; text: string };

/** What the adapter of a wire reads otherwise than recorded, when streams are framed in that way. */
export async function framingProblems(wire: Wire, frame: (stream: string) => string): Promise<string[]> {
  const problems: string[] = [];
  for (const { cassette, exchange } of exchangesOf(wire)) {
    const { sse } = exchange.response;
    if (sse === undefined) continue;
    const model = modelAt({ wire, cassette, exchange, text: frame(sse) });
    const found = await play({ exchange, model, ...(wire.reading && { reading: wire.reading }) });
    problems.push(...found.map((problem) => `${cassette.id}/${exchange.index}: ${problem}`));
  }
  return problems;
}

/** Replies that, with one thing in them changed, end in anything but a response or an error that is named. */
export async function mutantProblems(wire: Wire, perExchange: number): Promise<string[]> {
  const problems: string[] = [];
  const next = dice();
  for (const { cassette, exchange } of exchangesOf(wire)) {
    for (let count = 0; count < perExchange; count++) {
      const text = mutant(exchange, next);
      const model = modelAt({ wire, cassette, exchange, text });
      const result = await answer(model, hello, exchange.streaming).catch((error: unknown) => error);
      // Whatever an adapter throws is a ModelError in the end; what is none of its own is of unknown kind.
      const named = result instanceof ModelError ? result.kind !== 'unknown' : !(result instanceof Error);
      if (!named) problems.push(`${cassette.id}/${exchange.index}: ${String(result)} for ${text.slice(0, 2000)}`);
    }
  }
  return problems;
}

function exchangesOf({ api }: Wire): { cassette: Cassette; exchange: Exchange }[] {
  return cassettesOf(api).flatMap((cassette) => cassette.exchanges.map((exchange) => ({ cassette, exchange })));
}

function modelAt({ wire, cassette, exchange, text }: At) {
  const { status, headers } = exchange.response;
  return wire.model(cassette, 'https://example.test/v1', async () => new Response(text, { status, headers }));
}

/** The reply with one change: of a value, or of the order of events. */
function mutant({ response: { sse, body } }: Exchange, next: () => number): string {
  if (sse === undefined) return JSON.stringify(changed({ body }, next)['body'] ?? null);
  const events = sse.split(/\r?\n\r?\n/).filter((event) => event.trim() !== '');
  const at = Math.floor(next() * events.length);
  const other = Math.floor(next() * events.length);
  const [here = '', there = ''] = [events[at], events[other]];
  const ways: (() => void)[] = [
    () => events.splice(at, 1),
    () => events.splice(at, 0, here),
    () => events.splice(at, 0, `data: ${odd(undefined, next)}`),
    () => void ([events[at], events[other]] = [there, here]),
  ];
  const way = ways[Math.floor(next() * 12)];
  if (way) way();
  else
    events[at] = here.replace(
      /^data: (\{.*)$/m,
      (_, data: string) => `data: ${JSON.stringify(changed(JSON.parse(data) as Fields, next))}`,
    );
  return `${events.join('\n\n')}\n\n`;
}

/** A copy with one value, at any depth, missing or of another kind. */
function changed(value: Fields, next: () => number): Fields {
  const copy = structuredClone(value);
  const places = placesIn(copy);
  const place = places[Math.floor(next() * places.length)];
  if (!place) return copy;
  const other = odd(place.fields[place.name], next);
  if (other === '') delete place.fields[place.name];
  else place.fields[place.name] = JSON.parse(other);
  return copy;
}

type Place = { fields: Fields; name: string };

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Fields;
  return Object.keys(fields).flatMap((name) => [{ fields, name }, ...placesIn(fields[name])]);
}

/** JSON of another kind than the value; `''` for none. */
function odd(value: unknown, next: () => number): string {
  const same = JSON.stringify(value ?? null);
  const kinds = ['', 'null', '{}', '[]', '""', '"x"', '5', '-1', 'true', '[null]', '[[]]', '[{}]', '{"type":"new"}'];
  const made = [...kinds, `[${same}]`, `{"value":${same}}`, JSON.stringify(same)];
  return made[Math.floor(next() * made.length)] ?? '';
}

/** Numbers from 0 to 1 that are the same in each run. */
function dice(): () => number {
  let state = 20_261_120;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
