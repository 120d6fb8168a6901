import type { ModelSettings } from '@polyrun/core';
import { damaged, history, issuers, log as generated, numbers } from '@polyrun/wires/logs';
import { journey, newTally, seatAt, send, type Seat, type Tally } from './journey.ts';
import { recordingsOf, type Log, type Recordings, type Reply } from './recorded.ts';
import { wires, type Wire } from './wires.ts';

/** One cell: conversations of one kind, sent to one wire. */
export type Cell = { readonly from: string; readonly to: string; readonly logs: number } & Tally;
/** What generated conversations are listed as: of all wires at once, in no order. */
export const mixed = 'generated';

/** What a model is asked for beside the conversation: reasoning as it likes, and much of it. */
const asked: readonly ModelSettings[] = [{}, { reasoning: { effort: 'high' } }];

/** The recordings of all wires. */
export async function allRecordings(): Promise<ReadonlyMap<Wire, Recordings>> {
  return new Map(await Promise.all(wires.map(async (wire) => [wire, await recordingsOf(wire)] as const)));
}

/** Every ordered pair of wires, and back: the recorded conversations of each, whole and damaged, and the generated ones. */
export async function* matrix(): AsyncGenerator<Cell> {
  const recordings = await allRecordings();
  for (const from of wires) for (const to of wires) yield cell(from, to, recordings);
  for (const to of wires) yield generatedCell(to);
}

export async function cell(from: Wire, to: Wire, recordings: ReadonlyMap<Wire, Recordings>): Promise<Cell> {
  const { logs = [] } = recordings.get(from) ?? {};
  const { replies = [] } = recordings.get(to) ?? {};
  const tally = newTally();
  const seats = to.places.map((place) => seatAt(to, place));
  let turn = 0;
  for (const log of logs) {
    const home = seatAt(from, log.home);
    for (const away of seats)
      for (const settings of asked) {
        const reply = replyOf(replies, away.place.provider, turn++);
        await journey({ ...log, settings }, { home, away, reply }, tally);
      }
  }
  const invented = Object.values(issuers)
    .filter(({ api }) => api === from.api)
    .map((home): Log => ({ name: 'history', home, items: history(home), tools: [] }));
  for (const log of [...logs, ...invented]) await sendDamaged(log, seats, tally);
  return { from: from.api, to: to.api, logs: logs.length + invented.length, ...tally };
}

/** A server says what it was recorded to say; where it never was, what another of its wire said. */
function replyOf(replies: readonly Reply[], provider: string, turn: number): Reply | undefined {
  const own = replies.filter((reply) => reply.provider === provider);
  const known = own.length > 0 ? own : replies.filter((reply) => reply.provider === 'openai');
  return known[turn % known.length];
}

async function sendDamaged(log: Log, seats: readonly Seat[], tally: Tally): Promise<void> {
  let turn = 0;
  for (const { name, items } of damaged(log.items))
    for (const seat of seats) {
      const settings = asked[turn++ % asked.length] ?? {};
      await send({ input: items, tools: log.tools, settings }, { seat, name: `${log.name} ${name}` }, tally);
    }
}

const rounds = 300;

export async function generatedCell(to: Wire): Promise<Cell> {
  const tally = newTally();
  for (const place of to.places) {
    const next = numbers(7);
    const seat = seatAt(to, place);
    for (let round = 0; round < rounds; round++) {
      const settings = asked[round % asked.length] ?? {};
      await send({ input: generated(next), tools: [], settings }, { seat, name: `round ${round}` }, tally);
    }
  }
  return { from: mixed, to: to.api, logs: rounds, ...tally };
}
