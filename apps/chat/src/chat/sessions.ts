import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { textOf, UserError, type Item } from '@polyrun/core';
import { SQLiteSession, SQLiteStore, type Conversation } from '@polyrun/node';
import { messageOf } from './words.ts';

/** Who goes on with a conversation: an agent, and a model where one was chosen. */
export type Choice = { readonly agent: string; readonly model: string | undefined };

/** The conversations of a file, and who goes on with each. */
export class Sessions {
  readonly #store: SQLiteStore;

  /** `file`: made where there is none, with its folder; `':memory:'` keeps nothing. */
  constructor(file: string) {
    this.#store = opened(file);
    this.#store.database.run(
      'CREATE TABLE IF NOT EXISTS chat_choices (session TEXT PRIMARY KEY, agent TEXT NOT NULL, model TEXT) STRICT',
    );
  }

  /** The latest first. */
  list(limit?: number): readonly Conversation[] {
    return this.#store.list(limit === undefined ? {} : { limit });
  }

  /** A conversation, new or not. */
  open(sessionId: string): SQLiteSession {
    return new SQLiteSession(sessionId, this.#store);
  }

  /** A new conversation; without a name it is called by the time. Throws `UserError` when there is one of that name. */
  create(name?: string): SQLiteSession {
    if (name !== undefined && this.#has(name))
      throw new UserError(`There is a conversation '${name}' already: /session switch ${name}`);
    return this.open(name ?? this.#freeName());
  }

  /** The conversation of this name, or at this place of the list (1 is the latest). */
  find(nameOrPlace: string): SQLiteSession {
    const all = this.list();
    const found = all.find(({ sessionId }) => sessionId === nameOrPlace) ?? all[Number(nameOrPlace) - 1];
    if (found) return this.open(found.sessionId);
    throw new UserError(`There is no conversation '${nameOrPlace}': /session list shows those that there are.`);
  }

  fork(session: SQLiteSession, name?: string): SQLiteSession {
    if (!this.#has(session.sessionId)) throw new UserError('Nothing has been said yet: there is nothing to fork.');
    const { sessionId } = this.#store.fork(session.sessionId, { as: name ?? this.#freeName() });
    const choice = this.choiceOf(session.sessionId);
    if (choice) this.remember(sessionId, choice);
    return this.open(sessionId);
  }

  delete(sessionId: string): void {
    this.#store.delete(sessionId);
    this.#store.database.run('DELETE FROM chat_choices WHERE session = ?', sessionId);
  }

  remember(sessionId: string, { agent, model = null }: { agent: string; model?: string | null | undefined }): void {
    this.#store.database.run('REPLACE INTO chat_choices VALUES (?, ?, ?)', sessionId, agent, model);
  }

  choiceOf(sessionId: string): Choice | undefined {
    const row = this.#store.database.get('SELECT agent, model FROM chat_choices WHERE session = ?', sessionId);
    if (!row) return undefined;
    const { agent, model } = row;
    return { agent: String(agent), model: typeof model === 'string' ? model : undefined };
  }

  close(): void {
    this.#store.close();
  }

  #has(name: string): boolean {
    return this.list().some(({ sessionId }) => sessionId === name);
  }

  /** Such as `2026-11-20-1705`. */
  #freeName(): string {
    const pad = (value: number) => String(value).padStart(2, '0');
    const now = new Date();
    const day = [now.getFullYear(), pad(now.getMonth() + 1), pad(now.getDate())].join('-');
    const name = `${day}-${pad(now.getHours())}${pad(now.getMinutes())}`;
    for (let count = 1; ; count++) {
      const candidate = count === 1 ? name : `${name}-${count}`;
      if (!this.#has(candidate)) return candidate;
    }
  }
}

function opened(file: string): SQLiteStore {
  try {
    if (file !== ':memory:') mkdirSync(path.dirname(file), { recursive: true });
    return new SQLiteStore(file);
  } catch (error) {
    throw new UserError(`The conversations cannot be kept in ${file} (sessionFile): ${messageOf(error)}`);
  }
}

/** Takes the last question and all that came of it out of a conversation; gives its text, `undefined` when there is none. */
export async function takeBack(session: SQLiteSession): Promise<string | undefined> {
  for (;;) {
    const item = await session.popItem();
    if (!item) return undefined;
    if (isQuestion(item)) return textOf(item);
  }
}

/** What a conversation began with, on one line. */
export function titleOf(items: readonly Item[]): string {
  const first = items.find(isQuestion);
  return first ? textOf(first).replace(/\s+/g, ' ').trim().slice(0, 60) : '';
}

function isQuestion(item: Item): boolean {
  return item.type === 'message' && item.role === 'user';
}
