import { sse } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { response, said, streamed } from './support/endpoint.ts';
import { eventProblems, textsIn, textsTold } from './support/events.ts';

const at = { output_index: 0, content_index: 0, item_id: 'msg_1' };
const created = { type: 'response.created', response: { id: 'resp_1', status: 'in_progress', output: [] } };
const delta = (text: string, more: object = {}) => ({
  type: 'response.output_text.delta',
  ...at,
  delta: text,
  ...more,
});
const completed = (...output: object[]) => ({ type: 'response.completed', response: response(output) });

describe('streams of servers that speak this wire', () => {
  test(verifies('S5', 'that number their items otherwise tell each once'), async () => {
    const item = said('Hi');
    const { events, response: final } = await streamed(
      sse([
        created,
        { type: 'response.output_item.added', output_index: 2, item: { ...item, content: [] } },
        delta('Hi', { output_index: 2 }),
        { type: 'response.output_item.done', output_index: 2, item },
        completed(item, said('More', { id: 'msg_2' })),
      ]),
    );
    expect(eventProblems(events)).toEqual([]);
    expect(final.output.map(({ id }) => id)).toEqual(['msg_1', 'msg_2']);
    expect(textsTold(events).filter((text) => text !== undefined)).toEqual(textsIn(final.output));
  });

  test('that never begin an item name it all the same', async () => {
    const { events, response: final } = await streamed(sse([created, delta('H'), delta('i'), completed(said('Hi'))]));
    expect(eventProblems(events)).toEqual([]);
    expect(final.output).toMatchObject([{ id: 'msg_1', content: [{ text: 'Hi' }] }]);
  });

  test('that tell a text and then leave it out may be tried again: nothing says that it was whole', async () => {
    const lost = streamed(sse([created, delta('Hi'), completed()]));
    await expect(lost).rejects.toMatchObject({ kind: 'protocol', retryable: true });
  });

  test('that keep the connection alive with events of their own are read on', async () => {
    const alive = { type: 'keepalive', sequence_number: 3 };
    const { response: final } = await streamed(sse([created, alive, delta('Hi'), alive, completed(said('Hi'))]));
    expect(final.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });
});
