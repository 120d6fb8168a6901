import { parseJson, SessionBusyError, type Journal, type JournalEntry, type SyncJournal } from '@polyrun/core';
import { textIn } from './database.ts';
import { Ownership } from './ownership.ts';
import { storeAt, type SQLiteStore } from './store.ts';

/** A run of which a journal holds something. */
export type JournaledRun = {
  readonly runId: string;
  readonly entries: number;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
};

/**
 * The outcomes of runs in a SQLite file: what a run had finished when its process died is not done again. Of several processes that are
 * to go on with a run, one does; the others fail with `SessionBusyError` until it has ended or died.
 */
export class SQLiteJournal implements Journal {
  readonly sync: SyncJournal = {
    read: (runId) => this.#read(runId),
    append: (runId, entry) => this.#append(runId, entry),
    acquire: ({ runId }) => this.#taken(runId, this.#ownershipOf(runId).acquireNow({ runId, wait: false })),
  };
  readonly #store: SQLiteStore;
  readonly #owned: boolean;
  /** Of the runs that go on with this journal: whether it is still theirs. */
  readonly #leases = new Map<string, { isHeld(): boolean }>();

  /** `location`: the path of a file, a store that is shared, or `':memory:'`, the default. */
  constructor(location?: string | SQLiteStore) {
    const { store, owned } = storeAt(location);
    this.#store = store;
    this.#owned = owned;
  }

  async read(runId: string): Promise<readonly JournalEntry[]> {
    return this.#read(runId);
  }

  async append(runId: string, entry: JournalEntry): Promise<void> {
    this.#append(runId, entry);
  }

  async acquire({ runId }: { runId: string }): Promise<{ release(): Promise<void> }> {
    return this.#taken(runId, await this.#ownershipOf(runId).acquire({ runId, wait: false }));
  }

  /** The runs that it holds, the latest first. To run one that had ended again gives its result and does nothing. */
  runs(): JournaledRun[] {
    const rows = this.#store.database.all(
      `SELECT run, count(*) AS entries, min(recorded_ms) AS started_ms, max(recorded_ms) AS updated_ms
       FROM outcomes GROUP BY run ORDER BY max(id) DESC`,
    );
    return rows.map((row) => ({
      runId: textIn(row, 'run'),
      entries: Number(row['entries']),
      startedAtMs: Number(row['started_ms']),
      updatedAtMs: Number(row['updated_ms']),
    }));
  }

  /** Forgets a run; false when it held nothing of it. */
  delete(runId: string): boolean {
    const { database } = this.#store;
    return database.transaction(() => {
      database.run('DELETE FROM runners WHERE name = ?', runId);
      return database.run('DELETE FROM outcomes WHERE run = ?', runId) > 0;
    });
  }

  /** Closes the file, unless it belongs to a store that is shared. */
  close(): void {
    if (this.#owned) this.#store.close();
  }

  #read(runId: string): JournalEntry[] {
    const rows = this.#store.database.all('SELECT effect, outcome FROM outcomes WHERE run = ? ORDER BY id', runId);
    return rows.map((row) => ({
      effectId: textIn(row, 'effect'),
      outcome: parseJson(textIn(row, 'outcome')) ?? null,
    }));
  }

  #append(runId: string, entry: JournalEntry): void {
    const lease = this.#leases.get(runId);
    if (lease === undefined) return this.#insert(runId, entry);
    this.#store.database.transaction(() => {
      if (!lease.isHeld())
        throw new SessionBusyError(`journal: run '${runId}' has passed to another process; this one stops.`);
      this.#insert(runId, entry);
    });
  }

  #insert(runId: string, { effectId, outcome }: JournalEntry): void {
    this.#store.database.run(
      'INSERT INTO outcomes (run, effect, outcome, recorded_ms) VALUES (?, ?, ?, ?)',
      runId,
      effectId,
      JSON.stringify(outcome),
      Date.now(),
    );
  }

  #ownershipOf(runId: string): Ownership {
    const busy = `journal: run '${runId}' is under way; wait for its end, or give another runId.`;
    return new Ownership(this.#store.database, { table: 'runners', name: runId, busy });
  }

  #taken<R>(runId: string, lease: { release(): R; isHeld(): boolean }): { release(): R } {
    this.#leases.set(runId, lease);
    return {
      release: () => {
        if (this.#leases.get(runId) === lease) this.#leases.delete(runId);
        return lease.release();
      },
    };
  }
}
