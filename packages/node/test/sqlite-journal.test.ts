import path from 'node:path';
import { Agent, Runner, SessionBusyError, tool, UserError } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { latch } from '../../core/test/run/scripts.ts';
import { runSync, SQLiteJournal, SQLiteSession, SQLiteStore } from '../src/index.ts';
import { bodyOf, startModelServer, startServer, type Said } from './support/model-server.ts';
import { folder, output, start, type Program } from './support/processes.ts';

type Event = { what: string; name: string; key?: string };

/** The world outside a run: its model and a witness. It can kill the run at any of its requests. */
async function outside(killAt: number) {
  const events: Event[] = [];
  let program: Program | undefined;
  /** False: the program is dead, and is told nothing any more. */
  const note = (event: Event): boolean => {
    events.push(event);
    if (events.length !== killAt) return true;
    program?.child.kill('SIGKILL');
    return false;
  };
  const model = await startModelServer(({ messages }): Said | undefined => {
    const outputs = messages.filter(({ role }) => role === 'tool').length;
    if (!note({ what: 'model', name: `${outputs} outputs` })) return undefined;
    if (outputs === 0) return [{ call: 'reserve' }, { call: 'pay' }];
    return outputs === 2 ? [{ call: 'confirm' }] : 'Booked.';
  });
  const witness = await startServer(async (request, response) => {
    const facts = JSON.parse(await bodyOf(request)) as { name?: string; effectId?: string; key?: string };
    const { name = facts.effectId ?? '', key } = facts;
    const what = request.url?.slice(1) ?? '';
    if (note({ what, name, ...(key !== undefined && { key }) })) response.end(`${name} is done`);
  });
  return {
    events,
    run: (file: string) => (program = start('journaled.ts', file, model.baseURL, witness.baseURL, 'trip-1')),
    close: async () => {
      await model.close();
      await witness.close();
    },
  };
}

/** Kills a run at one of its requests and lets another process go on; false when it had ended before. */
async function killedAt(killAt: number): Promise<boolean> {
  const world = await outside(killAt);
  try {
    const file = path.join(folder(), 'trip.db');
    const first = world.run(file);
    const end = await first.ended;
    if (end === 0) return false;
    expect(end, first.errors()).toBe('SIGKILL');
    const before = world.events.slice();
    const [told] = await output(world.run(file));
    const where = `killed at ${killAt}: ${before.at(-1)?.what} ${before.at(-1)?.name}`;
    expect(JSON.parse(told ?? ''), where).toEqual({ finalOutput: 'Booked.', items: 8 });
    const recorded = new Set(before.filter(({ what }) => what === 'after').map(({ name }) => name));
    for (const [name, effect] of [
      ['reserve', '1/call_reserve'],
      ['pay', '1/call_pay'],
      ['confirm', '2/call_confirm'],
    ]) {
      const done = world.events.filter((event) => event.what === 'tool' && event.name === name);
      expect(done.length, `${where}; ${name}`).toBeLessThanOrEqual(2);
      expect(new Set(done.map(({ key }) => key)), `${where}; keys of ${name}`).toEqual(new Set([`trip-1/${effect}`]));
      if (recorded.has(effect ?? '')) expect(done, `${where}; ${name}, which was recorded`).toHaveLength(1);
    }
    for (const [turn, name] of ['0 outputs', '2 outputs', '3 outputs'].entries()) {
      const asked = world.events.filter((event) => event.what === 'model' && event.name === name);
      if (recorded.has(`${turn + 1}/model`)) expect(asked, `${where}; turn ${turn + 1}`).toHaveLength(1);
    }
    const items = await new SQLiteSession('trip', file).getItems();
    expect(
      items.map(({ type }) => type),
      `${where}; the session`,
    ).toEqual([
      'message',
      'function_call',
      'function_call',
      'function_call_output',
      'function_call_output',
      'function_call',
      'function_call_output',
      'message',
    ]);
    return true;
  } finally {
    await world.close();
  }
}

test(
  verifies(
    'J2',
    'a run that is killed at any of its requests, and before and after any entry, goes on in another process',
  ),
  { timeout: 180_000 },
  async () => {
    let next = 1;
    let killed = 0;
    const lane = async () => {
      while (await killedAt(next++)) killed += 1;
    };
    await Promise.all([lane(), lane(), lane()]);
    // Three model calls, three tools, and two for each entry: fewer would mean that the run has not got to its end.
    expect(killed).toBeGreaterThan(30);
  },
);

