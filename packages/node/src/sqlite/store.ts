import { UserError } from '@polyrun/core';
import { Database, textIn } from './database.ts';
import { migrations } from './schema.ts';

/** A conversation as a list shows it. */
export type Conversation = {
  readonly sessionId: string;
  readonly items: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

/**
 * A SQLite file that holds conversations and journals. `SQLiteSession` and `SQLiteJournal` open one of their own by its path; give them
 * a store to share one connection, and to list, fork and delete conversations.
 */
export class SQLiteStore {
  readonly database: Database;

  /** `location`: the path of a file (made where there is none), or `':memory:'`, the default. */
  constructor(location: string = ':memory:') {
    this.database = new Database(location, migrations);
  }

  /** All conversations, or the `limit` that changed last; the latest first. */
  list({ limit = -1 }: { limit?: number } = {}): Conversation[] {
    const rows = this.database.all(
      `SELECT name, created_ms, updated_ms, (SELECT count(*) FROM items WHERE session = sessions.id) AS items
       FROM sessions ORDER BY updated_ms DESC, id DESC LIMIT ?`,
      limit,
    );
    return rows.map((row) => ({
      sessionId: textIn(row, 'name'),
      items: Number(row['items']),
      createdAtMs: Number(row['created_ms']),
      updatedAtMs: Number(row['updated_ms']),
    }));
  }

  /**
   * Copies a conversation, or its first `items` items, to go on from there in another way; gives the id of the copy. `as`: default a
   * random one. Throws `UserError` when there is no such conversation, or one of that id already.
   */
  fork(
    sessionId: string,
    { as = crypto.randomUUID(), items = -1 }: { as?: string; items?: number } = {},
  ): { sessionId: string } {
    const { database } = this;
    database.transaction(() => {
      const source = database.get('SELECT id FROM sessions WHERE name = ?', sessionId)?.['id'];
      if (source === undefined) throw new UserError(`fork sessionId: there is no conversation '${sessionId}'.`);
      if (database.get('SELECT id FROM sessions WHERE name = ?', as))
        throw new UserError(`fork as: there is a conversation '${as}' already; choose another id.`);
      const now = Date.now();
      database.run('INSERT INTO sessions (name, version, created_ms, updated_ms) VALUES (?, 1, ?, ?)', as, now, now);
      database.run(
        `INSERT INTO items (session, item)
         SELECT (SELECT id FROM sessions WHERE name = ?), item FROM items WHERE session = ? ORDER BY id LIMIT ?`,
        as,
        source,
        items,
      );
    });
    return { sessionId: as };
  }

  /** Removes a conversation with all that is known of it; false when there was none. */
  delete(sessionId: string): boolean {
    return this.database.transaction(() => {
      this.database.run('DELETE FROM owners WHERE name = ?', sessionId);
      return this.database.run('DELETE FROM sessions WHERE name = ?', sessionId) > 0;
    });
  }

  /** Closes the file; sessions and journals that share it end with it. */
  close(): void {
    this.database.close();
  }
}

/** A store that is the caller's own, or one that is opened for it. */
export function storeAt(location: string | SQLiteStore | undefined): { store: SQLiteStore; owned: boolean } {
  return location instanceof SQLiteStore
    ? { store: location, owned: false }
    : { store: new SQLiteStore(location), owned: true };
}
