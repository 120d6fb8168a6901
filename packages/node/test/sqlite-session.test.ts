import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Agent, Runner, SessionBusyError, UserError, type Item } from '@polyrun/core';
import { describeSession, ScriptedModel } from '@polyrun/core/testing';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { SQLiteSession, SQLiteStore } from '../src/index.ts';
import { Database } from '../src/sqlite/database.ts';
import { migrations } from '../src/sqlite/schema.ts';
import { folder } from './support/processes.ts';

const user = (text: string): Item => ({ type: 'message', role: 'user', content: text });
const texts = (items: readonly Item[]) => items.map((item) => 'content' in item && item.content);

describe(verifies('N5', 'the session conformance kit'), () => {
  const made = mkdtempSync(path.join(tmpdir(), 'polyrun-'));
  afterAll(() => rmSync(made, { recursive: true }));
  describeSession({
    name: 'SQLite, a connection per session',
    createSession: (id) => new SQLiteSession(id, path.join(made, 'kit.db')),
    framework: { describe, test },
  });

  const store = new SQLiteStore();
  afterAll(() => store.close());
  describeSession({
    name: 'SQLite in memory, one connection',
    createSession: (id) => new SQLiteSession(id, store),
    framework: { describe, test },
  });
});

test('a run keeps its conversation in the file; a second one, opened later, goes on from it', async () => {
  const file = path.join(folder(), 'chat.db');
  const model = new ScriptedModel(['Oslo.', 'About 700,000.']);
  const agent = new Agent({ name: 'A', model });
  for (const question of ['What is the capital of Norway?', 'How many people live there?']) {
    const session = new SQLiteSession('trip', file);
    await Runner.run(agent, question, { session });
    await session.close();
  }
  expect(model.requests[1]?.input).toHaveLength(3);
  expect(await new SQLiteSession('trip', file).getItems()).toHaveLength(4);
});

test(verifies('N3', 'two runs at once on one file: the later one fails at its start'), async () => {
  const file = path.join(folder(), 'chat.db');
  let answer: (text: string) => void = () => undefined;
  const waiting = new ScriptedModel([() => new Promise<string>((resolve) => (answer = resolve))]);
  const first = Runner.run(new Agent({ name: 'A', model: waiting }), 'a', { session: new SQLiteSession('s', file) });
  await vi.waitFor(() => expect(waiting.requests).toHaveLength(1));
  const other = new Agent({ name: 'B', model: new ScriptedModel(['never', 'at last']) });
  await expect(Runner.run(other, 'b', { session: new SQLiteSession('s', file) })).rejects.toThrow(SessionBusyError);
  answer('done');
  await first;
  await Runner.run(other, 'b', { session: new SQLiteSession('s', file) });
});

