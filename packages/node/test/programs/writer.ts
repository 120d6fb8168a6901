import { SessionBusyError, type Item } from '@polyrun/core';
import { SQLiteSession } from '../../src/index.ts';

/** Writes turns of three items each, `first` to `last`, under one key per turn, and says of each that it is written. */
const [file = '', name = '', first = '0', last = '0'] = process.argv.slice(2);
const session = new SQLiteSession('shared', file);
for (let turn = Number(first); turn <= Number(last); turn++) {
  const items = ['question', 'thought', 'answer'].map((part): Item => ({
    type: 'message',
    role: 'user',
    content: `${name} ${turn} ${part}`,
  }));
  while (!(await isWritten(items, `${name}/${turn}`)));
  process.stdout.write(`${turn}\n`);
}
await session.close();

/** False when somebody else has written in between. */
async function isWritten(items: readonly Item[], key: string): Promise<boolean> {
  const { version } = await session.read(1);
  try {
    await session.addItems(items, { key, ifVersion: version });
    return true;
  } catch (error) {
    if (error instanceof SessionBusyError) return false;
    throw error;
  }
}
