import { SessionBusyError, UserError } from '../errors.ts';
import type { MaybePromise } from '../agent/maybe-promise.ts';
import type { InputItem, Item } from '../protocol/items.ts';
import { itemText } from '../protocol/text.ts';
import type { Session } from '../session/session.ts';
import { canonical } from './compare.ts';
import { globalFramework, mustFail, type Exclusion, type TestFramework } from './framework.ts';

export type SessionKitOptions = {
  /** What the store is called in the titles of the tests. */
  name: string;
  /** Opens the session of that id. Called again with the same id it opens the same conversation. */
  createSession: (sessionId: string) => MaybePromise<Session>;
  /** Checks that the store cannot pass, each with its reason. One that passes after all fails the suite. */
  exclude?: readonly Exclusion[];
  /** Default: the global `describe` and `test`. */
  framework?: TestFramework;
};

type Open = (which?: string) => Promise<Session>;
/** What every store must do. `open` gives the session of this check, or another one by name. */
export type SessionCheck = { readonly id: string; readonly title: string; readonly run: (open: Open) => Promise<void> };

/** Registers what every store of sessions must do as tests of its own. */
export function describeSession(options: SessionKitOptions): void {
  const { name, createSession, exclude = [] } = options;
  const { describe, test } = options.framework ?? globalFramework('describeSession');
  const unknown = exclude.find(({ id, reason }) => !sessionChecks.some((check) => check.id === id) || reason === '');
  if (unknown) throw new UserError(`describeSession exclude: '${unknown.id}' is no check, or lacks its reason.`);
  describe(`session: ${name}`, () => {
    for (const { id, title, run } of sessionChecks) {
      const excluded = exclude.find((each) => each.id === id);
      test(`${id}: ${title}${excluded ? ` (excluded: ${excluded.reason})` : ''}`, async () => {
        const unique = crypto.randomUUID();
        const opened = new Map<string, Session>();
        const open: Open = async (which = '') => {
          const session = await createSession(`${unique}${which}`);
          opened.set(which, session);
          return session;
        };
        try {
          await (excluded ? mustFail(run(open), id) : run(open));
        } finally {
          for (const session of opened.values()) await session.close?.();
        }
      });
    }
  });
}