describe('ownership', () => {
  test(verifies('N3', 'an owner who does not renew loses the session when its lease ends'), async () => {
    const store = new SQLiteStore();
    const session = new SQLiteSession('s', store);
    await session.acquire({ runId: 'one', wait: false });
    // As an owner on another machine is seen, whose process cannot be looked for.
    store.database.run("UPDATE owners SET host = 'elsewhere'");
    await expect(session.acquire({ runId: 'two', wait: false })).rejects.toThrow(SessionBusyError);
    store.database.run('UPDATE owners SET expires_ms = ?', Date.now() - 1);
    await (await session.acquire({ runId: 'two', wait: false })).release();
  });

  test('an owner renews its lease as long as it has the session', async () => {
    vi.useFakeTimers();
    try {
      const store = new SQLiteStore();
      const session = new SQLiteSession('s', store);
      const held = await session.acquire({ runId: 'one', wait: false });
      const expires = () => Number(store.database.get('SELECT expires_ms FROM owners')?.['expires_ms']);
      vi.advanceTimersByTime(60_000);
      expect(expires()).toBeGreaterThan(Date.now());
      await held.release();
      expect(store.database.get('SELECT * FROM owners')).toBeUndefined();
      vi.advanceTimersByTime(60_000);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('letting go of what another has taken over meanwhile takes nothing from it', async () => {
    const store = new SQLiteStore();
    const session = new SQLiteSession('s', store);
    const late = await session.acquire({ runId: 'one', wait: false });
    store.database.run('UPDATE owners SET expires_ms = 0');
    await session.acquire({ runId: 'two', wait: false });
    await late.release();
    await expect(session.acquire({ runId: 'three', wait: false })).rejects.toThrow(SessionBusyError);
  });
});

describe('conversations', () => {
  async function filled(): Promise<{ store: SQLiteStore; session: SQLiteSession }> {
    const store = new SQLiteStore();
    const session = new SQLiteSession('first', store);
    await session.addItems([user('a'), user('b'), user('c')], { key: 'k' });
    return { store, session };
  }

  test('are listed, the one that changed last first', async () => {
    vi.useFakeTimers({ now: 1_000 });
    try {
      const { store, session } = await filled();
      vi.setSystemTime(2_000);
      await new SQLiteSession('second', store).addItems([user('x')]);
      vi.setSystemTime(3_000);
      await session.popItem();
      expect(store.list()).toEqual([
        { sessionId: 'first', items: 2, createdAtMs: 1_000, updatedAtMs: 3_000 },
        { sessionId: 'second', items: 1, createdAtMs: 2_000, updatedAtMs: 2_000 },
      ]);
      expect(store.list({ limit: 1 })).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('are forked, whole or up to an item; neither sees what the other gets later', async () => {
    const { store, session } = await filled();
    store.fork('first', { as: 'copy' });
    const { sessionId } = store.fork('first', { items: 2 });
    await session.addItems([user('d')]);
    const copy = new SQLiteSession('copy', store);
    await copy.addItems([user('e')], { key: 'k' });
    expect(texts(await copy.getItems())).toEqual(['a', 'b', 'c', 'e']);
    expect(texts(await new SQLiteSession(sessionId, store).getItems())).toEqual(['a', 'b']);
    expect(texts(await session.getItems())).toEqual(['a', 'b', 'c', 'd']);
    expect(() => store.fork('nobody')).toThrow("there is no conversation 'nobody'");
    expect(() => store.fork('first', { as: 'copy' })).toThrow("a conversation 'copy' already");
  });

  test('are deleted with their keys; one begun anew under the id has other versions', async () => {
    const { store, session } = await filled();
    const { version } = await session.read();
    expect(store.delete('first')).toBe(true);
    expect(store.delete('first')).toBe(false);
    expect(await session.read()).toEqual({ items: [], version: '0' });
    expect((await session.addItems([user('a')], { key: 'k' })).version).not.toBe(version);
    expect(texts(await session.getItems())).toEqual(['a']);
    await expect(session.addItems([user('b')], { ifVersion: version })).rejects.toThrow(SessionBusyError);
    expect(store.database.all('SELECT * FROM writes')).toHaveLength(1);
  });
});

describe('the schema', () => {
  test('is brought up to date step by step, keeping what is there', () => {
    const file = path.join(folder(), 'old.db');
    const steps = ['CREATE TABLE a (n); INSERT INTO a VALUES (1)', 'ALTER TABLE a ADD COLUMN m DEFAULT 2'];
    new Database(file, steps.slice(0, 1)).close();
    const later = new Database(file, steps);
    expect(later.get('SELECT n, m FROM a')).toEqual({ n: 1, m: 2 });
    expect(later.get('PRAGMA user_version')).toEqual({ user_version: 2 });
    later.close();
  });

  test('stays as it was when a step fails', () => {
    const file = path.join(folder(), 'old.db');
    new Database(file, ['CREATE TABLE a (n)']).close();
    expect(() => new Database(file, ['', 'CREATE TABLE b (n)', 'no SQL'])).toThrow(/syntax error/);
    const raw = new DatabaseSync(file);
    expect(raw.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    expect(raw.prepare("SELECT name FROM sqlite_master WHERE name = 'b'").get()).toBeUndefined();
    raw.close();
  });

  test('of a newer version is refused', () => {
    const file = path.join(folder(), 'new.db');
    new Database(file, [...migrations, '']).close();
    expect(() => new SQLiteStore(file)).toThrow(/newer version of @polyrun\/node/);
  });
});

describe('bad input', () => {
  test('is a clear error', async () => {
    expect(() => new SQLiteSession('')).toThrow(UserError);
    expect(() => new SQLiteSession('s', '')).toThrow(/location: expected/);
    expect(() => new SQLiteSession('s', path.join(folder(), 'missing', 'x.db'))).toThrow(/does its folder exist/);
    const text = path.join(folder(), 'text.db');
    writeFileSync(text, 'this is no database, but it is long enough to be taken for one by its first page'.repeat(20));
    expect(() => new SQLiteSession('s', text)).toThrow(/not a database/);
    const session = new SQLiteSession('s');
    await expect(session.addItems([{ content: 'x' } as never])).rejects.toThrow(/items/);
    await session.close();
    await expect(session.getItems()).rejects.toThrow(/was closed/);
    await session.close();
  });

  test('a store that others share outlives its sessions', async () => {
    const store = new SQLiteStore();
    await new SQLiteSession('a', store).close();
    expect(await new SQLiteSession('b', store).getItems()).toEqual([]);
    store.close();
    await expect(new SQLiteSession('b', store).getItems()).rejects.toThrow(/was closed/);
  });
});
