import { Agent, fallback, ModelError, MultiProvider, Runner, type ModelEvent } from '@polyrun/core';
import { afterEach, describe, expect, test } from 'vitest';
import { chatCompletions } from '../src/index.ts';
import { served, type Said } from './support/served.ts';

const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function endpoint(...said: readonly Said[]) {
  const server = await served((_, index) => said[index] ?? { status: 500 });
  open.push(server);
  return server;
}

const model = ({ baseURL }: { baseURL: string }, name: string) =>
  chatCompletions({ apiKey: 'k', baseURL, name }).getModel('m');
const whole: Said = { text: 'From the second.' };

describe('over HTTP', () => {
  test.each<[string, Said]>([
    ['a rate limit that asks for a minute', { status: 429, headers: { 'retry-after': '60' } }],
    ['an overloaded server', { status: 503 }],
    ['a broken server', { status: 500 }],
    ['an unknown model', { status: 404 }],
    ['a connection that breaks off', { text: 'From the', cut: true }],
  ])('after %s the second endpoint answers', async (_, failure) => {
    const [first, second] = [await endpoint(failure), await endpoint(whole)];
    const agent = new Agent({ name: 'A', model: fallback(model(first, 'first'), model(second, 'second')) });
    const stream = Runner.runStreamed(agent, 'Hello');
    const events: ModelEvent[] = [];
    for await (const event of stream) if (event.type === 'raw_response_event') events.push(event.data);
    expect(stream.finalOutput).toBe('From the second.');
    expect(stream.newItems[0]?.rawItem.origin).toMatchObject({ provider: 'second' });
    expect(stream.usage.requests).toBe(2);
    expect([first.asked.length, second.asked.length]).toEqual([1, 1]);
    const discarded = events.filter(({ type }) => type === 'polyrun:attempt_discarded');
    expect(discarded).toHaveLength('cut' in failure ? 1 : 0);
  });

  test('unstreamed too, and the key of the first does not stop the second', async () => {
    const [first, second] = [await endpoint({ status: 401 }), await endpoint(whole)];
    const chain = fallback({ model: model(first, 'first'), on: ['auth'] }, model(second, 'second'));
    const { finalOutput } = await Runner.run(new Agent({ name: 'A', model: chain }), 'Hello');
    expect(finalOutput).toBe('From the second.');
    const strict = fallback(model(first, 'first'), model(second, 'second'));
    await expect(
      Runner.run(new Agent({ name: 'A', model: strict }), 'Hello', { runConfig: { retry: { maxRetries: 0 } } }),
    ).rejects.toThrow(ModelError);
  });

  test('by a table of models from a file', async () => {
    const [first, second] = [await endpoint({ status: 503 }), await endpoint(whole)];
    const config = JSON.parse('{"models":{"smart":{"fallback":["first/m","second/m"]}},"default":"smart"}') as object;
    const modelProvider = new MultiProvider(
      {
        first: chatCompletions({ apiKey: 'k', baseURL: first.baseURL }),
        second: chatCompletions({ apiKey: 'k', baseURL: second.baseURL }),
      },
      config,
    );
    const { finalOutput } = await Runner.run(new Agent({ name: 'A' }), 'Hello', { runConfig: { modelProvider } });
    expect(finalOutput).toBe('From the second.');
  });
});
