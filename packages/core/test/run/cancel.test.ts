import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  Runner,
  RunState,
  tool,
  type Hooks,
  type RunOptions,
  type StreamedRunResult,
  type Tool,
} from '../../src/index.ts';
import { ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch } from './scripts.ts';
import { idle, noting, reading, unhandledDuring, word, words, staged, waitingTool } from './stage.ts';
import { calling, spoken, toyModel, type Chunk } from './toy-model.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('a slow consumer', () => {
  test(verifies('S3', 'slows a fast model: it never runs far ahead'), async () => {
    let sent = 0;
    const model = toyModel({
      async *open() {
        for (; sent < 3000; sent++) yield { type: 'text', delta: 'x' };
        yield { type: 'end', stop: 'end' };
      },
    });
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
    const reader = stream[Symbol.asyncIterator]();
    let read = 0;
    let ahead = 0;
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      if (word(next.value) === 'response.output_text.delta') read += 1;
      if (read % 100 === 0) await idle();
      ahead = Math.max(ahead, sent - read);
    }
    expect(read).toBe(3000);
    expect(ahead).toBeGreaterThan(30);
    expect(ahead).toBeLessThanOrEqual(66);
  });

  test(verifies('S3', 'that takes longer than the deadlines is not taken for a silent model'), async () => {
    const model = toyModel({
      async *open() {
        yield* spoken('x'.repeat(400));
      },
    });
    const runConfig = { timeouts: { firstByteMs: 50, idleMs: 50, requestMs: null }, retry: { maxRetries: 0 } };
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x', { runConfig });
    const reader = stream[Symbol.asyncIterator]();
    let events = 0;
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      events += 1;
      await vi.advanceTimersByTimeAsync(75);
    }
    expect(events).toBeGreaterThan(100);
    expect(stream.finalOutput).toHaveLength(400);
  });

  test('does not make a tool run twice that settles while events wait for it', async () => {
    const reading = latch();
    const waiting = waitingTool();
    const inner = new Agent({ name: 'Inner', model: new ScriptedModel(['inner']) });
    const { model } = staged([calling({ name: 'wait' }, { name: 'inner', args: { input: 'a' } }), spoken('done')]);
    const tools = [waiting.tool, inner.asTool({ onStream: () => reading.promise })];
    const run = Runner.run(new Agent({ name: 'A', model, tools }), 'x');
    await idle();
    waiting.settle.open('waited');
    await idle();
    reading.open();
    expect((await run).finalOutput).toBe('done');
    expect(waiting.seen.started).toBe(1);
  });
});

const stops: readonly [string, (stream: StreamedRunResult<unknown, unknown>, controller: AbortController) => void][] = [
  ["cancel('immediate')", (stream) => stream.cancel('immediate')],
  ['cancel()', (stream) => stream.cancel()],
  ['the signal', (_stream, controller) => controller.abort()],
];

