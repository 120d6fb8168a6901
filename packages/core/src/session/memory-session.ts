import { SessionBusyError } from '../errors.ts';
import type { InputItem, Item } from '../protocol/items.ts';
import { itemsOf } from '../protocol/validate.ts';
import type { Session, SyncSession } from './session.ts';

type Request = { runId: string; wait: boolean; signal?: AbortSignal };
type Owner = { readonly runId: string };
type Waiting = { readonly runId: string; readonly grant: (owner: Owner) => void };

/** A session in this process's memory. What goes in and what comes out are copies. */
export class MemorySession implements Session {
  readonly sessionId: string;
  readonly sync: SyncSession = {
    read: (limit) => this.#read(limit),
    addItems: (items, options) => this.#add(items, options),
    acquire: (options) => {
      const owner = this.#acquired(options);
      // Who stands still keeps all others from letting go of it.
      if (owner === undefined) throw this.#busy('it cannot be waited for without promises');
      return { release: () => this.#release(owner) };
    },
  };
  readonly #items: Item[];
  readonly #keys = new Set<string>();
  #version = 0;
  #owner: Owner | undefined;
  #queue: Waiting[] = [];

  /** `sessionId`: default a random one. `items`: the conversation so far, oldest first. */
  constructor({ sessionId, items = [] }: { sessionId?: string; items?: readonly InputItem[] } = {}) {
    this.sessionId = sessionId ?? crypto.randomUUID();
    this.#items = structuredClone(itemsOf(items));
  }

  async read(limit?: number): Promise<{ items: Item[]; version: string }> {
    return this.#read(limit);
  }

  #read(limit?: number): { items: Item[]; version: string } {
    const from = limit === undefined ? 0 : Math.max(0, this.#items.length - limit);
    return { items: structuredClone(this.#items.slice(from)), version: String(this.#version) };
  }

  async addItems(
    items: readonly InputItem[],
    options?: { key?: string; ifVersion?: string },
  ): Promise<{ version: string }> {
    return this.#add(items, options);
  }

  #add(
    items: readonly InputItem[],
    { key, ifVersion }: { key?: string; ifVersion?: string } = {},
  ): { version: string } {
    if (key === undefined || !this.#keys.has(key)) {
      if (ifVersion !== undefined && ifVersion !== String(this.#version)) {
        throw new SessionBusyError(
          `Session '${this.sessionId}' is at version ${this.#version}, not ${ifVersion}: somebody else has written; read it again.`,
        );
      }
      this.#items.push(...structuredClone(itemsOf(items)));
      this.#version += 1;
      if (key !== undefined) this.#keys.add(key);
    }
    return { version: String(this.#version) };
  }

  async getItems(limit?: number): Promise<Item[]> {
    return (await this.read(limit)).items;
  }

  async popItem(): Promise<Item | undefined> {
    if (this.#items.length > 0) this.#version += 1;
    return this.#items.pop();
  }

  async clear(): Promise<void> {
    this.#items.length = 0;
    this.#version += 1;
  }

  /** A run that owns the session already (one that is continued after a crash) is given it again. */
  async acquire(options: Request): Promise<{ release(): Promise<void> }> {
    const owner = this.#acquired(options) ?? (await this.#turn(options));
    return { release: async () => this.#release(owner) };
  }

  /** `undefined` for a run that is to wait. */
  #acquired({ runId, wait, signal }: Request): Owner | undefined {
    signal?.throwIfAborted();
    if (this.#owner === undefined || this.#owner.runId === runId) return (this.#owner = { runId });
    if (wait) return undefined;
    throw this.#busy("wait for it, or set sessionSettings.onBusy to 'wait'");
  }

  #busy(what: string): SessionBusyError {
    return new SessionBusyError(`Session '${this.sessionId}' belongs to another run; ${what}.`);
  }

  /** Waits in line; whoever lets go of the session gives it to the first. */
  #turn({ runId, signal }: Request): Promise<Owner> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#queue = this.#queue.filter((each) => each !== waiting);
        const reason: unknown = signal?.reason;
        reject(reason);
      };
      const grant = (owner: Owner) => {
        signal?.removeEventListener('abort', leave);
        resolve(owner);
      };
      const waiting: Waiting = { runId, grant };
      this.#queue.push(waiting);
      signal?.addEventListener('abort', leave);
    });
  }

  #release(owner: Owner): void {
    if (this.#owner !== owner) return;
    const next = this.#queue.shift();
    this.#owner = next && { runId: next.runId };
    if (next && this.#owner) next.grant(this.#owner);
  }
}
