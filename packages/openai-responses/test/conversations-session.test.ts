import { Agent, ModelError, Runner, SessionBusyError, UserError, type Item } from '@polyrun/core';
import { describeSession, ScriptedModel } from '@polyrun/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpenAIConversationsSession } from '../src/conversations.ts';
import { fakeConversations } from './support/conversations.ts';
import type { TestServer } from './support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await fakeConversations();
});
afterAll(() => server.close());

const open = (conversationId?: string) =>
  new OpenAIConversationsSession({
    apiKey: 'k',
    baseURL: server.url,
    ...(conversationId !== undefined && { conversationId }),
  });

// The kit runs against a fake of the Conversations API in this process, over HTTP: what it proves holds as far as the fake is true to the API.
describe('the session kit', () => {
  const conversations = new Map<string, string>();
  describeSession({
    name: 'OpenAIConversationsSession',
    createSession: async (sessionId) => {
      const session = open(conversations.get(sessionId));
      await session.read();
      conversations.set(sessionId, session.sessionId);
      return session;
    },
    exclude: [
      { id: 'order', reason: 'the API refuses items of kinds that are not its own' },
      { id: 'concurrent', reason: 'the API cannot check a version and write in one step' },
      { id: 'owner', reason: 'the API has no locks' },
      { id: 'wait', reason: 'the API has no locks' },
    ],
    framework: { describe, test },
  });
});

describe('a conversation', () => {
  test('is made when it is first needed, once', async () => {
    const session = open();
    expect(session.sessionId).toBe('');
    await Promise.all([session.read(), session.getItems(), session.addItems([{ role: 'user', content: 'a' }])]);
    expect(session.sessionId).toMatch(/^conv_/);
    expect(await open(session.sessionId).getItems()).toEqual([{ type: 'message', role: 'user', content: 'a' }]);
  });

  test('keeps calls, their outputs with media, and what a model said', async () => {
    const session = open();
    const items: Item[] = [
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', image_url: 'https://e.test/a.png' },
        ],
      },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_image', file_id: 'file_1' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b', annotations: [] }] },
    ];
    await session.addItems(items);
    expect(await session.getItems()).toEqual(items);
  });

  test('takes more items than the API takes at once, and gives more than it gives at once', async () => {
    const session = open();
    const items = Array.from({ length: 130 }, (_, n): Item => ({ type: 'message', role: 'user', content: `m${n}` }));
    await session.addItems(items);
    expect(await session.getItems()).toEqual(items);
    expect(await session.getItems(3)).toEqual(items.slice(-3));
    expect(
      server.asked.filter(
        ({ method, url }) => method === 'POST' && url.pathname.includes(`${session.sessionId}/items`),
      ),
    ).toHaveLength(7);
  });

  test('does not get what other providers left for themselves', async () => {
    const session = open();
    const origin = { provider: 'anthropic', api: 'anthropic-messages', model: 'claude' };
    await session.addItems([
      { type: 'reasoning', summary: [], encrypted_content: 'secret', origin },
      {
        type: 'message',
        role: 'assistant',
        content: 'a',
        origin,
        id: 'msg_foreign',
        provider_data: { anthropic: { secret: 1 } },
      },
      { type: 'anthropic:web_fetch_call', url: 'https://e.test', origin },
    ]);
    expect(JSON.stringify(server.asked)).not.toMatch(/secret|msg_foreign/);
    const [said, told] = await session.getItems();
    expect(said).toMatchObject({ role: 'assistant', content: [{ text: 'a' }] });
    expect(told).toMatchObject({ role: 'assistant' });
    expect(JSON.stringify(told)).toContain('web_fetch_call');
  });

  test('notices what somebody else has written to it', async () => {
    const session = open();
    const { version } = await session.read();
    await open(session.sessionId).addItems([{ role: 'user', content: 'other' }]);
    await expect(session.addItems([{ role: 'user', content: 'mine' }], { ifVersion: version })).rejects.toThrow(
      SessionBusyError,
    );
  });

  test('leaves the metadata of others alone', async () => {
    const session = open();
    await session.read();
    const { sessionId } = session;
    await fetch(`${server.url}/conversations/${sessionId}`, {
      method: 'POST',
      body: JSON.stringify({ metadata: { topic: 'x' } }),
    });
    for (let n = 0; n < 60; n++)
      await session.addItems([{ role: 'user', content: `${n}` }], { key: `run_${n}/save/${n}` });
    const { metadata } = (await (await fetch(`${server.url}/conversations/${sessionId}`)).json()) as {
      metadata: object;
    };
    expect(metadata).toMatchObject({ topic: 'x' });
    await session.addItems([{ role: 'user', content: '59' }], { key: 'run_59/save/59' });
    expect(await session.getItems()).toHaveLength(60);
  });

  test('serves a run', async () => {
    const session = open();
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hello', 'again']) });
    await Runner.run(agent, 'hi', { session });
    await Runner.run(agent, 'and?', { session });
    expect((await session.getItems()).map((item) => (item.type === 'message' ? item.role : item.type))).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
    ]);
  });

  test('that is not there is an error that says so', async () => {
    await expect(open('conv_gone').read()).rejects.toThrow(/conv_gone' not found/);
    await expect(open('conv_gone').read()).rejects.toThrow(ModelError);
    expect(() => open('')).toThrow(UserError);
  });
});
