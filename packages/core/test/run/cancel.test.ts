import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  AgentsError,
  Runner,
  RunState,
  tool,
  type CallContext,
  type Hooks,
  type RunOptions,
  type StreamedRunResult,
  type Tool,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { idle, noting, PlainSession, reading, unhandledDuring, word, words } from './stage.ts';
import { calling, spoken, toyModel, type Chunk } from './toy-model.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Rejects as soon as a signal is aborted. */
function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}

/** A model whose turns are chunks; a turn of `null` speaks a word and then waits until it is aborted. */
function staged(turns: readonly (readonly Chunk[] | null)[]) {
  const seen = { calls: 0, signals: [] as AbortSignal[] };
  const model = toyModel({
    async *open(_body, { signal }: CallContext) {
      if (signal) seen.signals.push(signal);
      const turn = turns[seen.calls++];
      if (turn) yield* turn;
      else {
        yield { type: 'text', delta: 'Well, ' };
        await untilAborted(signal);
      }
    },
  });
  return { model, seen };
}

/** A tool that waits for its signal, or for the test. */
function waitingTool(name = 'wait') {
  const seen = { started: 0, aborted: 0, keys: [] as string[] };
  const settle = latch<string>();
  const made = tool({
    name,
    description: 'Waits.',
    parameters: { type: 'object' },
    execute: (_args, { signal, idempotencyKey }) => {
      seen.started += 1;
      seen.keys.push(idempotencyKey);
      signal.addEventListener('abort', () => (seen.aborted += 1));
      return Promise.race([settle.promise, untilAborted(signal)]);
    },
  });
  return { tool: made, seen, settle };
}

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

  test(verifies('S3', `${name} ends a run whose consumer has stopped reading`), async () => {
    const model = toyModel({
      async *open() {
        for (let n = 0; n < 1000; n++) yield { type: 'text', delta: 'x' };
        yield { type: 'end', stop: 'end' };
      },
    });
    const controller = new AbortController();
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x', { signal: controller.signal });
    await stream[Symbol.asyncIterator]().next();
    await idle();
    stop(stream, controller);
    const error = name === 'the signal' ? controller.signal.reason : undefined;
    expect(await stream.completed.catch((reason: unknown) => reason)).toBe(error);
  });
});

