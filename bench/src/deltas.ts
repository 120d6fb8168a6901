import { Runner, type ModelEvent } from '@polyrun/core';
import { handWrittenStream } from './floor.ts';
import { compare, rowOf, type Effort, type Row } from './measure.ts';
import { messageItem, responseOf, StreamingModel } from './prepared-model.ts';
import { programs } from './programs.ts';

const count = 20_000;

/** What a delta costs on its way from the model to the consumer. */
export async function deltas({ quick }: Effort): Promise<readonly Row[]> {
  const { agent, byHand } = programs(new StreamingModel(eventsOf(count)));
  const comparison = await compare(
    {
      floor: () => read(handWrittenStream(byHand, [{ role: 'user', content: 'Tell me a long story.' }])),
      polyrun: () => read(Runner.runStreamed(agent, 'Tell me a long story.')),
    },
    { rounds: quick ? 7 : 25, calls: quick ? 2 : 5 },
  );
  return [rowOf(comparison, { what: `delta, of ${count}`, unit: 'µs', per: count, target: 0.4 })];
}

async function read(events: AsyncIterable<unknown>): Promise<number> {
  let seen = 0;
  for await (const event of events) if (event !== undefined) seen++;
  return seen;
}

/** So many deltas of one text, and what ends a response. */
export function eventsOf(length: number): readonly ModelEvent[] {
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const story = Array.from({ length }, (_, index): ModelEvent => ({
    type: 'response.output_text.delta',
    sequence_number: index,
    ...place,
    delta: 'word ',
  }));
  const response = responseOf([messageItem('word '.repeat(length))]);
  return [...story, { type: 'polyrun:response_done', sequence_number: length, response }];
}
