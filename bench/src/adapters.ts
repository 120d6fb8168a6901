import type { Item, Model, ModelRequest } from '@polyrun/core';
import { compare, median, rowOf, type Effort, type Row } from './measure.ts';
import { historyOf, messageItem } from './prepared-model.ts';
import { streamingFetch, wires, type Wire } from './vendor-streams.ts';

const length = 2_000;
const deltas = 5_000;
const apiKey = 'bench';

/** What each adapter costs: to encode a long conversation and its next turn, and per delta beside its vendor's bare client. */
export async function adapters({ quick }: Effort): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const wire of wires) rows.push(...encoding(wire, quick ? 7 : 25));
  for (const wire of wires) rows.push(await streaming(wire, quick));
  return rows;
}

function encoding(wire: Wire, rounds: number): Row[] {
  const model = wire.provider({ apiKey, fetch }).getModel(wire.model);
  const first: number[] = [];
  const next: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    // Items that no model has seen, as when a session was read.
    const history = structuredClone(historyOf(length));
    const times = [timeOf(model, history), timeOf(model, [...history, ...nextTurn])] as const;
    if (round < rounds) continue;
    first.push(times[0]);
    next.push(times[1]);
  }
  return [row(`${wire.name}: encode ${length} items`, first), row(`${wire.name}: encode its next turn`, next)];
}

const nextTurn: readonly Item[] = [messageItem('It is sunny.'), { type: 'message', role: 'user', content: 'And now?' }];

function timeOf(model: Model, input: ModelRequest['input']): number {
  const start = performance.now();
  model.preview?.({ instructions: 'Be brief.', input, tools: [], settings: {} });
  return performance.now() - start;
}

function row(what: string, times: readonly number[]): Row {
  const ms = median(times);
  return { what, unit: 'ms', polyrun: ms, over: ms, best: Math.min(...times) };
}

async function streaming(wire: Wire, quick: boolean): Promise<Row> {
  const fetch = streamingFetch(wire, deltas);
  const model = wire.provider({ apiKey, fetch }).getModel(wire.model);
  const bare = wire.bare(fetch);
  const request: ModelRequest = {
    input: [{ type: 'message', role: 'user', content: 'Tell me a long story.' }],
    tools: [],
    settings: {},
  };
  const comparison = await compare(
    {
      floor: async () => read(await bare(), wire.name),
      polyrun: () => read(model.streamResponse(request), wire.name),
    },
    { rounds: quick ? 5 : 15, calls: quick ? 1 : 3 },
  );
  return rowOf(comparison, { what: `${wire.name}: delta, of ${deltas}`, unit: 'µs', per: deltas });
}

async function read(events: AsyncIterable<unknown>, name: string): Promise<void> {
  let seen = 0;
  for await (const event of events) if (event !== undefined) seen++;
  if (seen < deltas) throw new Error(`${name}: only ${seen} of ${deltas} deltas came.`);
}
