import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  ModelError,
  Runner,
  type Model,
  type ModelErrorKind,
  type ModelRequest,
  type RunConfig,
  type RunOptions,
} from '../../src/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { idle, noting, reading, word } from './stage.ts';
import { calling, spoken, toyModel, type Chunk } from './toy-model.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const problem = (kind: ModelErrorKind, more: { retryAfterMs?: number; retryable?: boolean; status?: number } = {}) =>
  new ModelError({ kind, message: `it is ${kind}`, ...more });

/** Runs a script of a model to its end, whatever time it takes, and tells when each call was made. */
async function run(turns: readonly ScriptedTurn[], options: RunOptions<unknown> = {}) {
  const script = new ScriptedModel(turns);
  const at: number[] = [];
  const model: Model = {
    provider: 'p',
    name: 'm',
    capabilities: {},
    getResponse: (request, context) => {
      at.push(performance.now());
      return script.getResponse(request, context);
    },
    streamResponse: (request, context) => script.streamResponse(request, context),
  };
  const ended = Runner.run(new Agent({ name: 'A', model, tools: [noting('act', [])] }), 'x', options).then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  await vi.runAllTimersAsync();
  const { result, error } = await ended;
  return {
    result,
    error,
    calls: at.length,
    waits: at.slice(1).map((time, index) => Math.round(time - (at[index] ?? 0))),
    script,
  };
}

const steady: RunConfig['retry'] = { backoff: { jitter: false } };

describe('by default', () => {
  test.for(['rate_limit', 'overloaded', 'server', 'network', 'timeout'] as const)(
    verifies('R1', '%s is retried twice'),
    async (kind) => {
      const fine = await run([problem(kind), problem(kind), 'hi']);
      expect([fine.result?.finalOutput, fine.calls]).toEqual(['hi', 3]);
      const third = problem(kind);
      const failed = await run([problem(kind), problem(kind), third]);
      expect([failed.error, failed.calls]).toEqual([third, 3]);
    },
  );

  test(verifies('R1', 'each model call of a run has its own retries'), async () => {
    const { result, calls } = await run([
      problem('server'),
      problem('server'),
      [call('act')],
      problem('server'),
      problem('server'),
      'hi',
    ]);
    expect([result?.finalOutput, calls]).toEqual(['hi', 6]);
  });

  test(verifies('R1', 'the waits double, up to a limit, each jittered to between half of it and all'), async () => {
    const failures = Array.from({ length: 7 }, () => problem('server'));
    const { waits } = await run([...failures, 'hi'], { runConfig: { retry: { maxRetries: 7, ...steady } } });
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
    const seen = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const jittered = await run([problem('server'), problem('server'), 'hi']);
      const [first = 0, second = 0] = jittered.waits;
      expect(first).toBeGreaterThanOrEqual(250);
      expect(first).toBeLessThanOrEqual(500);
      expect(second).toBeGreaterThanOrEqual(500);
      expect(second).toBeLessThanOrEqual(1000);
      seen.add(first);
    }
    expect(seen.size).toBeGreaterThan(5);
  });

  test(verifies('R1', 'Retry-After is honoured as it is'), async () => {
    const { waits } = await run([
      problem('rate_limit', { retryAfterMs: 30_000 }),
      problem('server', { retryAfterMs: 0 }),
      'hi',
    ]);
    expect(waits).toEqual([30_000, 0]);
  });

  test(verifies('R1', 'backoff and number can be set'), async () => {
    const retry = { maxRetries: 3, backoff: { initialMs: 10, maxMs: 50, multiplier: 3, jitter: false } };
    const { waits } = await run([problem('server'), problem('server'), problem('server'), 'hi'], {
      runConfig: { retry },
    });
    expect(waits).toEqual([10, 30, 50]);
    expect((await run([problem('server'), 'hi'], { runConfig: { retry: { maxRetries: 0 } } })).calls).toBe(1);
  });

  test(verifies('R1', 'a policy decides for each failure, how long too'), async () => {
    const asked: unknown[] = [];
    const retry: RunConfig['retry'] = {
      maxRetries: 4,
      policy: async ({ error, attempt, visible }) => {
        asked.push([error.kind, attempt, visible]);
        return attempt === 1 ? { delayMs: 42 } : error.kind === 'not_found';
      },
      ...steady,
    };
    const { error, waits } = await run([problem('server'), problem('not_found'), problem('server')], {
      runConfig: { retry },
    });
    expect(waits).toEqual([42, 1000]);
    expect(error).toMatchObject({ kind: 'server' });
    expect(asked).toEqual([
      ['server', 1, false],
      ['not_found', 2, false],
      ['server', 3, false],
    ]);
  });

  test(verifies('R1', 'all attempts of a call have one idempotency key, other calls another'), async () => {
    const keys: (string | undefined)[] = [];
    const script = new ScriptedModel([problem('server'), [call('act')], 'hi']);
    const model: Model = {
      provider: 'p',
      name: 'm',
      capabilities: {},
      getResponse: (request, context) => (keys.push(context?.idempotencyKey), script.getResponse(request, context)),
      streamResponse: () => script.streamResponse({ input: [], tools: [], settings: {} }),
    };
    const ended = Runner.run(new Agent({ name: 'A', model, tools: [noting('act', [])] }), 'x', { runId: 'run-1' });
    await vi.runAllTimersAsync();
    await ended;
    expect(keys).toEqual(['run-1/1/model', 'run-1/1/model', 'run-1/2/model']);
  });
});

