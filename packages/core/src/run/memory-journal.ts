import type { Journal, JournalEntry } from './journal.ts';

/** A journal in this process's memory: for tests, and for runs that are to survive an error but not the process. */
export class MemoryJournal implements Journal {
  readonly #entries = new Map<string, JournalEntry[]>();

  async read(runId: string): Promise<readonly JournalEntry[]> {
    return structuredClone(this.#entries.get(runId) ?? []);
  }

  async append(runId: string, entry: JournalEntry): Promise<void> {
    const entries = this.#entries.get(runId);
    if (entries) entries.push(structuredClone(entry));
    else this.#entries.set(runId, [structuredClone(entry)]);
  }
}
