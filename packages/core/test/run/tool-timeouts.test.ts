import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  Runner,
  tool,
  ToolCallError,
  ToolTimeoutError,
  type RunConfig,
  type ToolOptions,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, outputsIn, rejection } from './scripts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const minutes = 60_000;

function hanging(more: Partial<ToolOptions<unknown, unknown>> = {}) {
  return tool({
    name: 'hang',
    description: 'Hangs.',
    parameters: { type: 'object' },
    execute: () => new Promise(() => {}),
    ...more,
  });
}

/** A run with one call of a hanging tool, and whether it is over. */
function started(more: Partial<ToolOptions<unknown, unknown>>, runConfig: RunConfig = {}) {
  const model = new ScriptedModel([[call('hang')], 'done']);
  const run = Runner.run(new Agent({ name: 'A', model, tools: [hanging(more)] }), 'go', { runConfig });
  const state = { over: false };
  const end = () => {
    state.over = true;
  };
  run.then(end, end);
  return { model, run, state, told: () => outputsIn(model.requests[1]?.input ?? [])['call_hang'] };
}

describe('a tool that does not answer', () => {
  test.for([
    ['the default of five minutes', {}, {}, 5 * minutes],
    ["the run config's", {}, { toolExecution: { timeoutMs: 2_000 } }, 2_000],
    ["the tool's own before the run config's", { timeoutMs: 70 }, { toolExecution: { timeoutMs: 2_000 } }, 70],
    [
      "the tool's own, longer than the run config's",
      { timeoutMs: 9_000 },
      { toolExecution: { timeoutMs: 2_000 } },
      9_000,
    ],
  ] as const)(verifies('T5', 'times out after %s'), async ([, own, runConfig, ms]) => {
    const { run, state, told } = started(own, runConfig);
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(state.over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await run).finalOutput).toBe('done');
    expect(told()).toBe(`Tool 'hang' did not answer within ${ms} ms.`);
    expect(vi.getTimerCount()).toBe(0);
  });

  test(verifies('T5', "timeoutBehavior: 'raise' fails the run"), async () => {
    const { run } = started({ timeoutMs: 10, timeoutBehavior: 'raise' });
    const error = rejection(run);
    await vi.advanceTimersByTimeAsync(10);
    expect(await error).toBeInstanceOf(ToolTimeoutError);
    expect(String(await error)).toContain("Tool 'hang' did not answer within 10 ms");
  });

  test(verifies('T5', 'errorFunction words the timeout; null fails the run'), async () => {
    const worded = started({ timeoutMs: 10, errorFunction: ({ error }) => `sorry, ${(error as Error).name}` });
    await vi.advanceTimersByTimeAsync(10);
    await worded.run;
    expect(worded.told()).toBe('sorry, ToolTimeoutError');
    const error = rejection(started({ timeoutMs: 10, errorFunction: null }).run);
    await vi.advanceTimersByTimeAsync(10);
    expect(await error).toBeInstanceOf(ToolCallError);
    expect(((await error) as Error).cause).toBeInstanceOf(ToolTimeoutError);
  });

  test(verifies('T5', 'its signal is aborted with the timeout as reason, its late result dropped'), async () => {
    const late = latch<string>();
    const reasons: unknown[] = [];
    const { run, told } = started({
      timeoutMs: 10,
      execute: (_, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return late.promise;
      },
    });
    await vi.advanceTimersByTimeAsync(10);
    late.open('too late');
    await run;
    expect(reasons).toEqual([expect.any(ToolTimeoutError)]);
    expect(told()).toContain('did not answer');
  });

  test(verifies('T5', 'a late rejection is dropped, too'), async () => {
    const late = latch<string>();
    const { run } = started({ timeoutMs: 10, execute: () => late.promise });
    await vi.advanceTimersByTimeAsync(10);
    late.break(new Error('too late'));
    expect((await run).finalOutput).toBe('done');
  });

  test(verifies('T5', 'a signal that is asked for only after the timeout is aborted'), async () => {
    let aborted: boolean | undefined;
    const { run } = started({
      timeoutMs: 10,
      execute: async (_, context) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        aborted = context.signal.aborted;
      },
    });
    await vi.advanceTimersByTimeAsync(20);
    await run;
    expect(aborted).toBe(true);
  });

  test(verifies('T5', 'others of the same response are not touched by it'), async () => {
    const quick = tool({
      name: 'quick',
      description: 'Q.',
      parameters: { type: 'object' },
      execute: async () => 'here',
    });
    const model = new ScriptedModel([[call('hang'), call('quick')], 'done']);
    const run = Runner.run(new Agent({ name: 'A', model, tools: [hanging({ timeoutMs: 10 }), quick] }), 'go');
    await vi.advanceTimersByTimeAsync(10);
    await run;
    expect(outputsIn(model.requests[1]?.input ?? [])['call_quick']).toBe('here');
  });

  test('a promise of another make is awaited under the same deadline', async () => {
    const Foreign = runInNewContext('Promise') as PromiseConstructor;
    const query = new Foreign((resolve) => setTimeout(() => resolve([1, 2]), 5));
    expect(query).not.toBeInstanceOf(Promise);
    const { run, told } = started({ timeoutMs: 10, execute: () => query });
    await vi.advanceTimersByTimeAsync(5);
    await run;
    expect(told()).toBe('[1,2]');
    const never = started({ timeoutMs: 10, execute: () => new Foreign(() => {}) });
    await vi.advanceTimersByTimeAsync(10);
    await never.run;
    expect(never.told()).toContain('did not answer');
  });

  test('a tool that answers in time leaves no timer behind', async () => {
    const { run } = started({ execute: async () => 'quick' });
    await run;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what has no timeout by default', () => {
  test(verifies('T5', 'an agent as a tool'), async () => {
    const late = latch<string>();
    const inner = new Agent({ name: 'Inner', model: new ScriptedModel([() => late.promise]) });
    const model = new ScriptedModel([[call('inner', { input: 'x' })], 'done']);
    const runConfig: RunConfig = { toolExecution: { timeoutMs: 10 }, timeouts: { requestMs: null } };
    const run = Runner.run(new Agent({ name: 'A', model, tools: [inner.asTool()] }), 'go', { runConfig });
    await vi.advanceTimersByTimeAsync(60 * minutes);
    late.open('after an hour');
    await run;
    expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({ call_inner: 'after an hour' });
  });

  test(
    verifies('T5', 'a tool inside an agent as a tool has one, and a raised one ends the inner run only'),
    async () => {
      const inner = new Agent({
        name: 'Inner',
        model: new ScriptedModel([[call('hang')]]),
        tools: [hanging({ timeoutMs: 10, timeoutBehavior: 'raise' })],
      });
      const model = new ScriptedModel([[call('inner', { input: 'x' })], 'done']);
      const run = Runner.run(new Agent({ name: 'A', model, tools: [inner.asTool()] }), 'go');
      await vi.advanceTimersByTimeAsync(10);
      expect((await run).finalOutput).toBe('done');
      expect(outputsIn(model.requests[1]?.input ?? [])['call_inner']).toContain(
        "Tool 'hang' did not answer within 10 ms",
      );
    },
  );

  test('the inputBuilder of one has the usual one: it cannot hang the run', async () => {
    const inner = new Agent({ name: 'Inner', model: new ScriptedModel([]) });
    const model = new ScriptedModel([[call('inner', { input: 'x' })], 'done']);
    const tools = [inner.asTool({ inputBuilder: () => new Promise(() => {}) })];
    const run = Runner.run(new Agent({ name: 'A', model, tools }), 'go');
    await vi.advanceTimersByTimeAsync(5 * minutes);
    expect((await run).finalOutput).toBe('done');
  });

  test(verifies('T5', 'waiting for an approval'), async () => {
    const model = new ScriptedModel([[call('hang')], 'done']);
    const tools = [hanging({ needsApproval: true, timeoutMs: 10, execute: async () => 'ran' })];
    const agent = new Agent({ name: 'A', model, tools });
    const stopped = await Runner.run(agent, 'go');
    await vi.advanceTimersByTimeAsync(60 * minutes);
    stopped.state.approve(stopped.interruptions[0]!);
    await Runner.run(agent, stopped.state);
    expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({ call_hang: 'ran' });
  });
});