describe.for(stops)('%s', ([name, stop]) => {
  /** Streams a run, stops it once `ready`, and gives back how it ended. */
  async function stopped(
    agent: Agent,
    { options = {}, after }: { options?: RunOptions<unknown>; after?: () => Promise<void> } = {},
  ) {
    const controller = new AbortController();
    const stream = Runner.runStreamed(agent, 'x', { ...options, signal: controller.signal });
    const { events, end } = reading(stream);
    await idle();
    stop(stream, controller);
    await after?.();
    const error = name === 'the signal' ? controller.signal.reason : undefined;
    const completed = stream.completed.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await idle();
    return { stream, events, end, completed, error };
  }

  async function expectStopped({
    stream,
    end,
    completed,
    error,
  }: Awaited<ReturnType<typeof stopped>>): Promise<RunState> {
    expect(await completed).toBe(error);
    expect(await end).toBe(error ?? 'ended');
    expect(stream.isComplete).toBe(true);
    expect(stream.finalOutput).toBeUndefined();
    return stream.state;
  }

  test(verifies('S3', `${name} stops the model; the state goes on from there`), async () => {
    const { model, seen } = staged([null, spoken('done')]);
    const agent = new Agent({ name: 'A', model });
    const end = await stopped(agent);
    const state = await expectStopped(end);
    expect(seen.signals[0]?.aborted).toBe(true);
    expect(end.stream.usage).toMatchObject({ requests: 1, source: 'partial' });
    const resumed = await Runner.run(agent, RunState.fromString(agent, state.toString()));
    expect(resumed.finalOutput).toBe('done');
    expect(resumed.usage.requests).toBe(2);
  });

  test(
    verifies('S3', `${name} stops tools; resumed, only what had not finished runs, under the same key`),
    async () => {
      const { model } = staged([calling({ name: 'act' }, { name: 'wait' }), spoken('done')]);
      const ran: string[] = [];
      const waiting = waitingTool();
      const agent = new Agent({ name: 'A', model, tools: [noting('act', ran), waiting.tool] });
      const state = await expectStopped(await stopped(agent));
      expect([ran, waiting.seen.started, waiting.seen.aborted]).toEqual([['act'], 1, 1]);
      waiting.settle.open('waited');
      const result = await Runner.run(agent, state);
      expect(result.finalOutput).toBe('done');
      expect([ran, waiting.seen.started]).toEqual([['act'], 2]);
      expect(new Set(waiting.seen.keys).size).toBe(1);
      expect(result.newItems.flatMap((item) => (item.type === 'tool_call_output_item' ? [item.output] : []))).toEqual([
        'act output',
        'waited',
      ]);
    },
  );

  test(verifies('S3', `${name} stops agents that are used as tools, and what runs inside them`), async () => {
    const waiting = waitingTool();
    const deep = staged([calling({ name: 'wait' }), spoken('inner done')]);
    const slow = staged([null, spoken('slow done')]);
    const inner = new Agent({ name: 'Inner', model: deep.model, tools: [waiting.tool] });
    const other = new Agent({ name: 'Other', model: slow.model });
    const { model } = staged([
      calling({ name: 'inner', args: { input: 'a' } }, { name: 'other', args: { input: 'b' } }),
      spoken('done'),
    ]);
    const agent = new Agent({ name: 'A', model, tools: [inner.asTool(), other.asTool()] });
    const state = await expectStopped(await stopped(agent));
    expect(waiting.seen.aborted).toBe(1);
    expect(slow.seen.signals[0]?.aborted).toBe(true);
    waiting.settle.open('waited');
    const result = await Runner.run(agent, state);
    expect(result.finalOutput).toBe('done');
    expect([deep.seen.calls, slow.seen.calls]).toEqual([2, 2]);
  });

  test.for(['returns', 'throws'] as const)(
    verifies('S3', `${name}: a tool that ignores its signal is abandoned, and nothing follows when it %s late`),
    async (how) => {
      const late = latch<string>();
      const log: string[] = [];
      const stubborn = tool({
        name: 'stubborn',
        description: 'Ignores its signal.',
        parameters: { type: 'object' },
        execute: () => late.promise,
        outputGuardrails: [{ name: 'g', execute: () => (log.push('guardrail'), { type: 'allow' }) }],
        errorFunction: () => (log.push('errorFunction'), 'error'),
      });
      const hooks: Hooks<unknown> = {
        onToolEnd: () => void log.push('tool end'),
        onRunEnd: () => void log.push('run end'),
      };
      const { model, seen } = staged([calling({ name: 'stubborn' }), spoken('done')]);
      const agent = new Agent({ name: 'A', model, tools: [stubborn] });
      const seenRejections = await unhandledDuring(async () => {
        vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
        const end = await stopped(agent, {
          options: { hooks },
          after: async () => void (await vi.advanceTimersByTimeAsync(1000)),
        });
        await expectStopped(end);
        const before = end.stream.newItems.length;
        if (how === 'returns') late.open('late');
        else late.break(new Error('late'));
        await idle();
        expect(log).toEqual(['run end']);
        expect(end.stream.newItems).toHaveLength(before);
        expect(seen.calls).toBe(1);
      });
      expect(seenRejections).toEqual([]);
    },
  );

  test(verifies('S3', `${name} before a call has begun: it does not begin`), async () => {
    const gate = latch();
    let executed = 0;
    const act: Tool = tool({
      name: 'act',
      description: 'Acts.',
      parameters: { type: 'object' },
      execute: () => (executed += 1),
      inputGuardrails: [{ name: 'g', execute: async () => (await gate.promise, { type: 'allow' }) }],
    });
    const byTool = await stopped(
      new Agent({ name: 'A', model: staged([calling({ name: 'act' })]).model, tools: [act] }),
      {
        after: async () => (await idle(), gate.open()),
      },
    );
    await expectStopped(byTool);
    expect(executed).toBe(0);

    const hook = latch();
    const { model, seen } = staged([spoken('hi')]);
    const byModel = await stopped(new Agent({ name: 'A', model, hooks: { onModelStart: () => hook.promise } }), {
      after: async () => (await idle(), hook.open()),
    });
    await expectStopped(byModel);
    expect(seen.calls).toBe(0);
  });

  test(verifies('S3', `${name} between two attempts: there is no other`), async () => {
    const { model, seen } = staged([[{ type: 'failure', message: 'overloaded' }], spoken('hi')]);
    const end = await stopped(new Agent({ name: 'A', model }));
    await expectStopped(end);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.calls).toBe(1);
    expect(words(end.events)).toEqual(['agent A']);
  });

  test(verifies('S3', `${name} ends an error handler that is still asked`), async () => {
    const { model } = staged([calling({ name: 'act' })]);
    const agent = new Agent({ name: 'A', model, tools: [noting('act', [])] });
    const errorHandlers = { maxTurns: () => latch<{ finalOutput: string }>().promise };
    const end = await stopped(agent, {
      options: { maxTurns: 1, errorHandlers },
      after: async () => void (await vi.advanceTimersByTimeAsync(1000)),
    });
    await expectStopped(end);
  });

  test.for(['response.created', 'polyrun:response_done'] as const)(
    verifies('S3', `${name} ends a run whose consumer has stopped reading (at %s)`),
    async (last) => {
      const messages = Array.from({ length: 200 }, (): Chunk[] => [{ type: 'text', delta: 'x' }, { type: 'next' }]);
      const { model } = staged([[...messages.flat(), { type: 'end', stop: 'end' }]]);
      const controller = new AbortController();
      const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x', { signal: controller.signal });
      const reader = stream[Symbol.asyncIterator]();
      for (let next = await reader.next(); !next.done && word(next.value) !== last;) next = await reader.next();
      for (let round = 0; round < 10; round++) await idle();
      // Until here it waits for its reader: in the model's stream, or with what came of the response.
      expect(stream.isComplete).toBe(false);
      stop(stream, controller);
      const error = name === 'the signal' ? controller.signal.reason : undefined;
      expect(await stream.completed.catch((reason: unknown) => reason)).toBe(error);
    },
  );
});
