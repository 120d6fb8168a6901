import {
  inputToItems,
  parseJson,
  SessionBusyError,
  UserError,
  type InputItem,
  type Item,
  type Session,
  type SyncSession,
} from '@polyrun/core';
import { textIn, type Database, type Row } from './database.ts';
import { Ownership } from './ownership.ts';
import { storeAt, type SQLiteStore } from './store.ts';

type Write = { key?: string; ifVersion?: string };

/**
 * A conversation in a SQLite file, which any number of processes may share. What a call has acknowledged survives the process, a
 * write is whole or not at all, and a run that dies leaves its session free for the next one.
 */
export class SQLiteSession implements Session {
  readonly sessionId: string;
  readonly sync: SyncSession;
  readonly #store: SQLiteStore;
  readonly #owned: boolean;
  readonly #ownership: Ownership;

  /** `location`: the path of a file, a store that is shared, or `':memory:'`, the default. */
  constructor(sessionId: string, location?: string | SQLiteStore) {
    if (typeof sessionId !== 'string' || sessionId === '')
      throw new UserError('sessionId: expected the name of a conversation.');
    const { store, owned } = storeAt(location);
    this.sessionId = sessionId;
    this.#store = store;
    this.#owned = owned;
    const busy = `Session '${sessionId}' belongs to another run; wait for it, or set sessionSettings.onBusy to 'wait'.`;
    this.#ownership = new Ownership(store.database, { table: 'owners', name: sessionId, busy });
    this.sync = {
      read: (limit) => this.#read(limit),
      addItems: (items, options) => this.#add(items, options),
      acquire: (options) => this.#ownership.acquireNow(options),
    };
  }

  async read(limit?: number): Promise<{ items: Item[]; version: string }> {
    return this.#read(limit);
  }

  async addItems(items: readonly InputItem[], options?: Write): Promise<{ version: string }> {
    return this.#add(items, options);
  }

  async getItems(limit?: number): Promise<Item[]> {
    return this.#read(limit).items;
  }

  async popItem(): Promise<Item | undefined> {
    return this.#database.transaction(() => {
      const last = this.#database.get(
        `SELECT items.id, item FROM items JOIN sessions ON session = sessions.id
         WHERE name = ? ORDER BY items.id DESC LIMIT 1`,
        this.sessionId,
      );
      if (last === undefined) return undefined;
      this.#database.run('DELETE FROM items WHERE id = ?', Number(last['id']));
      this.#changed();
      return this.#items([last])[0];
    });
  }

  async clear(): Promise<void> {
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM items WHERE session = (SELECT id FROM sessions WHERE name = ?)', this.sessionId);
      this.#changed();
    });
  }

  /** Expires when its owner dies, at once where that can be seen (on the same machine), else within half a minute. */
  async acquire(options: {
    runId: string;
    wait: boolean;
    signal?: AbortSignal;
  }): Promise<{ release(): Promise<void> }> {
    return this.#ownership.acquire(options);
  }

  /** Closes the file, unless it belongs to a store that is shared. */
  async close(): Promise<void> {
    if (this.#owned) this.#store.close();
  }

  get #database(): Database {
    return this.#store.database;
  }

  #read(limit?: number): { items: Item[]; version: string } {
    // One statement, so that items and version are of the same moment; a row is needed to tell the version.
    const rows = this.#database.all(
      `SELECT sessions.id, version, item FROM sessions LEFT JOIN items ON session = sessions.id
       WHERE name = ? ORDER BY items.id DESC LIMIT ?`,
      this.sessionId,
      limit === undefined ? -1 : Math.max(1, limit),
    );
    const [newest] = rows;
    const empty = limit === 0 || newest === undefined || newest['item'] === null;
    return { items: empty ? [] : this.#items(rows.reverse()), version: versionOf(newest) };
  }

  #add(given: readonly InputItem[], { key, ifVersion }: Write = {}): { version: string } {
    const items = inputToItems(given, 'items').map((item) => JSON.stringify(item));
    return this.#database.transaction(() => {
      const before = this.#row();
      const id = before ? Number(before['id']) : this.#made();
      const isRepeated = key !== undefined && !this.#mark(id, key);
      if (isRepeated) return { version: versionOf(before) };
      // Undoes the mark.
      if (ifVersion !== undefined && ifVersion !== versionOf(before)) throw this.#stale(ifVersion, versionOf(before));
      for (const item of items) this.#database.run('INSERT INTO items (session, item) VALUES (?, ?)', id, item);
      return { version: versionOf(this.#changed()) };
    });
  }

  #row(): Row | undefined {
    return this.#database.get('SELECT id, version FROM sessions WHERE name = ?', this.sessionId);
  }

  /** False when a write of that key was made before. */
  #mark(session: number, key: string): boolean {
    return this.#database.run('INSERT OR IGNORE INTO writes (session, key) VALUES (?, ?)', session, key) > 0;
  }

  #made(): number {
    const now = Date.now();
    const row = this.#database.get(
      'INSERT INTO sessions (name, version, created_ms, updated_ms) VALUES (?, 0, ?, ?) RETURNING id',
      this.sessionId,
      now,
      now,
    );
    return Number(row?.['id']);
  }

  #changed(): Row | undefined {
    return this.#database.get(
      'UPDATE sessions SET version = version + 1, updated_ms = ? WHERE name = ? RETURNING id, version',
      Date.now(),
      this.sessionId,
    );
  }

  #items(rows: readonly Row[]): Item[] {
    const stored = rows.map((row) => parseJson(textIn(row, 'item')));
    return inputToItems(stored, `session '${this.sessionId}'`);
  }

  #stale(wanted: string, found: string): SessionBusyError {
    return new SessionBusyError(
      `Session '${this.sessionId}' is at version ${found}, not ${wanted}: somebody else has written; read it again.`,
    );
  }
}

/** Unique among all versions of all conversations that the file ever held: one that is deleted and begun anew has another id. */
function versionOf(row: Row | undefined): string {
  return row === undefined ? '0' : `${Number(row['id'])}.${Number(row['version'])}`;
}
