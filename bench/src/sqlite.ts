import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Runner, type Item, type RunOptions } from '@polyrun/core';
import { SQLiteJournal, SQLiteSession, SQLiteStore } from '@polyrun/node';
import { compare, rowOf, type Effort, type Row } from './measure.ts';
import { answersOf, PreparedModel } from './prepared-model.ts';
import { programs } from './programs.ts';

const item: Item = { type: 'message', role: 'user', content: 'How is the weather in Oslo?' };
const runLength = 10;

/** What SQLite costs on the disk that holds temporary files: appends beside the bare module, then sessions and journals per turn. */
export async function sqlite(effort: Effort): Promise<readonly Row[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'polyrun-bench-'));
  try {
    return [await appends(effort, folder), ...(await turns(effort, folder))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function appends({ quick }: Effort, folder: string): Promise<Row> {
  const bare = bareAppend(path.join(folder, 'bare.db'));
  const session = new SQLiteSession('bench', path.join(folder, 'session.db'));
  let count = 0;
  let { version } = await session.read(1);
  const append = async () => {
    ({ version } = await session.addItems([item], { key: `run/save/${count++}`, ifVersion: version }));
  };
  const comparison = await compare({ floor: bare.append, polyrun: append }, { rounds: quick ? 7 : 25, calls: 500 });
  bare.close();
  await session.close();
  return rowOf(comparison, { what: 'append to a session (floor: bare node:sqlite)', unit: 'µs' });
}

/** The least that keeps an item: one insert in a transaction of its own, the file opened alike. */
function bareAppend(file: string): { append: () => Promise<void>; close: () => void } {
  const database = new DatabaseSync(file);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE items (id INTEGER PRIMARY KEY, item TEXT)',
  );
  const insert = database.prepare('INSERT INTO items (item) VALUES (?)');
  return { append: async () => void insert.run(JSON.stringify(item)), close: () => database.close() };
}

async function turns({ quick }: Effort, folder: string): Promise<Row[]> {
  const { agent } = programs(new PreparedModel(answersOf(runLength)));
  const store = new SQLiteStore(path.join(folder, 'turns.db'));
  const journal = new SQLiteJournal(store);
  let runs = 0;
  const run = (options: () => RunOptions<unknown>) => () => Runner.run(agent, [item], { maxTurns: null, ...options() });
  const kinds: readonly [what: string, options: () => RunOptions<unknown>][] = [
    ['a turn with a SQLite session', () => ({ session: new SQLiteSession(`s${runs++}`, store) })],
    ['a turn with a SQLite journal', () => ({ journal, runId: `r${runs++}` })],
  ];
  const rows: Row[] = [];
  for (const [what, options] of kinds) {
    const pair = { floor: run(() => ({})), polyrun: run(options) };
    const comparison = await compare(pair, { rounds: quick ? 7 : 25, calls: 20 });
    rows.push(rowOf(comparison, { what: `${what} (floor: without)`, unit: 'µs', per: runLength }));
  }
  store.close();
  return rows;
}
