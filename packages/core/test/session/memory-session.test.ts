import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySession, SessionBusyError, textOf, type Item } from '../../src/index.ts';
import { describeSession, sessionChecks, type TestFramework } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection } from '../run/scripts.ts';

/** Opens one session per id, and the same one again for the same id. */
function store() {
  const sessions = new Map<string, MemorySession>();
  return (sessionId: string) => {
    const session = sessions.get(sessionId) ?? new MemorySession({ sessionId });
    sessions.set(sessionId, session);
    return session;
  };
}

const user = (text: string): Item => ({ type: 'message', role: 'user', content: text });
const texts = (items: readonly Item[]) => items.map((item) => textOf(item));

describeSession({ name: 'MemorySession', createSession: store(), framework: { describe, test } });

describe('the session conformance kit', () => {
  const kit = async (options: Omit<Parameters<typeof describeSession>[0], 'name' | 'framework'>) => {
    const titles: string[] = [];
    const bodies: (() => Promise<void>)[] = [];
    const framework: TestFramework = {
      describe: (_name, body) => body(),
      test: (title, body) => {
        titles.push(title);
        bodies.push(body);
      },
    };
    describeSession({ name: 'a store', framework, ...options });
    const results = await Promise.allSettled(bodies.map((body) => body()));
    const failed = titles
      .filter((_, index) => results[index]?.status === 'rejected')
      .map((title) => title.split(':')[0]);
    return { titles, failed };
  };

  /** A store with one method done wrong. */
  const broken = (change: (session: MemorySession) => Partial<MemorySession>) => {
    const open = store();
    return (sessionId: string) => {
      const session = open(sessionId);
      const changed = change(session);
      return new Proxy(session, {
        get: (target, key) => {
          const value: unknown = Reflect.get(changed, key) ?? Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    };
  };

  test(verifies('N5', 'a sound store passes every check, each a test with a name'), async () => {
    const { titles, failed } = await kit({ createSession: store() });
    expect(failed).toEqual([]);
    expect(titles.map((title) => title.split(':')[0])).toEqual(sessionChecks.map(({ id }) => id));
    expect(sessionChecks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['order', 'limit', 'pop', 'clear', 'isolation', 'concurrent', 'retry', 'crash']),
    );
  });

  test.for<[string, string[], (session: MemorySession) => Partial<MemorySession>]>([
    [
      'forgets keys',
      ['retry', 'crash', 'reopen'],
      (s) => ({ addItems: (items, options) => plain(s, items, { ifVersion: options?.ifVersion }) }),
    ],
    [
      'ignores versions',
      ['swap', 'concurrent', 'empty'],
      (s) => ({
        addItems: (items, options) => plain(s, items, { key: options?.key }),
      }),
    ],
    ['reads the oldest', ['limit'], (s) => ({ getItems: async (limit) => (await s.read()).items.slice(0, limit) })],
    ['pops the oldest', ['pop'], (s) => ({ popItem: () => shift(s) })],
    [
      'tells another version than the one it takes',
      ['version', 'concurrent'],
      (s) => ({ read: async (limit) => ({ ...(await s.read(limit)), version: 'other' }) }),
    ],
    ['does not clear', ['clear'], () => ({ clear: async () => undefined })],
    ['is one for all ids', ['isolation'], () => new MemorySession({ sessionId: 'all' })],
    [
      'hands itself to everybody',
      ['owner', 'wait'],
      () => ({ acquire: async () => ({ release: async () => undefined }) }),
    ],
  ])('a store that %s fails', async ([, expected, change]) => {
    const one = change(new MemorySession());
    const shared = one instanceof MemorySession;
    const { failed } = await kit({ createSession: shared ? () => one : broken(change) });
    expect(failed).toEqual(expect.arrayContaining(expected));
  });

  test('an exclusion needs a check, a reason, and the check to fail', async () => {
    const createSession = store();
    await expect(kit({ createSession, exclude: [{ id: 'nothing', reason: 'x' }] })).rejects.toThrow(
      "'nothing' is no check",
    );
    await expect(kit({ createSession, exclude: [{ id: 'pop', reason: '' }] })).rejects.toThrow('lacks its reason');
    expect((await kit({ createSession, exclude: [{ id: 'pop', reason: 'it could' }] })).failed).toEqual(['pop']);
    const cannot = broken(() => ({ clear: async () => undefined }));
    const excluded = await kit({ createSession: cannot, exclude: [{ id: 'clear', reason: 'an archive' }] });
    expect(excluded.failed).not.toContain('clear');
    expect(excluded.titles).toContain('clear: clear removes everything (excluded: an archive)');
  });

  test('without a framework it says what to pass', () => {
    expect(() => describeSession({ name: 'x', createSession: store() })).toThrow('framework');
  });
});

/** A write with some of its options left out. */
async function plain(
  session: MemorySession,
  items: Parameters<MemorySession['addItems']>[0],
  { key, ifVersion }: { key?: string | undefined; ifVersion?: string | undefined },
) {
  const options = { ...(key !== undefined && { key }), ...(ifVersion !== undefined && { ifVersion }) };
  return MemorySession.prototype.addItems.call(session, items, options);
}

async function shift(session: MemorySession) {
  const { items } = await session.read();
  await session.clear();
  const first = items.shift();
  await session.addItems(items);
  return first;
}

describe('MemorySession', () => {
  test('begins with the items given, under the id given', async () => {
    const session = new MemorySession({ sessionId: 'mine', items: [{ role: 'user', content: 'a' }] });
    expect(session.sessionId).toBe('mine');
    expect(await session.getItems()).toEqual([user('a')]);
    expect(new MemorySession().sessionId).not.toBe(new MemorySession().sessionId);
  });

  test('a busy session says who has to do what', async () => {
    const session = new MemorySession({ sessionId: 'mine' });
    await session.acquire({ runId: 'one', wait: false });
    const error = await rejection(session.acquire({ runId: 'two', wait: false }));
    expect(error).toBeInstanceOf(SessionBusyError);
    expect(error).toMatchObject({ message: expect.stringContaining("sessionSettings.onBusy to 'wait'") });
  });

  test('those who wait are served in the order of their coming', async () => {
    const session = new MemorySession();
    const held = await session.acquire({ runId: 'first', wait: true });
    const served: string[] = [];
    const rest = ['a', 'b', 'c'].map(async (runId) => {
      const own = await session.acquire({ runId, wait: true });
      served.push(runId);
      await own.release();
    });
    await held.release();
    await Promise.all(rest);
    expect(served).toEqual(['a', 'b', 'c']);
  });

  test('letting go twice does not take the session from the next owner', async () => {
    const session = new MemorySession();
    const first = await session.acquire({ runId: 'one', wait: false });
    await first.release();
    await session.acquire({ runId: 'two', wait: false });
    await first.release();
    await expect(session.acquire({ runId: 'three', wait: false })).rejects.toThrow(SessionBusyError);
  });

  test(verifies('N3', 'whatever writers do at once, each batch is in the session once and whole'), async () => {
    const writer = fc.record({
      size: fc.integer({ min: 1, max: 4 }),
      // Writes whose acknowledgement is lost, so that the writer makes them again.
      lost: fc.integer({ min: 0, max: 3 }),
      // Microtasks that pass before each try.
      pause: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(writer, { minLength: 1, maxLength: 6 }), async (writers) => {
        const session = new MemorySession();
        const write = async ({ size, lost, pause }: (typeof writers)[number], id: number) => {
          const items = Array.from({ length: size }, (_, index) => user(`${id}/${index}`));
          for (let left = lost; ;) {
            const { version } = await session.read(1);
            for (let ticks = 0; ticks < pause; ticks++) await Promise.resolve();
            try {
              await session.addItems(items, { key: String(id), ifVersion: version });
            } catch (error) {
              if (error instanceof SessionBusyError) continue;
              throw error;
            }
            if (left-- <= 0) return;
          }
        };
        await Promise.all(writers.map(write));
        const written = texts(await session.getItems());
        const expected = writers.map(({ size }, id) => Array.from({ length: size }, (_, index) => `${id}/${index}`));
        expect(written.toSorted()).toEqual(expected.flat().toSorted());
        for (const batch of expected) {
          const at = written.indexOf(batch[0] ?? '');
          expect(written.slice(at, at + batch.length)).toEqual(batch);
        }
      }),
    );
  });
});
