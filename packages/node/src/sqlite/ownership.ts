import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { SessionBusyError } from '@polyrun/core';
import { standStill } from '../sync/stand-still.ts';
import { textIn, type Database, type Row } from './database.ts';

type Request = { runId: string; wait: boolean; signal?: AbortSignal };

const leaseMs = 30_000;
/** A thread that stands still renews nothing. */
const stillLeaseMs = 3_600_000;
const pollMs = 25;

/**
 * Who may write to a conversation: one run at a time. The right is a lease that its owner renews; one whose process is gone, or who has
 * not renewed it in time, has lost it. Writes are safe all the same, for each names the version that it follows.
 */
export class Ownership {
  readonly #database: Database;
  readonly #sessionId: string;

  constructor(database: Database, sessionId: string) {
    this.#database = database;
    this.#sessionId = sessionId;
  }

  async acquire(request: Request): Promise<{ release(): Promise<void> }> {
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
      release: async () => {
        clearInterval(timer);
        this.#release(mine);
      },
    };
  }

  /** The same for a thread that stands still meanwhile. */
  acquireNow(request: Request): { release(): void } {
    let token: string | undefined;
    while ((token = this.#granted(request, stillLeaseMs)) === undefined) standStill(pollMs);
    const mine = token;
    return { release: () => this.#release(mine) };
  }

  /** The mark of a new lease; `undefined` for one who is to wait. */
  #granted({ runId, wait }: Request, lastsMs: number): string | undefined {
    return this.#database.transaction(() => {
      const owner = this.#database.get('SELECT * FROM owners WHERE name = ?', this.#sessionId);
      if (owner && textIn(owner, 'run') !== runId && isAlive(owner)) {
        if (wait) return undefined;
        throw new SessionBusyError(
          `Session '${this.#sessionId}' belongs to another run; wait for it, or set sessionSettings.onBusy to 'wait'.`,
        );
      }
      const token = crypto.randomUUID();
      this.#database.run(
        'INSERT OR REPLACE INTO owners (name, run, token, host, pid, expires_ms) VALUES (?, ?, ?, ?, ?, ?)',
        this.#sessionId,
        runId,
        token,
        hostname(),
        process.pid,
        Date.now() + lastsMs,
      );
      return token;
    });
  }

  #release(token: string): void {
    if (this.#database.isOpen)
      this.#database.run('DELETE FROM owners WHERE name = ? AND token = ?', this.#sessionId, token);
  }

  #renew(token: string): void {
    if (!this.#database.isOpen) return;
    try {
      this.#database.run('UPDATE owners SET expires_ms = ? WHERE token = ?', Date.now() + leaseMs, token);
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
