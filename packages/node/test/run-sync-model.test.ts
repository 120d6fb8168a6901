import path from 'node:path';
import { inspect } from 'node:util';
import { chatCompletions } from '@polyrun/chat-completions';
import {
  Agent,
  fallback,
  MemoryJournal,
  MemorySession,
  ModelError,
  MultiProvider,
  Runner,
  SessionBusyError,
  tool,
  UserError,
  type Item,
} from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { runSync, SQLiteJournal, SQLiteSession } from '../src/index.ts';
import { echoingProvider, leavingProvider, looseProvider, ownProvider } from './programs/own-provider.ts';
import { folder, output, start } from './support/processes.ts';
import { caught, startScriptedServer } from './support/scripted-server.ts';

const server = await startScriptedServer();
const { config, script, provider, baseURL } = server;
afterAll(() => server.close());

describe('the model call', () => {
  test('its errors are the same: kind, status, request id', async () => {
    const options = config({ retry: { maxRetries: 0 } });
    const moves = { status: 429, headers: { 'retry-after': '7', 'x-request-id': 'req_1' } };
    const sync = caught(() => runSync(new Agent({ name: 'A' }), script(moves), options));
    const async = await Runner.run(new Agent({ name: 'A' }), script(moves), options).catch((error: unknown) => error);
    const facts = ({ kind, status, requestId, retryAfterMs, retryable, message, body }: ModelError) => ({
      kind,
      status,
      requestId,
      retryAfterMs,
      retryable,
      message,
      body,
    });
    expect(sync).toBeInstanceOf(ModelError);
    expect(facts(sync as ModelError)).toEqual(facts(async as ModelError));
  });

  test('configuration that is wrong over there is a UserError here', () => {
    const modelProvider = chatCompletions({ name: 'groq' });
    expect(() => runSync(new Agent({ name: 'A', model: 'm' }), 'hi', { runConfig: { modelProvider } })).toThrow(
      UserError,
    );
  });

  test(verifies('R1', 'it is retried with backoff while the thread stands still'), async () => {
    const retry = { backoff: { initialMs: 40, jitter: false } };
    const before = performance.now();
    const result = runSync(
      new Agent({ name: 'A' }),
      script({ status: 500 }, { status: 503 }, { say: 'at last' }),
      config({ retry }),
    );
    expect(result.finalOutput).toBe('at last');
    expect(result.usage.requests).toBe(3);
    expect(performance.now() - before).toBeGreaterThanOrEqual(120);
  });

  test.for([
    ['requestMs', { silent: true }, { requestMs: 150 }],
    ['requestMs', { drip: 100 }, { requestMs: 150, idleMs: 5_000 }],
    ['firstByteMs', { silent: true }, { firstByteMs: 150 }],
    ['idleMs', { drip: 2 }, { idleMs: 150 }],
  ] as const)(
    'S6: %s holds while the thread stands still, and ends the request (%o)',
    async ([field, move, timeouts]) => {
      const aborted = await server.aborted();
      const before = performance.now();
      const options = config({ timeouts, retry: { maxRetries: 0 } });
      const error = caught(() => runSync(new Agent({ name: 'A' }), script(move), options));
      expect(error).toMatchObject({ kind: 'timeout', message: expect.stringContaining(`timeouts.${field} is 150 ms`) });
      expect(performance.now() - before).toBeLessThan(3_000);
      await expect.poll(() => server.aborted()).toBe(aborted + 1);
    },
  );

  test('what drips in time is waited for', () => {
    const timeouts = { firstByteMs: 5_000, idleMs: 5_000 };
    expect(runSync(new Agent({ name: 'A' }), script({ say: 'word by word' }), config({ timeouts })).finalOutput).toBe(
      'word by word',
    );
  });

  test('a late reply of a call that timed out is taken for no other', () => {
    const modelProvider = ownProvider({ delays: [300, 0, 400] });
    const runConfig = { modelProvider, timeouts: { requestMs: 150 }, retry: { backoff: { initialMs: 1 } } };
    const agent = new Agent({ name: 'A' });
    expect(runSync(agent, 'first', { runConfig }).finalOutput).toBe('answer 1');
    // The reply to the first call comes while the third, which is given more time, is waited for.
    const third = runSync(agent, 'second', { runConfig: { modelProvider } });
    expect(third.finalOutput).toBe('answer 2');
  });

  test('each call is asked with its own conversation, whatever the thread was told before', async () => {
    const runs = [['one'], ['one', 'two', 'three'], ['one', 'two'], ['other', 'two', 'three'], []];
    const items = new Map<string, Item>();
    const item = (content: string): Item => {
      const known = items.get(content) ?? { type: 'message', role: 'user', content };
      items.set(content, known);
      return known;
    };
    const modelProvider = echoingProvider();
    for (const words of runs) {
      const { finalOutput } = runSync(new Agent({ name: 'A' }), words.map(item), { runConfig: { modelProvider } });
      expect(finalOutput).toBe(words.join(' '));
    }
  });

  test('a MultiProvider routes, and its table of fallbacks holds', () => {
    const models = { safe: { fallback: ['here/m', 'own/x'] } };
    const modelProvider = new MultiProvider({ here: provider, own: ownProvider({ delays: [] }) }, { models });
    const ask = (model: string, text: string) =>
      runSync(new Agent({ name: 'A', model }), text, { runConfig: { modelProvider } }).finalOutput;
    expect(ask('here/m', script({ say: 'from here' }))).toBe('from here');
    expect(ask('own/x', 'hi')).toBe('answer 0');
    expect(ask('safe', script({ status: 503 }))).toBe('answer 1');
  });

  test.for([
    ['a function as fetch', () => chatCompletions({ baseURL, apiKey: 'k', fetch })],
    ['a function for the key', () => chatCompletions({ baseURL, apiKey: () => 'k' })],
    ['no reference', () => ({ ...ownProvider({ delays: [] }), reference: undefined }) as never],
  ] as const)('a provider with %s cannot travel: a UserError says what is needed', ([, make]) => {
    const run = () => runSync(new Agent({ name: 'A', model: 'm' }), 'hi', { runConfig: { modelProvider: make() } });
    expect(run).toThrow(UserError);
    expect(run).toThrow(/no reference by which another thread could rebuild it/);
  });

  test.for([
    ['a model of one’s own', () => ownProvider({ delays: [] }).getModel('m')],
    ['a model with a function as fetch', () => chatCompletions({ baseURL, apiKey: 'k', fetch }).getModel('m')],
    ['a fallback to one', () => fallback(ownProvider({ delays: [] }).getModel('m'))],
  ] as const)('%s only gives promises: a UserError', ([, make]) => {
    expect(() => runSync(new Agent({ name: 'A', model: make() }), 'hi')).toThrow(/only answers with a promise/);
  });

  test('a model that the program holds is made anew on the thread: of an agent, of a run, of an agent as a tool', () => {
    const model = provider.getModel('m');
    expect(runSync(new Agent({ name: 'A', model }), script({ say: 'held' })).finalOutput).toBe('held');
    const nameless = new Agent({ name: 'A' });
    expect(runSync(nameless, script({ say: 'held' }), { runConfig: { model } }).finalOutput).toBe('held');
    const inner = new Agent({ name: 'inner', model });
    const outer = new Agent({ name: 'outer', model, tools: [inner.asTool()] });
    const asked = { input: script({ say: 'from inside' }) };
    const result = runSync(outer, script({ call: 'inner', args: asked }, { say: 'over' }));
    expect(result.newItems.find(({ type }) => type === 'tool_call_output_item')).toMatchObject({
      output: 'from inside',
    });
    expect(result.finalOutput).toBe('over');
  });

  test('so are the models of a fallback, one after the other', () => {
    const broken = chatCompletions({ baseURL: 'http://127.0.0.1:9', apiKey: 'k', name: 'broken' }).getModel('m');
    const model = fallback(broken, provider.getModel('m'));
    const result = runSync(new Agent({ name: 'A', model }), script({ say: 'second' }));
    expect(result.finalOutput).toBe('second');
    expect(result.rawResponses[0]?.output[0]?.origin?.provider).toBe('here');
  });

  test('a model knows how it is made anew, and shows its key to nobody who prints it', () => {
    const model = chatCompletions({ baseURL, apiKey: 'canary-key' }).getModel('m');
    expect(model.reference).toEqual({
      module: '@polyrun/chat-completions',
      export: 'chatCompletions',
      options: { baseURL, apiKey: 'canary-key' },
      modelName: 'm',
    });
    expect(inspect([model, new Agent({ name: 'A', model })], { depth: 9 })).not.toContain('canary-key');
    expect(JSON.stringify(model)).not.toContain('canary-key');
  });

  test.for([
    ['notAFunction', 'own-provider.ts', /makes no provider/],
    ['ownProvider', 'missing.ts', /missing/],
  ] as const)('a reference to %s of %s is told of', ([name, file, words]) => {
    const module = new URL(`programs/${file}`, import.meta.url).href;
    const modelProvider = { ...ownProvider({ delays: [] }), reference: { module, export: name, options: {} } };
    const runConfig = { modelProvider, retry: { maxRetries: 0 } };
    const error = caught(() => runSync(new Agent({ name: 'A' }), 'hi', { runConfig }));
    expect(`${(error as Error).message} ${String((error as Error).cause)}`).toMatch(words);
  });

  test('a thread that ends, or meets an error that nobody catches, is replaced', () => {
    const module = new URL('programs/own-provider.ts', import.meta.url).href;
    for (const [make, words] of [
      [leavingProvider, /ended/],
      [looseProvider, /a loose end/],
    ] as const) {
      const modelProvider = { ...make(), reference: { module, export: make.name, options: {} } };
      const runConfig = { modelProvider, retry: { maxRetries: 0 } };
      const error = caught(() => runSync(new Agent({ name: 'A' }), 'hi', { runConfig }));
      expect(String((error as Error).cause)).toMatch(words);
      const sound = { modelProvider: ownProvider({ delays: [] }) };
      expect(runSync(new Agent({ name: 'A' }), 'hi', { runConfig: sound }).finalOutput).toMatch(/^answer/);
    }
  });

  test('the thread keeps no process alive', { timeout: 20_000 }, async () => {
    expect(await output(start('sync-run.ts'))).toEqual(['answer 0']);
  });
});

