import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agent, MemorySession, Runner, tool } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, orderOf } from './scripts.ts';

/** Lets everything that is ready go on. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

/** An agent with one tool whose calls return when the test says so. */
function gated(callIds: readonly string[]) {
  const gates = new Map(callIds.map((id) => [id, latch<string>()]));
  const running = new Set<string>();
  const started: string[] = [];
  const work = tool({
    name: 'work',
    description: 'Works.',
    parameters: { type: 'object' },
    execute: async (_, { callId }) => {
      started.push(callId);
      running.add(callId);
      const value = await gates.get(callId)!.promise;
      running.delete(callId);
      return value;
    },
  });
  const model = new ScriptedModel([callIds.map((id) => call('work', {}, id)), 'done']);
  const agent = new Agent({ name: 'A', model, tools: [work] });
  return { agent, model, running, started, open: (id: string) => gates.get(id)!.open(`output of ${id}`) };
}

const ids = ['a', 'b', 'c', 'd', 'e'];

describe('the calls of a response', () => {
  test(verifies('T3', 'all run at the same time by default'), async () => {
    const { agent, running, open } = gated(ids);
    const run = Runner.run(agent, 'go');
    await settled();
    expect([...running]).toEqual(ids);
    for (const id of ids) open(id);
    expect((await run).finalOutput).toBe('done');
  });

  test(verifies('T3', 'a thousand, too'), async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `call_${index}`);
    const { agent, running, open, model } = gated(many);
    const run = Runner.run(agent, 'go');
    await settled();
    expect(running.size).toBe(1000);
    for (const id of many.toReversed()) open(id);
    await run;
    expect(orderOf(model.requests[1]?.input ?? [])).toEqual(many);
  });

  test.for([1, 2, 3])(
    verifies('T3', 'toolExecution.maxConcurrency %d bounds them, in call order'),
    async (maxConcurrency) => {
      const { agent, running, started, open, model } = gated(ids);
      const run = Runner.run(agent, 'go', { runConfig: { toolExecution: { maxConcurrency } } });
      for (const [index, id] of ids.entries()) {
        await settled();
        expect([...running]).toEqual(ids.slice(index, index + maxConcurrency));
        open(id);
      }
      await run;
      expect(started).toEqual(ids);
      expect(orderOf(model.requests[1]?.input ?? [])).toEqual(ids);
    },
  );

  test(verifies('T3', 'a free place goes to the next call, whichever returned'), async () => {
    const { agent, running, open } = gated(ids);
    const run = Runner.run(agent, 'go', { runConfig: { toolExecution: { maxConcurrency: 2 } } });
    await settled();
    open('b');
    await settled();
    expect([...running]).toEqual(['a', 'c']);
    for (const id of ids) open(id);
    await run;
  });

  test(
    verifies('T3', 'outputs are in call order in items, session and request, whatever order they came in'),
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.shuffledSubarray(ids, { minLength: ids.length }),
          fc.constantFrom(undefined, 1, 2, 4),
          async (order, maxConcurrency) => {
            const { agent, running, open, model } = gated(ids);
            const session = new MemorySession();
            const run = Runner.run(agent, 'go', { session, runConfig: { toolExecution: { maxConcurrency } } });
            const left = [...order];
            while (left.length > 0) {
              await settled();
              const next = left.findIndex((id) => running.has(id));
              open(left.splice(next, 1)[0]!);
            }
            const result = await run;
            expect(orderOf(result.newItems.map(({ rawItem }) => rawItem))).toEqual(ids);
            expect(orderOf(result.toInputList())).toEqual(ids);
            expect(orderOf(await session.getItems())).toEqual(ids);
            expect(orderOf(model.requests[1]?.input ?? [])).toEqual(ids);
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  test(verifies('T3', 'what a resume settles later is appended'), async () => {
    const asks = tool({
      name: 'asks',
      description: 'Asks.',
      parameters: { type: 'object' },
      execute: () => 'ok',
      needsApproval: true,
    });
    const free = tool({ name: 'free', description: 'Free.', parameters: { type: 'object' }, execute: () => 'ok' });
    const model = new ScriptedModel([[call('asks', {}, '1'), call('free', {}, '2'), call('asks', {}, '3')], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [asks, free] });
    const stopped = await Runner.run(agent, 'go');
    expect(orderOf(stopped.toInputList())).toEqual(['2']);
    for (const item of stopped.interruptions) stopped.state.approve(item);
    const result = await Runner.run(agent, stopped.state);
    expect(orderOf(result.toInputList())).toEqual(['2', '1', '3']);
  });
});