describe('leaving the iterator', () => {
  test(verifies('S3', 'stops the run and waits until it has stopped; completed resolves'), async () => {
    const { model, seen } = staged([null, spoken('done')]);
    const agent = new Agent({ name: 'A', model });
    const stream = Runner.runStreamed(agent, 'x');
    for await (const event of stream) if (word(event) === 'response.output_text.delta') break;
    expect(seen.signals[0]?.aborted).toBe(true);
    expect(stream.isComplete).toBe(true);
    await stream.completed;
    expect(stream.finalOutput).toBeUndefined();
    expect((await Runner.run(agent, stream.state)).finalOutput).toBe('done');
  });

  test(verifies('S3', 'also through the text stream, and by an error of the reader'), async () => {
    const { model, seen } = staged([null, null]);
    const agent = new Agent({ name: 'A', model });
    const text = Runner.runStreamed(agent, 'x');
    for await (const piece of text.toTextStream()) if (piece) break;
    await text.completed;
    const stream = Runner.runStreamed(agent, 'x');
    const broken = rejection(
      (async () => {
        for await (const event of stream) if (word(event) === 'response.output_text.delta') throw new Error('reader');
      })(),
    );
    expect(await broken).toMatchObject({ message: 'reader' });
    await stream.completed;
    expect(seen.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});

describe("cancel('after_turn')", () => {
  test(verifies('S3', 'finishes the turn, its tools and its save, then stops in a resumable state'), async () => {
    const { model, seen } = staged([calling({ name: 'wait' }), spoken('done')]);
    const waiting = waitingTool();
    const session = new PlainSession();
    const agent = new Agent({ name: 'A', model, tools: [waiting.tool] });
    const stream = Runner.runStreamed(agent, 'x', { session });
    const { events, end } = reading(stream);
    await idle();
    stream.cancel('after_turn');
    await idle();
    expect(stream.isComplete).toBe(false);
    expect(waiting.seen).toMatchObject({ started: 1, aborted: 0 });
    waiting.settle.open('waited');
    expect(await end).toBe('ended');
    await stream.completed;
    expect(words(events).at(-1)).toBe('tool_output call_wait');
    expect(session.words).toEqual(['user', 'function_call', 'function_call_output']);
    expect([seen.calls, stream.finalOutput]).toEqual([1, undefined]);
    const resumed = await Runner.run(agent, stream.state, { session });
    expect([resumed.finalOutput, waiting.seen.started]).toEqual(['done', 1]);
    expect(session.words).toEqual(['user', 'function_call', 'function_call_output', 'assistant']);
  });

  test(verifies('S3', 'while the model answers: the answer and its tools are part of the turn'), async () => {
    const more = latch();
    const ran: string[] = [];
    let calls = 0;
    const model = toyModel({
      async *open() {
        calls += 1;
        yield { type: 'text', delta: 'Let me see.' };
        await more.promise;
        yield* calling({ name: 'act' });
      },
    });
    const stream = Runner.runStreamed(new Agent({ name: 'A', model, tools: [noting('act', ran)] }), 'x');
    const { end } = reading(stream);
    await idle();
    stream.cancel('after_turn');
    more.open();
    expect(await end).toBe('ended');
    expect([ran, calls]).toEqual([['act'], 1]);
  });

  test(verifies('S3', 'in the last turn, the run simply ends'), async () => {
    const more = latch();
    const model = toyModel({
      async *open() {
        await more.promise;
        yield* spoken('done');
      },
    });
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
    const { end } = reading(stream);
    await idle();
    stream.cancel('after_turn');
    more.open();
    await end;
    expect(stream.finalOutput).toBe('done');
  });

  test(verifies('S3', 'an immediate stop after it beats it'), async () => {
    const { model } = staged([calling({ name: 'wait' })]);
    const waiting = waitingTool();
    const stream = Runner.runStreamed(new Agent({ name: 'A', model, tools: [waiting.tool] }), 'x');
    const { end } = reading(stream);
    await idle();
    stream.cancel('after_turn');
    await idle();
    stream.cancel();
    expect(await end).toBe('ended');
    expect(waiting.seen.aborted).toBe(1);
  });
});

describe('the signal', () => {
  test(verifies('S3', 'an unstreamed run rejects with its reason, which carries the state'), async () => {
    const { model } = staged([null, spoken('done')]);
    const agent = new Agent({ name: 'A', model });
    const controller = new AbortController();
    const run = rejection(Runner.run(agent, 'x', { signal: controller.signal }));
    await idle();
    const reason = Object.assign(new Error('enough'), {});
    controller.abort(reason);
    const error = await run;
    expect(error).toBe(reason);
    const state: unknown = Reflect.get(reason, 'state');
    if (!(state instanceof RunState)) throw new Error('no state');
    expect((await Runner.run(agent, state)).finalOutput).toBe('done');
  });

  test(verifies('S3', 'aborted from the start: nothing is called'), async () => {
    const { model, seen } = staged([spoken('hi')]);
    const signal = AbortSignal.abort();
    const log: string[] = [];
    const agent = new Agent({ name: 'A', model });
    const hooks: Hooks<unknown> = {
      onRunStart: () => void log.push('start'),
      onRunEnd: ({ error }) => void log.push(String(error === signal.reason)),
    };
    expect(await rejection(Runner.run(agent, 'x', { signal, hooks }))).toBe(signal.reason);
    const stream = Runner.runStreamed(agent, 'x', { signal });
    expect(await reading(stream).end).toBe(signal.reason);
    expect(seen.calls).toBe(0);
    expect((await Runner.run(agent, stream.state)).finalOutput).toBe('hi');
    expect(log.at(-1)).toBe('true');
  });

  test.for([['a string'], [Object.freeze(new Error('frozen'))], [undefined], [null]] as const)(
    verifies('S3', 'whatever its reason is (%s), the run rejects with it'),
    async ([reason]) => {
      const { model } = staged([null, spoken('done')]);
      const agent = new Agent({ name: 'A', model });
      const controller = new AbortController();
      const stream = Runner.runStreamed(agent, 'x', { signal: controller.signal });
      const { end } = reading(stream);
      await idle();
      controller.abort(reason);
      expect(await end).toBe(controller.signal.reason);
      expect(await stream.completed.catch((error: unknown) => error)).toBe(controller.signal.reason);
      expect((await Runner.run(agent, stream.state)).finalOutput).toBe('done');
    },
  );

  test(verifies('S3', 'after the end it changes nothing'), async () => {
    const controller = new AbortController();
    const stream = Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel(['hi']) }), 'x', {
      signal: controller.signal,
    });
    await stream.completed;
    controller.abort();
    stream.cancel();
    await stream.completed;
    expect(stream.finalOutput).toBe('hi');
  });
});

test(
  verifies('S3', 'a callback of the consumer that throws ends the run once its other work has stopped'),
  async () => {
    const waiting = waitingTool();
    const inner = new Agent({ name: 'Inner', model: new ScriptedModel(['inner']) });
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('wait'), call('inner', { input: 'a' })]]),
      tools: [
        waiting.tool,
        inner.asTool({
          onStream: ({ event }) => {
            if (event.type === 'agent_updated_stream_event') throw new AgentsError('onStream');
          },
        }),
      ],
    });
    expect(await rejection(Runner.run(agent, 'x'))).toMatchObject({ message: 'onStream' });
    expect(waiting.seen).toMatchObject({ started: 1, aborted: 1 });
  },
);
