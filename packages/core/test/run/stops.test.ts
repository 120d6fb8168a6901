import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Agent, AgentsError, Runner, RunState, type Hooks } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { idle, noting, PlainSession, reading, word, words, staged, waitingTool } from './stage.ts';
import { calling, spoken, toyModel } from './toy-model.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
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
