import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { SessionBusyError, UserError } from '@polyrun/core';

export type Row = Readonly<Record<string, SQLOutputValue>>;

const busyMs = 5_000;

/**
 * A database file under a versioned schema. It is opened so that several processes may use it at the same time, and so that what was
 * committed outlives the process (a loss of power may take the last commits back, never a part of one).
 */
export class Database {
  readonly #location: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #open = true;

  constructor(location: string, migrations: readonly string[]) {
    this.#location = location;
    this.#database = opened(location);
    try {
      this.#database.exec(`PRAGMA busy_timeout = ${busyMs}; PRAGMA foreign_keys = ON`);
      this.#useLog();
      this.#database.exec('PRAGMA synchronous = NORMAL');
      this.#migrate(migrations);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#open;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  /** How many rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  /** All of `work` or nothing, and no other writer in between. */
  transaction<T>(work: () => T): T {
    this.#begin();
    try {
      const result = work();
      this.run('COMMIT');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** May be called again. */
  close(): void {
    if (this.#open) this.#database.close();
    this.#open = false;
  }

  #begin(): void {
    try {
      this.run('BEGIN IMMEDIATE');
    } catch (cause) {
      if (!isBusy(cause)) throw cause;
      throw new SessionBusyError(`The database '${this.#location}' was locked by others for ${busyMs} ms; try again.`, {
        cause,
      });
    }
  }

  #rollBack(): void {
    try {
      this.run('ROLLBACK');
    } catch {
      // Some errors, such as a full disk, have ended the transaction already.
    }
  }

  #prepared(sql: string): StatementSync {
    if (!this.#open) throw new UserError(`The database '${this.#location}' was closed; open it anew.`);
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Readers and the writer do not wait for each other. SQLite does not wait while another process turns the log on. */
  #useLog(): void {
    for (const until = performance.now() + busyMs; ;) {
      try {
        return this.#database.exec('PRAGMA journal_mode = WAL');
      } catch (error) {
        if (!isBusy(error) || performance.now() > until) throw error;
      }
    }
  }

  #migrate(migrations: readonly string[]): void {
    if (this.#version() === migrations.length) return;
    this.transaction(() => {
      // Only now: another process may have done it meanwhile.
      const version = this.#version();
      if (version > migrations.length) {
        throw new UserError(
          `location: '${this.#location}' was written by a newer version of @polyrun/node (schema ${version}, this one knows ${migrations.length}); update the package.`,
        );
      }
      for (const sql of migrations.slice(version)) this.#database.exec(sql);
      this.#database.exec(`PRAGMA user_version = ${migrations.length}`);
    });
  }

  #version(): number {
    return Number(this.get('PRAGMA user_version')?.['user_version']);
  }
}

function opened(location: string): DatabaseSync {
  // Loaded on use: on some releases of Node loading it warns, and not all that imports this package needs it.
  const sqlite = process.getBuiltinModule('node:sqlite');
  if (sqlite === undefined) throw new UserError('node:sqlite is missing: use Node 22.13 or newer.');
  if (typeof location !== 'string' || location === '')
    throw new UserError("location: expected the path of a file or ':memory:'.");
  try {
    return new sqlite.DatabaseSync(location);
  } catch (cause) {
    throw new UserError(`location: '${location}' cannot be opened; does its folder exist, and may it be written?`, {
      cause,
    });
  }
}

/** SQLITE_BUSY and its finer kinds: https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
}

/** A column that holds text. */
export function textIn(row: Row | undefined, column: string): string {
  const value = row?.[column];
  return typeof value === 'string' ? value : '';
}