describe('sessions and journals', () => {
  test.for([
    ['MemorySession', () => new MemorySession()],
    ['SQLiteSession', () => new SQLiteSession('s', path.join(folder(), 's.db'))],
  ] as const)('%s keeps the conversation', async ([, make]) => {
    const session = make();
    const model = new ScriptedModel(['Oslo.', 'It is cold.']);
    const agent = new Agent({ name: 'A', model });
    runSync(agent, 'Which city?', { session });
    runSync(agent, 'And the weather?', { session });
    expect(model.requests[1]?.input).toHaveLength(3);
    expect(await session.getItems()).toHaveLength(4);
    // It is free again.
    await (await session.acquire({ runId: 'other', wait: false })).release();
  });

  test.for([
    ['MemorySession', () => new MemorySession()],
    ['SQLiteSession', () => new SQLiteSession('s')],
  ] as const)('%s that another run owns is busy', async ([, make]) => {
    const session = make();
    const held = await session.acquire({ runId: 'other', wait: false });
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
    expect(() => runSync(agent, 'hi', { session })).toThrow(SessionBusyError);
    await held.release();
    expect(runSync(agent, 'hi', { session }).finalOutput).toBe('hi');
  });

  test('what can only be waited for is refused by name', () => {
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
    const { sync: _session, ...session } = new MemorySession();
    const { sync: _journal, ...journal } = new MemoryJournal();
    expect(() => runSync(agent, 'hi', { session: session as never })).toThrow(/session: it only answers with promises/);
    expect(() => runSync(agent, 'hi', { journal: journal as never })).toThrow(/journal: it only answers with promises/);
  });

  test.for([
    ['MemoryJournal', () => new MemoryJournal()],
    ['SQLiteJournal', () => new SQLiteJournal()],
  ] as const)('%s: a run that failed goes on where it stood', ([, make]) => {
    const journal = make();
    let worked = 0;
    const work = tool({
      name: 'work',
      description: 'Works.',
      parameters: { type: 'object' },
      execute: () => void (worked += 1),
    });
    const model = new ScriptedModel([[call('work')], new Error('down'), 'done']);
    const agent = new Agent({ name: 'A', model, tools: [work] });
    expect(() => runSync(agent, 'go', { journal, runId: 'r' })).toThrow(ModelError);
    expect(runSync(agent, 'go', { journal, runId: 'r' }).finalOutput).toBe('done');
    expect(worked).toBe(1);
  });
});
