import { expect, test } from 'vitest';
import { Agent, MemoryJournal, MemorySession, Runner, SessionBusyError, tool } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { latch, rejection } from '../run/scripts.ts';
import { idle } from '../run/stage.ts';
import { OpenJournal } from './world.ts';

const runId = 'r';

/** An agent whose tool works until the test says so, and how often it was asked to. */
function slow() {
  const works = latch();
  const begun: string[] = [];
  const work = tool({
    name: 'work',
    description: 'Works.',
    parameters: { type: 'object' },
    execute: async (_, { callId }) => {
      begun.push(callId);
      await works.promise;
      return 'worked';
    },
  });
  const model = () => new ScriptedModel([[call('work')], 'done']);
  return { works, begun, agent: () => new Agent({ name: 'A', model: model(), tools: [work] }) };
}

test('a run of a journal is gone on with by one call at a time: a second one fails before it does anything', async () => {
  const { works, begun, agent } = slow();
  const journal = new MemoryJournal();
  const session = new MemorySession();
  const first = Runner.run(agent(), 'go', { journal, runId, session });
  await idle();
  const error = await rejection(Runner.run(agent(), 'go', { journal, runId, session }));
  expect(error).toBeInstanceOf(SessionBusyError);
  expect(String(error)).toContain(`journal: run '${runId}' is under way`);
  expect((await Runner.run(agent().clone({ model: new ScriptedModel(['hi']) }), 'x', { journal })).finalOutput).toBe(
    'hi',
  );
  works.open();
  expect((await first).finalOutput).toBe('done');
  expect(begun).toHaveLength(1);
  expect((await session.read()).items).toHaveLength(4);
});

test('a run that has ended, well or not, leaves its journal free', async () => {
  const { works, begun, agent } = slow();
  works.open();
  const journal = new MemoryJournal();
  const failing = agent().clone({ model: new ScriptedModel([[call('work')], new Error('no')]) });
  await rejection(Runner.run(failing, 'go', { journal, runId }));
  expect(
    (await Runner.run(agent().clone({ model: new ScriptedModel(['done']) }), 'go', { journal, runId })).finalOutput,
  ).toBe('done');
  expect((await Runner.run(agent(), 'go', { journal, runId })).finalOutput).toBe('done');
  expect(begun).toHaveLength(1);
});

test('where a session is busy, the journal is let go again', async () => {
  const { agent } = slow();
  const journal = new MemoryJournal();
  const session = new MemorySession();
  const other = await session.acquire({ runId: 'other', wait: false });
  expect(await rejection(Runner.run(agent(), 'go', { journal, runId, session }))).toBeInstanceOf(SessionBusyError);
  await other.release();
  const calm = agent().clone({ model: new ScriptedModel(['done']) });
  expect((await Runner.run(calm, 'go', { journal, runId, session })).finalOutput).toBe('done');
});

test('a journal that cannot be let go does not change what the run came to', async () => {
  const journal = Object.assign(new OpenJournal(), {
    acquire: async () => ({ release: () => Promise.reject(new Error('gone')) }),
  });
  const agent = new Agent({ name: 'A', model: new ScriptedModel(['done']) });
  expect((await Runner.run(agent, 'go', { journal, runId })).finalOutput).toBe('done');
});
