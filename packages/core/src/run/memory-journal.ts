import type { Journal, JournalEntry, SyncJournal } from './journal.ts';

/** A journal in this process's memory: for tests, and for runs that are to survive an error but not the process. */
export class MemoryJournal implements Journal {
  readonly sync: SyncJournal = {
    read: (runId) => structuredClone(this.#entries.get(runId) ?? []),
    append: (runId, entry) => {
      const entries = this.#entries.get(runId);
      if (entries) entries.push(structuredClone(entry));
      else this.#entries.set(runId, [structuredClone(entry)]);
    },
  };
  readonly #entries = new Map<string, JournalEntry[]>();

  async read(runId: string): Promise<readonly JournalEntry[]> {
    return this.sync.read(runId);
  }

  async append(runId: string, entry: JournalEntry): Promise<void> {
    this.sync.append(runId, entry);
  }
}