/** The checks themselves: each throws a plain error that says what was expected. */
export const sessionChecks: readonly SessionCheck[] = [
  {
    id: 'order',
    title: 'items come back oldest first, as they were',
    run: async (open) => {
      const session = await open();
      const reasoning: Item = { type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'ÿ"\\ \u{1F600}' };
      const own: Item = { type: 'acme:thing', nested: { list: [1, null, { deep: true }] } };
      await session.addItems([user('a'), reasoning]);
      await session.addItems([own, assistant('b')]);
      equal(await session.getItems(), [user('a'), reasoning, own, assistant('b')], 'all items');
      equal((await session.read()).items, await session.getItems(), 'read and getItems');
    },
  },
  {
    id: 'input',
    title: 'a message without a type becomes one with it',
    run: async (open) => {
      const session = await open();
      await session.addItems([{ role: 'user', content: 'a' }]);
      equal(await session.getItems(), [user('a')], 'the item');
    },
  },
  {
    id: 'limit',
    title: 'a limit gives the newest, oldest first',
    run: async (open) => {
      const session = await filled(await open(), 'abcd');
      equal(texts((await session.read(2)).items), ['c', 'd'], 'read(2)');
      equal(texts(await session.getItems(3)), ['b', 'c', 'd'], 'getItems(3)');
      equal(texts(await session.getItems(9)), ['a', 'b', 'c', 'd'], 'more than there are');
      equal(await session.getItems(0), [], 'getItems(0)');
      equal((await session.read(1)).version, (await session.read()).version, 'the version, whatever the limit');
    },
  },
  {
    id: 'pop',
    title: 'popItem removes and gives the newest',
    run: async (open) => {
      const session = await filled(await open(), 'ab');
      equal(await session.popItem(), user('b'), 'the first pop');
      equal(await session.popItem(), user('a'), 'the second pop');
      equal(await session.popItem(), undefined, 'a pop of nothing');
      await session.addItems([user('c')]);
      equal(texts(await session.getItems()), ['c'], 'what was added after');
    },
  },
  {
    id: 'clear',
    title: 'clear removes everything',
    run: async (open) => {
      const session = await filled(await open(), 'ab');
      await session.clear();
      equal(await session.getItems(), [], 'the items');
      await session.addItems([user('c')]);
      equal(texts(await session.getItems()), ['c'], 'what was added after');
    },
  },
  {
    id: 'isolation',
    title: 'sessions of different ids, and what is handed out, are apart',
    run: async (open) => {
      const session = await filled(await open(), 'a');
      const other = await filled(await open('other'), 'b');
      await other.clear();
      const given = user('c');
      await session.addItems([given]);
      Object.assign(given, { content: 'changed after it was given' });
      const read = await session.getItems();
      for (const item of read) Object.assign(item, { content: 'changed after it was read' });
      read.pop();
      equal(texts(await session.getItems()), ['a', 'c'], 'the first session');
      equal(await other.getItems(), [], 'the other');
    },
  },
  {
    id: 'reopen',
    title: 'a session that is opened again holds what it held, keys and version too',
    run: async (open) => {
      const { version } = await (await open()).addItems([user('a')], { key: 'k' });
      const again = await open();
      equal(await again.read(), { items: [user('a')], version }, 'what is read');
      await again.addItems([user('a')], { key: 'k' });
      equal(texts(await again.getItems()), ['a'], 'after the same key again');
    },
  },
  {
    id: 'version',
    title: 'each change makes a version that was never there before',
    run: async (open) => {
      const session = await open();
      const versions = [(await session.read()).version, (await session.addItems([user('a')])).version];
      equal((await session.read()).version, versions[1], 'the version read is the one written');
      await session.popItem();
      versions.push((await session.read()).version, (await session.addItems([user('a')])).version);
      await session.clear();
      versions.push((await session.read()).version);
      equal(new Set(versions).size, versions.length, `distinct versions among ${versions.join(', ')}`);
    },
  },
  {
    id: 'swap',
    title: 'a write on a stale version adds nothing and fails with SessionBusyError',
    run: async (open) => {
      const session = await open();
      const { version } = await session.read();
      await session.addItems([user('a')], { ifVersion: version });
      await busy(session.addItems([user('b'), user('c')], { ifVersion: version }), 'the second write');
      equal(texts(await session.getItems()), ['a'], 'the items');
    },
  },
  {
    id: 'retry',
    title: 'a key written twice adds once, whatever version the retry names',
    run: async (open) => {
      const session = await open();
      const { version } = await session.read();
      const write = { key: 'run/save/0', ifVersion: version };
      await session.addItems([user('a'), user('b')], write);
      await session.addItems([user('c')]);
      const current = (await session.read()).version;
      equal(await session.addItems([user('a'), user('b')], write), { version: current }, 'the retry');
      equal(texts(await session.getItems()), ['a', 'b', 'c'], 'the items');
    },
  },
  {
    id: 'empty',
    title: 'a failed write does not use up its key',
    run: async (open) => {
      const session = await filled(await open(), 'a');
      await busy(session.addItems([user('b')], { key: 'k', ifVersion: 'stale' }), 'the write on a stale version');
      const { version } = await session.read();
      await session.addItems([user('b')], { key: 'k', ifVersion: version });
      equal(texts(await session.getItems()), ['a', 'b'], 'the items');
    },
  },
  {
    id: 'concurrent',
    title: 'of writers on one version one wins; with retries all do, each whole',
    run: async (open) => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      const { version: ifVersion } = await (await open()).read();
      const at = names.map(async (name) => (await open()).addItems(pairOf(name), { key: name, ifVersion }));
      const won = (await Promise.allSettled(at)).filter(({ status }) => status === 'fulfilled');
      equal(won.length, 1, 'the number of writers on one version that win');
      await Promise.all(names.map(async (name) => writeUntilDone(await open(), name)));
      const written = texts(await (await open()).getItems());
      const pairs = written.filter((_, index) => index % 2 === 0).map((text, index) => text + written[2 * index + 1]);
      equal(pairs.toSorted(), ['a1a2', 'b1b2', 'c1c2', 'd1d2', 'e1e2', 'f1f2'], 'the pairs');
    },
  },
  {
    id: 'crash',
    title: 'after a crash between two writes the second is made and the first is not repeated',
    run: async (open) => {
      const first = await open();
      const { version } = await first.addItems([user('a')], { key: 'save/0', ifVersion: (await first.read()).version });
      const after = await open();
      const again = await after.addItems([user('a')], { key: 'save/0', ifVersion: 'whatever' });
      equal(again, { version }, 'the first write, made again');
      await after.addItems([user('b')], { key: 'save/1', ifVersion: again.version });
      equal(texts(await after.getItems()), ['a', 'b'], 'the items');
    },
  },
  {
    id: 'owner',
    title: 'one run at a time owns a session; another fails until it lets go, and its own run may come back',
    run: async (open) => {
      const { acquire, other } = await owners(open);
      const held = await acquire({ runId: 'one', wait: false });
      await busy(other({ runId: 'two', wait: false }), 'the second run');
      const again = await other({ runId: 'one', wait: false });
      await held.release();
      await busy(other({ runId: 'two', wait: false }), 'the second run, while the first is back');
      await again.release();
      await (await other({ runId: 'two', wait: false })).release();
    },
  },
  {
    id: 'wait',
    title: 'a run that waits gets the session once it is let go, and can give up',
    run: async (open) => {
      const { acquire, other } = await owners(open);
      const held = await acquire({ runId: 'one', wait: true });
      const gone = new AbortController();
      const leaving = other({ runId: 'two', wait: true, signal: gone.signal });
      const staying = other({ runId: 'three', wait: true });
      gone.abort(new Error('gave up'));
      equal(await outcomeOf(leaving), 'gave up', 'the run that gave up');
      await held.release();
      await (await staying).release();
      equal(await outcomeOf(other({ runId: 'four', wait: true, signal: gone.signal })), 'gave up', 'an aborted signal');
    },
  },
];

