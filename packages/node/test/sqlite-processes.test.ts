import path from 'node:path';
import { once } from 'node:events';
import { SessionBusyError } from '@polyrun/core';
import { expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { SQLiteSession } from '../src/index.ts';
import { folder, output, start } from './support/processes.ts';

const turns = 120;

/** Writes all turns, starting again behind the last acknowledged one whenever the process is killed. */
async function write(file: string, name: string, killAfter: readonly number[]): Promise<number[]> {
  const acknowledged: number[] = [];
  let due = [...killAfter];
  while (acknowledged.length < turns) {
    const writer = start('writer.ts', file, name, String(acknowledged.length), String(turns - 1));
    let count = 0;
    for await (const line of writer.lines) {
      acknowledged.push(Number(line));
      count += 1;
      // In the middle of the writes that follow: it says nothing before it is killed.
      if (count === due[0]) writer.child.kill('SIGKILL');
    }
    const end = await writer.ended;
    if (count >= (due[0] ?? Infinity)) expect(end).toBe('SIGKILL');
    else if (end !== 0) throw new Error(writer.errors());
    due = due.slice(1);
  }
  return acknowledged;
}

test(
  verifies(
    'N3',
    'two writing processes, killed again and again: nothing acknowledged lost, nothing twice, turns whole',
  ),
  { timeout: 60_000 },
  async () => {
    const file = path.join(folder(), 'shared.db');
    const [a, b] = await Promise.all([write(file, 'a', [3, 17, 1]), write(file, 'b', [9, 2])]);
    const items = await new SQLiteSession('shared', file).getItems();
    const said = items.map((item) => ('content' in item ? String(item.content) : ''));
    const written = said.filter((_, index) => index % 3 === 0).map((text) => text.replace(' question', ''));
    expect(said).toEqual(written.flatMap((turn) => ['question', 'thought', 'answer'].map((part) => `${turn} ${part}`)));
    for (const [name, acknowledged] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const mine = written.filter((turn) => turn.startsWith(`${name} `)).map((turn) => Number(turn.slice(2)));
      expect(mine).toEqual(Array.from({ length: turns }, (_, turn) => turn));
      expect(acknowledged).toEqual(mine);
    }
    const changes = written.filter((turn, index) => turn[0] !== written[index - 1]?.[0]).length;
    expect(changes, 'how often the writers took turns').toBeGreaterThan(3);
  },
);

test(verifies('N3', 'an owner that is killed leaves the session free at once'), { timeout: 30_000 }, async () => {
  const file = path.join(folder(), 'shared.db');
  const owner = start('owner.ts', file);
  for await (const line of owner.lines) if (line === 'owned') break;
  const session = new SQLiteSession('shared', file);
  await expect(session.acquire({ runId: 'mine', wait: false })).rejects.toThrow(SessionBusyError);
  const waiting = session.acquire({ runId: 'mine', wait: true });
  owner.child.kill('SIGKILL');
  await owner.ended;
  await (await waiting).release();
});

test(
  'one process goes on with the run of a journal; another may once it has been killed',
  { timeout: 30_000 },
  async () => {
    const file = path.join(folder(), 'journal.db');
    const owner = start('runner.ts', file);
    for await (const line of owner.lines) if (line === 'r/1/call_work') break;
    const [told, ...more] = await output(start('runner.ts', file, 'quick'));
    expect([told, more]).toEqual([expect.stringContaining("SessionBusyError: journal: run 'r' is under way"), []]);
    owner.child.kill('SIGKILL');
    await owner.ended;
    expect(await output(start('runner.ts', file, 'quick'))).toEqual(['r/1/call_work', 'done']);
  },
);

test('a file that several processes make at the same moment is made once', { timeout: 30_000 }, async () => {
  const file = path.join(folder(), 'new.db');
  const openers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => start('opener.ts', file, name));
  await Promise.all(openers.map(({ child }) => once(child.stdout, 'data')));
  for (const { child } of openers) child.stdin.write('now');
  await Promise.all(openers.map(output));
  const items = await new SQLiteSession('shared', file).getItems();
  expect(new Set(items.map((item) => 'content' in item && item.content))).toEqual(
    new Set(['a', 'b', 'c', 'd', 'e', 'f']),
  );
  expect(items).toHaveLength(6);
});