describe('a journal in a file', () => {
  const work = tool({ name: 'work', description: 'Works.', parameters: { type: 'object' }, execute: () => 'worked' });
  const agentOf = (model: ScriptedModel, name = 'A') => new Agent({ name, model, tools: [work] });

  test(
    verifies('J1', 'a run started again with the same journal and id gives its result without doing anything'),
    async () => {
      const file = path.join(folder(), 'j.db');
      const model = new ScriptedModel([[call('work')], 'done']);
      const first = await Runner.run(agentOf(model), 'go', { journal: new SQLiteJournal(file), runId: 'r' });
      const again = await Runner.run(agentOf(model), 'go', { journal: new SQLiteJournal(file), runId: 'r' });
      expect(again.state.toString()).toBe(first.state.toString());
      expect(model.remaining).toBe(0);
    },
  );

  test(verifies('J1', 'another agent or input under the same id is a UserError'), async () => {
    const journal = new SQLiteJournal();
    await Runner.run(agentOf(new ScriptedModel(['done'])), 'go', { journal, runId: 'r' });
    for (const [name, input] of [
      ['B', 'go'],
      ['A', 'stop'],
    ] as const) {
      const run = Runner.run(agentOf(new ScriptedModel(['done']), name), input, { journal, runId: 'r' });
      await expect(run).rejects.toThrow(UserError);
    }
  });

  test('a run that has lost its journal to another process writes nothing any more', async () => {
    const store = new SQLiteStore();
    const [journal, other] = [new SQLiteJournal(store), new SQLiteJournal(store)];
    const taken = latch<{ release(): Promise<void> }>();
    const slow = tool({
      name: 'work',
      description: 'Works.',
      parameters: { type: 'object' },
      execute: async () => {
        // As after a machine has slept: the lease ended, and another process took over.
        store.database.run('UPDATE runners SET expires_ms = 0');
        taken.open(await other.acquire({ runId: 'r' }));
        return 'worked';
      },
    });
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('work')], 'done']), tools: [slow] });
    await expect(Runner.run(agent, 'go', { journal, runId: 'r' })).rejects.toThrow(SessionBusyError);
    const ids = (await other.read('r')).map(({ effectId }) => effectId);
    expect(ids).not.toContain('1/call_work');
    await expect(journal.acquire({ runId: 'r' }), 'it took nothing from the other one').rejects.toThrow(/is under way/);
    await (await taken.promise).release();
    const again = new Agent({ name: 'A', model: new ScriptedModel(['done']), tools: [work] });
    expect((await Runner.run(again, 'go', { journal: other, runId: 'r' })).finalOutput).toBe('done');
  });

  test('runSync and Runner.run share the ownership', async () => {
    const store = new SQLiteStore();
    const held = await new SQLiteJournal(store).acquire({ runId: 'r' });
    const agent = agentOf(new ScriptedModel(['done']));
    const options = { journal: new SQLiteJournal(store), runId: 'r' };
    expect(() => runSync(agent, 'go', options)).toThrow(SessionBusyError);
    await held.release();
    expect(runSync(agent, 'go', options).finalOutput).toBe('done');
    expect((await Runner.run(agent, 'go', options)).finalOutput).toBe('done');
  });

  test('tells which runs it holds, and forgets one when asked', async () => {
    const store = new SQLiteStore();
    const journal = new SQLiteJournal(store);
    await journal.append('a', { effectId: 'x', outcome: { deep: [1, null, 'é'] } });
    await journal.append('b', { effectId: 'y', outcome: null });
    await journal.append('a', { effectId: 'z', outcome: 1 });
    expect(journal.runs().map(({ runId, entries }) => [runId, entries])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(await new SQLiteJournal(store).read('a')).toEqual([
      { effectId: 'x', outcome: { deep: [1, null, 'é'] } },
      { effectId: 'z', outcome: 1 },
    ]);
    expect(journal.delete('a')).toBe(true);
    expect(journal.delete('a')).toBe(false);
    expect(await journal.read('a')).toEqual([]);
    journal.close();
    expect(await journal.read('b'), 'a store that is shared stays open').toHaveLength(1);
  });
});
