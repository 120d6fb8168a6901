import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { SessionBusyError } from '@polyrun/core';
import { standStill } from '../sync/stand-still.ts';
import { textIn, type Database, type Row } from './database.ts';

type Request = { runId: string; wait: boolean; signal?: AbortSignal };
/** What may have one owner at a time, in which table its owners stand, and how a second one is told. */
type Owned = { readonly table: 'owners' | 'runners'; readonly name: string; readonly busy: string };
type Lease<Released> = {
  release(): Released;
  /** False once it has passed to somebody else. */
  isHeld(): boolean;
};

const leaseMs = 30_000;
/** A thread that stands still renews nothing. */
const stillLeaseMs = 3_600_000;
const pollMs = 25;

/**
 * Who may write: one run at a time to a conversation, one call at a time to the journal of a run. The right is a lease that its owner
 * renews; one whose process is gone, or who has not renewed it in time, has lost it. Writes are safe all the same: one to a conversation
 * names the version that it follows, one to a journal looks whether the lease still holds.
 */
export class Ownership {
  readonly #database: Database;
  readonly #owned: Owned;

  constructor(database: Database, owned: Owned) {
    this.#database = database;
    this.#owned = owned;
  }

  async acquire(request: Request): Promise<Lease<Promise<void>>> {
    const { signal } = request;
    let token: string | undefined;
    signal?.throwIfAborted();
    while ((token = this.#granted(request, leaseMs)) === undefined) {
      // Its own error says less than the reason given.
      await setTimeout(pollMs, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
    const mine = token;
    const timer = setInterval(() => this.#renew(mine), leaseMs / 3).unref();
    return {
      isHeld: () => this.#holds(mine),
      release: async () => {
        clearInterval(timer);
        this.#release(mine);
      },
    };
  }

  /** The same for a thread that stands still meanwhile. */
  acquireNow(request: Request): Lease<void> {
    let token: string | undefined;
    while ((token = this.#granted(request, stillLeaseMs)) === undefined) standStill(pollMs);
    const mine = token;
    return { isHeld: () => this.#holds(mine), release: () => this.#release(mine) };
  }

  /** The mark of a new lease; `undefined` for one who is to wait. */
  #granted({ runId, wait }: Request, lastsMs: number): string | undefined {
    const { table, name, busy } = this.#owned;
    return this.#database.transaction(() => {
      const owner = this.#database.get(`SELECT * FROM ${table} WHERE name = ?`, name);
      // A run that has a conversation already is given it again: its journal sees to it that it is one run.
      const isOther = table === 'runners' || textIn(owner, 'run') !== runId;
      if (owner && isOther && isAlive(owner)) {
        if (wait) return undefined;
        throw new SessionBusyError(busy);
      }
      const token = crypto.randomUUID();
      this.#database.run(
        `INSERT OR REPLACE INTO ${table} (name, run, token, host, pid, expires_ms) VALUES (?, ?, ?, ?, ?, ?)`,
        name,
        runId,
        token,
        hostname(),
        process.pid,
        Date.now() + lastsMs,
      );
      return token;
    });
  }

  #holds(token: string): boolean {
    const { table, name } = this.#owned;
    return this.#database.get(`SELECT 1 FROM ${table} WHERE name = ? AND token = ?`, name, token) !== undefined;
  }

  #release(token: string): void {
    const { table, name } = this.#owned;
    if (this.#database.isOpen) this.#database.run(`DELETE FROM ${table} WHERE name = ? AND token = ?`, name, token);
  }

  #renew(token: string): void {
    if (!this.#database.isOpen) return;
    try {
      const { table } = this.#owned;
      this.#database.run(`UPDATE ${table} SET expires_ms = ? WHERE token = ?`, Date.now() + leaseMs, token);
    } catch {
      // The file is busy; there is time for another try before the lease ends.
    }
  }
}

function isAlive(owner: Row): boolean {
  if (Number(owner['expires_ms']) < Date.now()) return false;
  return textIn(owner, 'host') !== hostname() || isRunning(Number(owner['pid']));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, but is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
