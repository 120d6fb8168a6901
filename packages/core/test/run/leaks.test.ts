import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Agent, ModelError, Runner, tool, type RunOptions } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { idle, noting, PlainSession, untilAborted } from './stage.ts';
import { calling, spoken, toyModel } from './toy-model.ts';

afterEach(() => {
  vi.useRealTimers();
});

const slow = tool({
  name: 'slow',
  description: 'Takes its time.',
  parameters: { type: 'object' },
  timeoutMs: 5_000,
  execute: (_args, { signal }) =>
    Promise.race([untilAborted(signal), new Promise((resolve) => void setTimeout(resolve, 50, 'slow output'))]),
});
const hanging = tool({
  name: 'hanging',
  description: 'Never answers.',
  parameters: { type: 'object' },
  timeoutMs: 5_000,
  execute: () => new Promise(() => {}),
});
const pay = tool({
  name: 'pay',
  description: 'Pays.',
  parameters: { type: 'object' },
  needsApproval: true,
  execute: () => 'paid',
});
const failure = (kind: 'server' | 'auth') => new ModelError({ kind, message: kind });

/** Runs that end in every way there is. Each is given a signal and may be stopped by it. */
const endings: readonly [string, () => Agent, RunOptions<unknown>, ('abort' | 'cancel' | 'after_turn' | 'leave')?][] = [
  [
    'done',
    () => new Agent({ name: 'A', model: new ScriptedModel([[call('slow')], 'done']), tools: [slow] }),
    { session: new PlainSession() },
  ],
  [
    'failed',
    () => new Agent({ name: 'A', model: new ScriptedModel([[call('slow')], failure('auth')]), tools: [slow] }),
    {},
  ],
  ['retried', () => new Agent({ name: 'A', model: new ScriptedModel([failure('server'), 'done']) }), {}],
  [
    'given up',
    () => new Agent({ name: 'A', model: new ScriptedModel([failure('server'), failure('server'), failure('server')]) }),
    {},
  ],
  ['timed out', () => new Agent({ name: 'A', model: toyModel({ open: () => forEver() }) }), {}],
  [
    'with a tool that timed out',
    () =>
      new Agent({
        name: 'A',
        model: new ScriptedModel([[call('hanging'), call('slow')], 'done']),
        tools: [hanging, slow],
      }),
    {},
  ],
  [
    'interrupted',
    () => new Agent({ name: 'A', model: new ScriptedModel([[call('pay'), call('slow')]]), tools: [pay, slow] }),
    {},
  ],
  [
    'tripped',
    () =>
      new Agent({
        name: 'A',
        model: toyModel({ open: () => forEver() }),
        inputGuardrails: [
          { name: 'g', execute: async () => ({ tripwireTriggered: true }) },
          { name: 'h', execute: () => new Promise(() => {}) },
        ],
      }),
    {},
  ],
  ['without a model', () => new Agent({ name: 'A' }), {}],
  [
    'aborted in a tool',
    () => new Agent({ name: 'A', model: new ScriptedModel([[call('slow'), call('hanging')]]), tools: [slow, hanging] }),
    {},
    'abort',
  ],
  ['aborted in the model', () => new Agent({ name: 'A', model: toyModel({ open: () => forEver() }) }), {}, 'abort'],
  [
    'aborted between attempts',
    () => new Agent({ name: 'A', model: new ScriptedModel([failure('server'), 'done']) }),
    {},
    'abort',
  ],
  [
    'cancelled',
    () => new Agent({ name: 'A', model: new ScriptedModel([[call('slow'), call('hanging')]]), tools: [slow, hanging] }),
    {},
    'cancel',
  ],
  [
    'cancelled after the turn',
    () => new Agent({ name: 'A', model: new ScriptedModel([[call('slow')], 'done']), tools: [slow] }),
    {},
    'after_turn',
  ],
  ['left', () => new Agent({ name: 'A', model: toyModel({ open: () => forEver() }) }), {}, 'leave'],
];

async function* forEver() {
  yield { type: 'text', delta: 'Well' } as const;
  await new Promise(() => {});
}

/** Counts what is taken of the platform while `body` goes on, and not given back. */
async function heldAfter(body: (signal: AbortSignal) => Promise<unknown>) {
  const controller = new AbortController();
  vi.useFakeTimers();
  const going = body(controller.signal);
  await vi.advanceTimersByTimeAsync(2_000_000);
  await going;
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  return { timers, listeners: getEventListeners(controller.signal, 'abort').length };
}

describe('after completed', () => {
  test.for(endings)(
    verifies('S3', 'a run that was %s holds no timer and no listener'),
    async ([, agent, options, how]) => {
      const held = await heldAfter(async (outer) => {
        const controller = new AbortController();
        const signal = AbortSignal.any([outer, controller.signal]);
        const stream = Runner.runStreamed(agent(), 'x', { ...options, signal: how === 'abort' ? signal : outer });
        if (how === 'leave') {
          for await (const event of stream) if (event.type === 'raw_response_event') break;
        }
        if (how) await idle();
        if (how === 'abort') controller.abort();
        if (how === 'cancel') stream.cancel();
        if (how === 'after_turn') stream.cancel('after_turn');
        await stream.completed.catch(() => undefined);
        // Right away, not some time later: all that is left are the tool's own.
        if (how === undefined) expect(vi.getTimerCount()).toBe(0);
      });
      expect(held).toEqual({ timers: 0, listeners: 0 });
    },
  );

  test(verifies('S3', 'an unstreamed run holds nothing either'), async () => {
    for (const [, agent, options] of endings.filter(([, , , how]) => how === undefined)) {
      const held = await heldAfter((signal) => Runner.run(agent(), 'x', { ...options, signal }).catch(() => undefined));
      expect(held).toEqual({ timers: 0, listeners: 0 });
    }
  });

  test(verifies('S3', 'a thousand runs under one signal leave no listener, whatever became of them'), async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let most = 0;
    const runs = Array.from({ length: 1000 }, async (_, index) => {
      const model = toyModel({
        async *open() {
          if (index % 3 === 2) throw failure('auth');
          yield* index % 3 === 0 ? spoken('done') : calling({ name: 'pay' });
        },
      });
      const agent = new Agent({ name: 'A', model, tools: [pay] });
      most = Math.max(most, getEventListeners(signal, 'abort').length);
      const stream = Runner.runStreamed(agent, 'x', { signal });
      if (index % 5 === 0) stream.cancel();
      await (index % 2 === 0 ? stream.completed : Runner.run(agent, 'x', { signal })).catch(() => undefined);
      await stream.completed.catch(() => undefined);
    });
    await Promise.all(runs);
    // One each while they go on, or the test proves nothing.
    expect(most).toBeGreaterThan(100);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test(verifies('S3', 'a long-lived signal keeps no run in memory'), async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { signal } = new AbortController();
    const contexts: WeakRef<object>[] = [];
    for (let n = 0; n < 50; n++) {
      const context = { n };
      contexts.push(new WeakRef(context));
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel([[call('act')], 'done']),
        tools: [noting('act', [])],
      });
      await Runner.runStreamed(agent, 'x', { signal, context }).completed;
    }
    // A WeakRef holds its target until the turn of the event loop ends.
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => void setImmediate(resolve));
      collect();
    }
    expect(contexts.filter((context) => context.deref() !== undefined).length).toBeLessThan(5);
    expect(signal.aborted).toBe(false);
  });
});