type Acquire = (options: Parameters<NonNullable<Session['acquire']>>[0]) => ReturnType<NonNullable<Session['acquire']>>;

/** Two openings of one session, and how a run asks each for it. */
async function owners(open: Open): Promise<{ acquire: Acquire; other: Acquire }> {
  const [session, same] = [await open(), await open()];
  const asked =
    (each: Session): Acquire =>
    async (options) => {
      const held = await each.acquire?.(options);
      if (held === undefined) throw new Error('Expected the session to have acquire.');
      return held;
    };
  return { acquire: asked(session), other: asked(same) };
}

async function filled(session: Session, names: string): Promise<Session> {
  for (const name of names) await session.addItems([user(name)]);
  return session;
}

/** Of writers that take turns one wins each time; a store that refuses more often than that would refuse for ever. */
async function writeUntilDone(session: Session, name: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { version } = await session.read();
    try {
      await session.addItems(pairOf(name), { key: name, ifVersion: version });
      return;
    } catch (error) {
      if (!(error instanceof SessionBusyError)) throw error;
    }
  }
  throw new Error('Expected a write on the version that was just read to be taken, in 100 tries.');
}

async function busy(write: Promise<unknown>, what: string): Promise<void> {
  const error = await write.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SessionBusyError))
    throw new Error(`Expected ${what} to fail with SessionBusyError, got ${String(error)}.`);
}

async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** Equal as JSON, whatever the order of keys. */
function equal(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [canonical(actual), canonical(expected)];
  if (got !== wanted) throw new Error(`Expected ${what} to be ${wanted}, got ${got}.`);
}

function pairOf(name: string): Item[] {
  return [user(`${name}1`), user(`${name}2`)];
}

function user(text: string): Item & InputItem {
  return { type: 'message', role: 'user', content: text };
}

function assistant(text: string): Item {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] };
}

function texts(items: readonly Item[]): string[] {
  return items.map((item) => itemText(item));
}