/** Programs without a linter throw anything. */
function throwing(thrown: unknown): never {
  // oxlint-disable-next-line only-throw-error
  throw thrown;
}

describe('never', () => {
  test.for([
    problem('aborted'),
    problem('invalid_request'),
    problem('auth'),
    problem('quota', { status: 429 }),
    problem('not_found'),
    problem('context_length'),
    problem('content_filter'),
    problem('unknown'),
  ])(verifies('R2', '$kind'), async (error) => {
    const ended = await run([error, 'hi']);
    expect([ended.error, ended.calls]).toEqual([error, 1]);
  });

  test(verifies('R2', 'an abort, whatever the policy says'), async () => {
    const retry = { policy: () => true };
    expect((await run([problem('aborted'), 'hi'], { runConfig: { retry } })).calls).toBe(1);
  });

  test(
    verifies('R2', "a hand-written model's own error: it becomes ModelError('unknown') with its cause"),
    async () => {
      const cause = new Error('out of cheese');
      const ended = await run([cause, 'hi']);
      expect(ended.error).toBeInstanceOf(ModelError);
      expect(ended.error).toMatchObject({ kind: 'unknown', retryable: false, cause });
      expect(ended.calls).toBe(1);
    },
  );

  test(verifies('R2', 'whatever such a model throws, at once or not, streamed or not'), async () => {
    for (const thrown of ['text', undefined, { code: 7 }, new TypeError('x')]) {
      const fails = (): never => throwing(thrown);
      const model: Model = { provider: 'p', name: 'm', capabilities: {}, getResponse: fails, streamResponse: fails };
      const agent = new Agent({ name: 'A', model });
      expect(await rejection(Runner.run(agent, 'x'))).toMatchObject({ kind: 'unknown' });
      expect(await rejection(Runner.runStreamed(agent, 'x').completed)).toMatchObject({ kind: 'unknown' });
    }
  });

  test.for([{ conversationId: 'conv_1' }, { previousResponseId: 'resp_1' }, { autoPreviousResponseId: true }])(
    verifies('R2', 'where the provider keeps the conversation: %j, unless it says when to come back'),
    async (options) => {
      const lost = await run([problem('server'), 'hi'], options);
      expect([lost.error, lost.calls]).toMatchObject([{ kind: 'server' }, 1]);
      const safe = await run([problem('rate_limit', { retryAfterMs: 1 }), 'hi'], options);
      expect([safe.result?.finalOutput, safe.calls]).toEqual(['hi', 2]);
    },
  );

  test(verifies('R2', 'a run that was stopped meanwhile'), async () => {
    const controller = new AbortController();
    const asked: number[] = [];
    const failing = latch<never>();
    let calls = 0;
    const model: Model = {
      provider: 'p',
      name: 'm',
      capabilities: {},
      getResponse: () => ((calls += 1), failing.promise),
      streamResponse: () => {
        throw new Error('not streamed');
      },
    };
    const retry: RunConfig['retry'] = { policy: ({ attempt }) => (asked.push(attempt), true) };
    const ended = rejection(
      Runner.run(new Agent({ name: 'A', model }), 'x', { signal: controller.signal, runConfig: { retry } }),
    );
    await idle();
    controller.abort();
    await idle();
    failing.break(problem('server'));
    expect(await ended).toBe(controller.signal.reason);
    expect([asked, calls]).toEqual([[], 1]);
  });
});

describe('usage', () => {
  test(verifies('R1', 'every attempt is counted, those that failed as estimated'), async () => {
    const { result } = await run([problem('server'), problem('server'), 'hi']);
    expect(result?.usage).toMatchObject({ requests: 3, inputTokens: 10, outputTokens: 5, source: 'estimated' });
    expect((await run(['hi'])).result?.usage).toMatchObject({ requests: 1, source: 'reported' });
  });

  test(verifies('R1', 'also when the run fails: the error tells'), async () => {
    const { error } = await run([problem('server'), problem('server'), problem('server')]);
    expect(error).toMatchObject({ runData: { usage: { requests: 3, source: 'estimated' } } });
  });

  test(verifies('R1', 'an attempt that had begun to answer is partial'), async () => {
    const model = toyModel({
      async *open() {
        yield { type: 'text', delta: 'Well' };
        throw problem('auth');
      },
    });
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
    await rejection(stream.completed);
    expect(stream.usage).toMatchObject({ requests: 1, source: 'partial' });
  });
});

