import type { InputItem, Item } from '../protocol/items.ts';

/** Where a conversation's items live between runs: an append-only log under a version. */
export interface Session {
  readonly sessionId: string;
  /** Oldest first; with `limit` the newest that many. `version` names exactly this state of the conversation. */
  read(limit?: number): Promise<{ items: Item[]; version: string }>;
  /** All or nothing. The same `key` again adds nothing and gives the current version; a stale `ifVersion` fails with SessionBusyError. */
  addItems(items: readonly InputItem[], options?: { key?: string; ifVersion?: string }): Promise<{ version: string }>;
  /** Convenience over `read`. */
  getItems(limit?: number): Promise<Item[]>;
  popItem(): Promise<Item | undefined>;
  clear(): Promise<void>;
  /** Lets one run at a time own the conversation: a second one fails at its start, or waits. Expires if its owner dies. */
  acquire?(options: { runId: string; wait: boolean; signal?: AbortSignal }): Promise<{ release(): Promise<void> }>;
  close?(): Promise<void>;
  /** The same for runs that may not wait; only a store that can answer at once has it. */
  readonly sync?: SyncSession;
}

/** A session none of whose answers is a promise. */
export interface SyncSession {
  read(limit?: number): { items: Item[]; version: string };
  addItems(items: readonly InputItem[], options?: { key?: string; ifVersion?: string }): { version: string };
  acquire?(options: { runId: string; wait: boolean; signal?: AbortSignal }): { release(): void };
}
