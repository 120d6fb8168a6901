import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Agent, LimitReachedError, MemorySession, ModelError, Runner, tool, type RunConfig } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection } from './scripts.ts';

/** Runs with one config bound to the runner and another one given with the run. */
function run(agent: Agent, [bound, given]: readonly [RunConfig, RunConfig], session?: MemorySession) {
  return new Runner(bound).run(agent, 'go', { runConfig: given, session });
}

const answering = (...turns: ConstructorParameters<typeof ScriptedModel>[0]) => {
  const model = new ScriptedModel(turns);
  return { model, agent: new Agent({ name: 'A', model }) };
};

describe("a run's own config overlays the runner's", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test(verifies('L2', 'settings field by field, each over the agent’s'), async () => {
    const model = new ScriptedModel(['ok']);
    const agent = new Agent({ name: 'A', model, modelSettings: { seed: 1, topP: 1 } });
    await run(agent, [
      { modelSettings: { temperature: 0, maxTokens: 10, topP: 0.5 } },
      { modelSettings: { maxTokens: 20 } },
    ]);
    expect(model.requests[0]?.settings).toEqual({ seed: 1, topP: 0.5, temperature: 0, maxTokens: 20 });
  });

  test('retry', async () => {
    const { model, agent } = answering(new ModelError({ kind: 'server', message: 'down' }), 'ok');
    const error = await rejection(run(agent, [{ retry: { maxRetries: 0 } }, { retry: { policy: () => true } }]));
    expect(error).toMatchObject({ kind: 'server' });
    expect(model.requests).toHaveLength(1);
  });

  test('timeouts', async () => {
    const bound: RunConfig = { timeouts: { requestMs: 5 }, retry: { maxRetries: 0 } };
    const { agent } = answering(() => new Promise(() => undefined));
    const ended = rejection(run(agent, [bound, { timeouts: { idleMs: 1_000 } }]));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await ended).toMatchObject({ kind: 'timeout', message: expect.stringContaining('requestMs is 5 ms') });
  });

  test('null is a value of its own: it switches a deadline off', async () => {
    const { agent } = answering(() => new Promise((resolve) => setTimeout(() => resolve('late'), 100)));
    const ended = run(agent, [
      { timeouts: { requestMs: 5 }, retry: { maxRetries: 0 } },
      { timeouts: { requestMs: null } },
    ]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await ended).finalOutput).toBe('late');
  });

  test('the execution of tools', async () => {
    let together = 0;
    let most = 0;
    const work = tool({
      name: 'work',
      description: 'Works.',
      parameters: { type: 'object' },
      execute: async () => {
        together += 1;
        most = Math.max(most, together);
        await Promise.resolve();
        together -= 1;
      },
    });
    const model = new ScriptedModel([[call('work', {}, 'a'), call('work', {}, 'b')], 'ok']);
    const agent = new Agent({ name: 'A', model, tools: [work] });
    await run(agent, [{ toolExecution: { maxConcurrency: 1 } }, { toolExecution: { timeoutMs: 50 } }]);
    expect(most).toBe(1);
  });

  test('how sessions are used', async () => {
    const session = new MemorySession({
      items: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'two' },
      ],
    });
    const { model, agent } = answering('ok');
    await run(agent, [{ sessionSettings: { limit: 1 } }, { sessionSettings: { onReadError: 'continue' } }], session);
    expect(model.requests[0]?.input).toHaveLength(2);
  });

  test('limits', async () => {
    const model = new ScriptedModel([[call('none')], 'ok']);
    const bound: RunConfig = { limits: { totalTokens: 1 } };
    const error = await rejection(run(new Agent({ name: 'A', model }), [bound, { limits: { toolCalls: 5 } }]));
    expect(error).toBeInstanceOf(LimitReachedError);
    expect(error).toMatchObject({ limit: 'totalTokens' });
  });

  test('what is undefined is not given', async () => {
    const { agent } = answering('of the agent');
    const model = new ScriptedModel(['of the runner']);
    const result = await run(agent, [
      { model, timeouts: { requestMs: 5 } },
      { model: undefined, timeouts: undefined },
    ]);
    expect(result.finalOutput).toBe('of the runner');
  });
});

test('the config of an agent as a tool overlays that of the run around it in the same way', async () => {
  const model = new ScriptedModel(['inner']);
  const inner = new Agent({ name: 'inner', model });
  const outer = new Agent({
    name: 'outer',
    model: new ScriptedModel([[call('inner', { input: 'x' })], 'ok']),
    tools: [inner.asTool({ runConfig: { modelSettings: { maxTokens: 20 } } })],
  });
  await Runner.run(outer, 'go', { runConfig: { modelSettings: { temperature: 0, maxTokens: 10 } } });
  expect(model.requests[0]?.settings).toEqual({ temperature: 0, maxTokens: 20 });
});