describe('after visible deltas', () => {
  /** A model whose attempts are chunks, then an error where the last is one. */
  function attempts(...turns: readonly (readonly (Chunk | ModelError)[])[]) {
    const seen = { requests: [] as Pick<ModelRequest, 'input'>[] };
    const model = toyModel({
      async *open(body) {
        const turn = turns[seen.requests.length] ?? [];
        seen.requests.push(body);
        for (const chunk of turn) {
          if (chunk instanceof ModelError) throw chunk;
          yield chunk;
        }
      },
      toError: () => problem('network'),
    });
    return { model, seen };
  }

  async function events(agent: Agent, runConfig: RunConfig = {}) {
    const stream = Runner.runStreamed(agent, 'x', { runConfig });
    const read = reading(stream);
    await vi.runAllTimersAsync();
    return { stream, end: await read.end, events: read.events };
  }

  test(verifies('S7', 'a failed attempt is told to be void before the next one begins'), async () => {
    const { model, seen } = attempts([{ type: 'text', delta: 'Once upon ' }, problem('overloaded')], spoken('Hi.'));
    const { stream, end, events: told } = await events(new Agent({ name: 'A', model }));
    expect(end).toBe('ended');
    expect(told.map(word)).toEqual([
      'agent A',
      'response.created',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'polyrun:attempt_discarded',
      'response.created',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
      'polyrun:response_done',
      'message_output_created',
    ]);
    expect(told.find((event) => word(event) === 'polyrun:attempt_discarded')).toMatchObject({
      data: { attempt: 1, error: { kind: 'overloaded', message: 'it is overloaded' } },
    });
    expect(stream.finalOutput).toBe('Hi.');
    expect(stream.newItems).toHaveLength(1);
    expect(stream.usage).toMatchObject({ requests: 2, source: 'partial' });
    expect(seen.requests[1]).toEqual(seen.requests[0]);
  });

  test(
    verifies('S7', 'where nothing was visible there is nothing to discard; where policy says no there is no retry'),
    async () => {
      const { model } = attempts([problem('server')], spoken('Hi.'));
      const quiet = await events(new Agent({ name: 'A', model }));
      expect(quiet.events.map(word)).not.toContain('polyrun:attempt_discarded');
      const visible: boolean[] = [];
      const refused = attempts([{ type: 'text', delta: 'Once' }, problem('server')]);
      const retry: RunConfig['retry'] = { policy: (at) => (visible.push(at.visible), !at.visible) };
      const ended = await events(new Agent({ name: 'A', model: refused.model }), { retry });
      expect(visible).toEqual([true]);
      expect(ended.end).toMatchObject({ kind: 'server' });
      expect(ended.events.map(word)).not.toContain('polyrun:attempt_discarded');
    },
  );

  test(verifies('S7', 'tools that have settled are not run again, calls of a void attempt not at all'), async () => {
    const ran: string[] = [];
    const { model, seen } = attempts(
      calling({ name: 'first' }),
      [...calling({ name: 'second' }).slice(0, -1), problem('server')],
      spoken('Done.'),
    );
    const agent = new Agent({ name: 'A', model, tools: [noting('first', ran), noting('second', ran)] });
    const { stream, end } = await events(agent);
    expect(end).toBe('ended');
    expect(ran).toEqual(['first']);
    expect(stream.finalOutput).toBe('Done.');
    expect(seen.requests).toHaveLength(3);
    expect(seen.requests[2]).toEqual(seen.requests[1]);
    expect(stream.currentTurn).toBe(2);
  });

  test(verifies('S7', 'held back by a guardrail, the events still come in order'), async () => {
    const { model } = attempts([{ type: 'text', delta: 'Once' }, problem('server')], spoken('Hi.'));
    const verdict = latch<{ tripwireTriggered: boolean }>();
    const agent = new Agent({ name: 'A', model, inputGuardrails: [{ name: 'g', execute: () => verdict.promise }] });
    const { events: told, end } = reading(Runner.runStreamed(agent, 'x'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([]);
    verdict.open({ tripwireTriggered: false });
    await vi.runAllTimersAsync();
    expect(await end).toBe('ended');
    const said = told.map(word);
    expect(said.indexOf('polyrun:attempt_discarded')).toBe(5);
    expect(said.lastIndexOf('response.created')).toBe(6);
  });

  test(verifies('S7', 'a stream that ends without its end mark is such a failure'), async () => {
    const { model } = attempts([{ type: 'text', delta: 'Once' }], spoken('Hi.'));
    const { stream, events: told } = await events(new Agent({ name: 'A', model }));
    expect(told.map(word)).toContain('polyrun:attempt_discarded');
    expect(stream.finalOutput).toBe('Hi.');
  });
});

test.for([undefined, {}, { output: [] }])(
  'a model that answers with %j fails with a ModelError, not a TypeError',
  async (answer) => {
    const model: Model = {
      provider: 'p',
      name: 'mine',
      capabilities: {},
      getResponse: async () => answer as never,
      async *streamResponse() {},
    };
    const running = Runner.run(new Agent({ name: 'A', model }), 'Hi');
    const message = expect.stringContaining('mine answered with no response');
    await expect(running).rejects.toMatchObject({ kind: 'protocol', message });
  },
);
