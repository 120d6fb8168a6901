import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  LimitReachedError,
  MemorySession,
  Runner,
  RunState,
  tool,
  usageOf,
  type ErrorHandlers,
  type RunConfig,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, latch, orderOf, outputsIn, rejection, response } from './scripts.ts';

type Limits = NonNullable<RunConfig['limits']>;

function counting() {
  const execute = vi.fn(() => 'pong');
  return { execute, ping: tool({ name: 'ping', description: 'P.', parameters: { type: 'object' }, execute }) };
}

async function limited(run: Promise<unknown>): Promise<LimitReachedError> {
  const error = await rejection(run);
  expect(error).toBeInstanceOf(LimitReachedError);
  return error as LimitReachedError;
}

const spending = (inputTokens: number, outputTokens: number) => ({ usage: usageOf({ inputTokens, outputTokens }) });

describe('limits', () => {
  test(verifies('L15', 'toolCalls: no call starts past it, not even in the same response'), async () => {
    const { execute, ping } = counting();
    const model = new ScriptedModel([['a', 'b', 'c'].map((id) => call('ping', {}, id)), 'done']);
    const agent = new Agent({ name: 'A', model, tools: [ping] });
    const error = await limited(Runner.run(agent, 'go', { runConfig: { limits: { toolCalls: 2 } } }));
    expect(error.limit).toBe('toolCalls');
    expect(String(error)).toContain('limits.toolCalls');
    expect(execute).toHaveBeenCalledTimes(2);
    expect(brief(error.runData?.newItems ?? []).slice(3)).toEqual(['output ping', 'output ping']);
    expect(model.requests).toHaveLength(1);
  });

  test(verifies('L15', 'toolCalls: a run that wants no further call ends normally'), async () => {
    const { execute, ping } = counting();
    const model = new ScriptedModel([[call('ping', {}, 'a')], [call('ping', {}, 'b')], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [ping] });
    const result = await Runner.run(agent, 'go', { runConfig: { limits: { toolCalls: 2 } } });
    expect(result.finalOutput).toBe('done');
    expect(execute).toHaveBeenCalledTimes(2);
  });

  test(verifies('L15', 'toolCalls: 0 allows none'), async () => {
    const { execute, ping } = counting();
    const model = new ScriptedModel([[call('ping')], 'done']);
    await limited(
      Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go', { runConfig: { limits: { toolCalls: 0 } } }),
    );
    expect(execute).not.toHaveBeenCalled();
  });

  test.for([
    ['inputTokens', { inputTokens: 100 }, 100, 1],
    ['outputTokens', { outputTokens: 20 }, 1, 20],
    ['totalTokens', { totalTokens: 60 }, 40, 20],
  ] as readonly (readonly [string, Limits, number, number])[])(
    verifies('L15', '%s: nothing starts once it is reached, neither tools nor the model'),
    async ([name, limits, inputTokens, outputTokens]) => {
      const { execute, ping } = counting();
      const model = new ScriptedModel([
        response([call('ping')], spending(inputTokens, outputTokens)),
        response([call('ping')], spending(0, 0)),
        'done',
      ]);
      const agent = new Agent({ name: 'A', model, tools: [ping] });
      const error = await limited(Runner.run(agent, 'go', { runConfig: { limits } }));
      expect(error.limit).toBe(name);
      expect(execute).not.toHaveBeenCalled();
      expect(model.requests).toHaveLength(1);
      const below = Object.fromEntries(Object.entries(limits).map(([key, value]) => [key, (value ?? 0) + 20]));
      const more = new ScriptedModel([
        response([call('ping')], spending(inputTokens, outputTokens)),
        response([], spending(0, 0)),
      ]);
      await expect(
        Runner.run(agent.clone({ model: more }), 'go', { runConfig: { limits: below } }),
      ).resolves.toBeDefined();
    },
  );

  test(verifies('L15', 'an answer that reaches a limit is still the answer'), async () => {
    const model = new ScriptedModel(['done']);
    const result = await Runner.run(new Agent({ name: 'A', model }), 'go', {
      runConfig: { limits: { totalTokens: 15 } },
    });
    expect(result.finalOutput).toBe('done');
  });

  test(verifies('L15', 'wallMs counts time that work takes, not the wait for a person'), async () => {
    vi.useFakeTimers();
    try {
      const slow = tool({
        name: 'slow',
        description: 'S.',
        parameters: { type: 'object' },
        needsApproval: ({ callId }) => callId === 'second',
        execute: () => new Promise((resolve) => setTimeout(() => resolve('slept'), 400)),
      });
      const model = new ScriptedModel([[call('slow', {}, 'first')], [call('slow', {}, 'second')], 'done']);
      const agent = new Agent({ name: 'A', model, tools: [slow] });
      const runConfig: RunConfig = { limits: { wallMs: 600 } };
      const first = Runner.run(agent, 'go', { runConfig });
      await vi.advanceTimersByTimeAsync(400);
      const stopped = await first;
      await vi.advanceTimersByTimeAsync(60_000);
      stopped.state.approve(stopped.interruptions[0]!);
      const second = limited(Runner.run(agent, stopped.state, { runConfig }));
      await vi.advanceTimersByTimeAsync(400);
      const error = await second;
      expect(error.limit).toBe('wallMs');
      expect(orderOf(error.runData?.newItems.map(({ rawItem }) => rawItem) ?? [])).toEqual(['first', 'second']);
      expect(model.requests).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  describe('with a sibling that reacts to its signal', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    /** Two calls: the one that ends uses up the time, the other one stops `delay` after it is told to. */
    function stopping(delay: number, errorHandlers: ErrorHandlers<unknown>) {
      const quick = tool({
        name: 'quick',
        description: 'Q.',
        parameters: { type: 'object' },
        execute: () => new Promise((resolve) => setTimeout(() => resolve('quick output'), 100)),
      });
      const careful = tool({
        name: 'careful',
        description: 'C.',
        parameters: { type: 'object' },
        execute: (_, { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => setTimeout(() => resolve('stopped'), delay));
          }),
      });
      const model = new ScriptedModel([[call('careful'), call('quick')], 'done']);
      const agent = new Agent({ name: 'A', model, tools: [quick, careful] });
      const session = new MemorySession();
      const run = Runner.run(agent, 'go', { session, errorHandlers, runConfig: { limits: { wallMs: 50 } } });
      return { agent, model, session, run };
    }

    test(
      verifies('L15', 'the error handler answers once, and what settles before it is asked stands before its answer'),
      async () => {
        const answer = latch<{ finalOutput: string }>();
        const seen: string[][] = [];
        const { run, session } = stopping(10, {
          limitReached: ({ error, runData }) => {
            expect(error).toMatchObject({ limit: 'wallMs' });
            seen.push(brief(runData.newItems));
            return answer.promise;
          },
        });
        await vi.advanceTimersByTimeAsync(200);
        answer.open({ finalOutput: 'partial' });
        const result = await run;
        expect(seen).toEqual([['call careful', 'call quick', 'output careful', 'output quick']]);
        expect(result.finalOutput).toBe('partial');
        expect(brief(result.newItems).slice(2)).toEqual(['output careful', 'output quick', 'message partial']);
        expect((await session.getItems()).slice(1)).toEqual(result.toInputList().slice(1));
      },
    );

    test(verifies('L15', 'a call that does not stop is given up, and adds nothing behind the answer'), async () => {
      const { run, session } = stopping(5_000, { limitReached: () => ({ finalOutput: 'partial' }) });
      await vi.advanceTimersByTimeAsync(2_000);
      const result = await run;
      expect(result.finalOutput).toBe('partial');
      expect(brief(result.newItems).slice(2)).toEqual(['output quick', 'message partial']);
      expect((await session.getItems()).slice(1)).toEqual(result.toInputList().slice(1));
    });

    test(verifies('L15', 'when the error stands, the state goes on from all that has settled'), async () => {
      const answer = latch<undefined>();
      const { run, session, agent, model } = stopping(10, { limitReached: () => answer.promise });
      const ended = limited(run);
      await vi.advanceTimersByTimeAsync(200);
      answer.open(undefined);
      const error = await ended;
      expect(brief(error.runData?.newItems ?? []).slice(2)).toEqual(['output careful', 'output quick']);
      const result = await Runner.run(agent, error.state!, { session });
      expect(result.finalOutput).toBe('done');
      expect(orderOf(model.requests[1]?.input ?? [])).toEqual(['call_careful', 'call_quick']);
    });
  });

  test(verifies('L15', 'errorHandlers.default answers, too; undefined lets the error stand'), async () => {
    const { ping } = counting();
    const agent = () => new Agent({ name: 'A', model: new ScriptedModel([[call('ping')]]), tools: [ping] });
    const runConfig: RunConfig = { limits: { toolCalls: 0 } };
    const result = await Runner.run(agent(), 'go', {
      runConfig,
      errorHandlers: { default: () => ({ finalOutput: 'x' }) },
    });
    expect(result.finalOutput).toBe('x');
    await limited(Runner.run(agent(), 'go', { runConfig, errorHandlers: { limitReached: () => undefined } }));
  });

  test(verifies('L15', 'the state of the error goes on where it stopped, with higher limits'), async () => {
    const { execute, ping } = counting();
    const model = new ScriptedModel([['a', 'b', 'c'].map((id) => call('ping', {}, id)), 'done']);
    const agent = new Agent({ name: 'A', model, tools: [ping] });
    const error = await limited(Runner.run(agent, 'go', { runConfig: { limits: { toolCalls: 1 } } }));
    const state = RunState.fromString(agent, error.state!.toString());
    const again = await limited(Runner.run(agent, state, { runConfig: { limits: { toolCalls: 2 } } }));
    expect(execute).toHaveBeenCalledTimes(2);
    const result = await Runner.run(agent, again.state!, { runConfig: { limits: { toolCalls: 3 } } });
    expect(result.finalOutput).toBe('done');
    expect(execute).toHaveBeenCalledTimes(3);
    expect(orderOf(result.toInputList())).toEqual(['a', 'b', 'c']);
    expect(model.requests).toHaveLength(2);
  });

  test(verifies('L15', 'the same limit ends a resumed run before anything starts'), async () => {
    const { execute, ping } = counting();
    const model = new ScriptedModel([response([call('ping')], spending(100, 1)), 'done']);
    const agent = new Agent({ name: 'A', model, tools: [ping] });
    const runConfig: RunConfig = { limits: { inputTokens: 100 } };
    const error = await limited(Runner.run(agent, 'go', { runConfig }));
    await limited(Runner.run(agent, error.state!, { runConfig }));
    expect(execute).not.toHaveBeenCalled();
    expect(model.requests).toHaveLength(1);
  });
});

describe('limits and agents as tools', () => {
  test(verifies('L15', 'tokens of a sub-agent count, and stop it in the middle'), async () => {
    const { execute, ping } = counting();
    const inner = new ScriptedModel([response([call('ping')], spending(100, 1)), 'helped']);
    const helper = new Agent({ name: 'Helper', model: inner, tools: [ping] });
    const model = new ScriptedModel([[call('helper', { input: 'x' })], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [helper.asTool()] });
    const error = await limited(Runner.run(agent, 'go', { runConfig: { limits: { inputTokens: 50 } } }));
    expect(error.runData?.usage.inputTokens).toBe(110);
    expect(execute).not.toHaveBeenCalled();
    expect(inner.requests).toHaveLength(1);
    expect(model.requests).toHaveLength(1);
    const runConfig: RunConfig = { limits: { inputTokens: 1_000 } };
    const result = await Runner.run(agent, error.state!, { runConfig });
    expect(result.finalOutput).toBe('done');
    expect(outputsIn(result.toInputList())).toEqual({ call_helper: 'helped' });
  });

  test(verifies('L15', 'tool calls of sub-agents share one budget with the outer run'), async () => {
    const { execute, ping } = counting();
    const calls = ['a', 'b', 'c'].map((id) => call('ping', {}, id));
    const helper = new Agent({ name: 'Helper', model: new ScriptedModel([calls, 'done']), tools: [ping] });
    const model = new ScriptedModel([[call('helper', { input: 'x' }), call('ping', {}, 'mine')], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [helper.asTool(), ping] });
    const runConfig: RunConfig = { limits: { toolCalls: 4 } };
    const error = await limited(Runner.run(agent, 'go', { runConfig }));
    // The agent as a tool is a call, `mine` is one, and two of the three inside.
    expect(execute).toHaveBeenCalledTimes(3);
    const result = await Runner.run(agent, error.state!, { runConfig: { limits: { toolCalls: 5 } } });
    expect(execute).toHaveBeenCalledTimes(4);
    expect(result.finalOutput).toBe('done');
  });

  test(verifies('L15', 'limits of its own bound a sub-agent alone'), async () => {
    const { execute, ping } = counting();
    const calls = ['a', 'b', 'c'].map((id) => call('ping', {}, id));
    const helper = new Agent({ name: 'Helper', model: new ScriptedModel([calls, 'never']), tools: [ping] });
    const model = new ScriptedModel([[call('helper', { input: 'x' })], 'done']);
    const made = helper.asTool({ runConfig: { limits: { toolCalls: 1 } } });
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [made] }), 'go');
    expect(result.finalOutput).toBe('done');
    expect(execute).toHaveBeenCalledTimes(1);
    expect(outputsIn(model.requests[1]?.input ?? [])['call_helper']).toContain('reached limits.toolCalls');
  });
});
