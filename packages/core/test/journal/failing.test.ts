import { expect, test } from 'vitest';
import { Agent, MemorySession, Runner, tool, type AgentsError } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, orderOf, rejection } from '../run/scripts.ts';
import { idle, noting } from '../run/stage.ts';
import { OpenJournal } from './world.ts';

const parameters = { type: 'object' } as const;

/** Four calls: one that stops when it is told to, one that fails the run, and two that are done before and after it. */
function failing(mended: boolean) {
  const failure = latch();
  const log: string[] = [];
  const careful = tool({
    name: 'careful',
    description: 'Stops when it is told to.',
    parameters,
    execute: (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'))),
  });
  const fatal = tool({
    name: 'fatal',
    description: 'Fails the run.',
    parameters,
    errorFunction: null,
    execute: async () => {
      log.push('fatal');
      if (mended) return 'mended';
      await failure.promise;
      throw new Error('no');
    },
  });
  const late = tool({
    name: 'late',
    description: 'Is done when the run has failed.',
    parameters,
    execute: (_, { signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(() => resolve('late')))),
  });
  const names = ['careful', 'fatal', 'late', 'quick'];
  const model = new ScriptedModel(mended ? ['done'] : [names.map((name) => call(name, {}, name)), 'done']);
  const agent = new Agent({ name: 'A', model, tools: [careful, fatal, late, noting('quick', log)] });
  return { agent, model, failure, log };
}

async function failed() {
  const { agent, failure } = failing(false);
  const journal = new OpenJournal();
  const session = new MemorySession();
  const running = rejection(Runner.run(agent, 'go', { journal, runId: 'r', session }));
  await idle();
  failure.open();
  const error = (await running) as AgentsError;
  return { error, journal, session };
}

test(
  verifies('L14', 'what settles when the run has failed is kept in call order, in the items and in the session'),
  async () => {
    const { error, session } = await failed();
    expect(error).toMatchObject({ name: 'ToolCallError' });
    const kept = error.runData?.newItems.map(({ rawItem }) => rawItem) ?? [];
    expect(orderOf(kept)).toEqual(['careful', 'late', 'quick']);
    expect((await session.getItems()).slice(1)).toEqual(kept);
  },
);

test.for([
  ['from its journal', undefined],
  ['from its state', 'state'],
] as const)(
  verifies('L14', 'resumed %s, the run repeats only what failed, and the session holds what the run does'),
  async ([, from]) => {
    const { error, journal, session } = await failed();
    const { agent, model, log } = failing(true);
    const input = from ? error.state! : 'go';
    const result = await Runner.run(agent, input, { journal, runId: 'r', session });
    expect(log).toEqual(['fatal']);
    expect(result.finalOutput).toBe('done');
    expect(orderOf(result.toInputList())).toEqual(['careful', 'late', 'quick', 'fatal']);
    expect(orderOf(model.requests[0]?.input ?? [])).toEqual(['careful', 'late', 'quick', 'fatal']);
    expect(await session.getItems()).toEqual(result.toInputList());
  },
);

test(verifies('T4', 'an agent as a tool that fails is told of once its other calls have stopped'), async () => {
  const { agent: inner, failure } = failing(false);
  const stopped = latch();
  const order: string[] = [];
  const late = tool({
    name: 'late',
    description: 'Takes its time to stop.',
    parameters,
    execute: async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await stopped.promise;
      order.push('stopped');
    },
  });
  const others = inner.tools.filter((each) => !('name' in each && each.name === 'late'));
  const model = new ScriptedModel([[call('a', { input: 'x' })], 'done']);
  const outer = new Agent({
    name: 'Outer',
    model,
    tools: [inner.clone({ tools: [...others, late] }).asTool({ toolName: 'a' })],
    hooks: { onToolEnd: () => void order.push('told') },
  });
  const running = Runner.run(outer, 'go');
  await idle();
  failure.open();
  await idle();
  expect(order).toEqual([]);
  stopped.open();
  expect((await running).finalOutput).toBe('done');
  expect(order).toEqual(['stopped', 'told']);
});
