import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  fallback,
  ModelError,
  Runner,
  UserError,
  type FallbackEntry,
  type Model,
  type ModelErrorKind,
  type ModelEvent,
  type ModelRequest,
  type RunConfig,
} from '../../src/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { outputsIn, rejection } from '../run/scripts.ts';
import { noting, untilAborted } from '../run/stage.ts';
import { calling, spoken, toyModel, type Chunk } from '../run/toy-model.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const problem = (kind: ModelErrorKind, more: { retryAfterMs?: number } = {}) =>
  new ModelError({ kind, message: `it is ${kind}`, ...more });
const script = (name: string, ...turns: readonly ScriptedTurn[]) => new ScriptedModel(turns, { provider: name, name });
const ask: ModelRequest = { input: [{ type: 'message', role: 'user', content: 'Hello' }], tools: [], settings: {} };

/** Runs an agent on a model to its end, whatever time it takes; `ms` tells how much that was. */
async function run(model: Model, { streamed = false, ...runConfig }: RunConfig & { streamed?: boolean } = {}) {
  const agent = new Agent({ name: 'A', model, tools: [noting('act', [])] });
  const began = performance.now();
  const events: ModelEvent[] = [];
  const go = async () => {
    if (!streamed) return Runner.run(agent, 'x', { runConfig });
    const stream = Runner.runStreamed(agent, 'x', { runConfig });
    for await (const event of stream) if (event.type === 'raw_response_event') events.push(event.data);
    await stream.completed;
    return stream;
  };
  const ended = go().then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  await vi.runAllTimersAsync();
  return { ...(await ended), events, ms: performance.now() - began };
}

async function eventsOf(model: Model, request = ask): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of model.streamResponse(request)) events.push(event);
  return events;
}

const passing = ['rate_limit', 'quota', 'overloaded', 'server', 'network', 'timeout', 'not_found'] as const;
const staying = ['auth', 'invalid_request', 'context_length', 'content_filter', 'protocol', 'unknown'] as const;

describe('in a run', () => {
  const ways = [{ streamed: false }, { streamed: true }] as const;
  const cases = ways.flatMap((way) => passing.map((kind) => ({ ...way, kind })));

  test.for(cases)(
    verifies('R3', 'after $kind the next model is asked at once (streamed: $streamed)'),
    async ({ kind, streamed }) => {
      const second = script('b', 'hi');
      const model = fallback(script('a', problem(kind, { retryAfterMs: 60_000 })), second);
      const { result, ms } = await run(model, { streamed });
      expect([result?.finalOutput, ms, second.requests.length]).toEqual(['hi', 0, 1]);
      expect(result?.newItems[0]?.rawItem.origin).toMatchObject({ provider: 'b', model: 'b' });
    },
  );

  test.for(staying)(verifies('R3', 'after %s it is not'), async (kind) => {
    const failure = problem(kind);
    const second = script('b', 'hi');
    const { error } = await run(fallback(script('a', failure), second));
    expect([error, second.requests.length]).toEqual([failure, 0]);
  });

  test(verifies('R3', 'the kinds that stand beside a model take the place of the usual ones'), async () => {
    const on = ['context_length'] as const;
    const long = await run(fallback({ model: script('a', problem('context_length')), on }, script('b', 'hi')));
    expect(long.result?.finalOutput).toBe('hi');
    const quota = problem('quota');
    expect((await run(fallback({ model: script('a', quota), on }, script('b', 'hi')))).error).toBe(quota);
  });

  test(verifies('R3', 'each model call begins with the first model again; origins tell who made what'), async () => {
    const first = script('a', [call('act')], problem('overloaded'), problem('overloaded'));
    const second = script('b', [call('act', {}, 'again')], 'done');
    const { result } = await run(fallback(first, second));
    expect(result?.finalOutput).toBe('done');
    const made = result?.newItems.flatMap(({ rawItem }) => rawItem.origin?.provider ?? []);
    expect(made).toEqual(['a', 'b', 'b']);
    expect(outputsIn(second.requests[1]?.input ?? [])).toEqual({ call_act: 'act output', again: 'act output' });
  });

  test(verifies('S7', 'what the failed model had streamed is discarded, and the next one begins anew'), async () => {
    const half: Chunk[] = [
      { type: 'text', delta: 'Half a' },
      { type: 'failure', message: 'gone' },
    ];
    const first = toyModel({
      async *open() {
        yield* half;
      },
    });
    const { result, events } = await run(fallback(first, script('b', 'Whole.')), { streamed: true });
    expect(result?.finalOutput).toBe('Whole.');
    const at = events.findIndex(({ type }) => type === 'polyrun:attempt_discarded');
    expect(events[at]).toMatchObject({ attempt: 1, error: { kind: 'server', message: 'gone' } });
    expect(events[at + 1]?.type).toBe('response.created');
    expect(events.filter(({ type }) => type === 'polyrun:response_done')).toHaveLength(1);
  });

  test.for(ways)(
    verifies('R3', 'a silent model has its own deadline, the next one a fresh one (%j)'),
    async ({ streamed }) => {
      const silent = toyModel({
        name: 'silent',
        // oxlint-disable-next-line require-yield -- It says nothing.
        async *open(_body, { signal }) {
          await untilAborted(signal);
        },
      });
      const slow = toyModel({
        name: 'slow',
        async *open() {
          await new Promise((resolve) => setTimeout(resolve, 900));
          yield* spoken('at last');
        },
      });
      const timeouts = { firstByteMs: 1_000, requestMs: 1_000 };
      const { result, ms } = await run(fallback(silent, slow), { streamed, timeouts });
      expect([result?.finalOutput, ms]).toEqual(['at last', 1_900]);
    },
  );

  test(
    verifies('R1', 'retries come when all models have failed, by the last error, and begin with the first'),
    async () => {
      const first = script('a', problem('quota'), problem('quota'), 'never');
      const second = script('b', problem('overloaded', { retryAfterMs: 700 }), 'hi');
      const { result, ms } = await run(fallback(first, second));
      expect([result?.finalOutput, ms, first.requests.length]).toEqual(['hi', 700, 2]);
      const auth = problem('auth');
      const ended = await run(fallback(script('a', problem('overloaded')), script('b', auth)));
      expect([ended.error, ended.ms]).toEqual([auth, 0]);
    },
  );

  test(verifies('R1', 'a policy and the number of retries are for rounds of all models'), async () => {
    const policy = vi.fn(() => true);
    const failures = (name: string) => script(name, ...Array.from({ length: 9 }, () => problem('server')));
    const [first, second] = [failures('a'), failures('b')];
    const retry = { maxRetries: 2, backoff: { initialMs: 0 }, policy };
    const { error } = await run(fallback(first, second), { retry });
    expect(error).toMatchObject({ kind: 'server' });
    expect([first.requests.length, second.requests.length]).toEqual([3, 3]);
    expect(policy.mock.calls).toMatchObject([[{ attempt: 1 }], [{ attempt: 2 }]]);
  });

  test(verifies('R3', 'failed attempts are counted'), async () => {
    const { result } = await run(
      fallback(script('a', problem('server')), script('b', problem('server')), script('c', 'hi')),
    );
    expect(result?.usage).toMatchObject({ requests: 3, inputTokens: 10, source: 'estimated' });
  });

  test('nobody is asked once the run is aborted', async () => {
    const abort = new AbortController();
    const second = script('b', 'hi');
    const first = toyModel({
      // oxlint-disable-next-line require-yield -- It is aborted before it says anything.
      async *open() {
        abort.abort(new Error('enough'));
        throw new ModelError({ kind: 'network', message: 'cut' });
      },
    });
    const agent = new Agent({ name: 'A', model: fallback(first, second) });
    const error = await rejection(Runner.run(agent, 'x', { signal: abort.signal }));
    expect([error, second.requests.length]).toEqual([new Error('enough'), 0]);
  });

  test(verifies('E2', 'conversations on a server are refused before any request'), async () => {
    const first = script('a', 'hi');
    const agent = new Agent({ name: 'A', model: fallback(first, script('b', 'hi')) });
    const error = await rejection(Runner.run(agent, 'x', { conversationId: 'conv_1' }));
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/conversationId.*session/);
    expect(first.requests).toEqual([]);
  });
});

describe('by itself', () => {
  test(verifies('R3', 'it tries its models in order and counts what failed'), async () => {
    const model = fallback(script('a', problem('server')), script('b', 'hi'));
    const response = await model.getResponse(ask);
    expect(response).toMatchObject({
      output: [{ content: [{ text: 'hi' }] }],
      usage: { requests: 2, source: 'estimated' },
    });
    const last = problem('auth');
    await expect(fallback(script('a', problem('server')), script('b', last)).getResponse(ask)).rejects.toBe(last);
  });

  test(verifies('R3', 'streamed too: what is void is told, the end counts all'), async () => {
    const half = toyModel({
      async *open() {
        yield { type: 'text', delta: 'Half' };
        throw new Error('gone');
      },
    });
    const events = await eventsOf(fallback(half, script('b', problem('server')), script('c', 'hi')));
    const marks = events.filter(({ type }) => /created|discarded|done$/.test(type)).map(({ type }) => type);
    expect(marks.slice(0, 3)).toEqual(['response.created', 'polyrun:attempt_discarded', 'response.created']);
    expect(events.filter(({ type }) => type === 'polyrun:attempt_discarded')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ response: { usage: { requests: 3, source: 'estimated' } } });
    const seen: string[] = [];
    const read = async () => {
      for await (const { type } of fallback(half, half).streamResponse(ask)) seen.push(type);
    };
    expect(await rejection(read())).toMatchObject({ kind: 'network' });
    expect(seen.filter((type) => type === 'polyrun:attempt_discarded')).toHaveLength(1);
    expect(seen.at(-1)).not.toBe('polyrun:attempt_discarded');
  });

  test.for([{ conversationId: 'c' }, { previousResponseId: 'r' }])(verifies('E2', 'it refuses %j'), async (state) => {
    const model = fallback(script('a', 'hi'));
    await expect(model.getResponse({ ...ask, ...state })).rejects.toThrow(UserError);
    await expect(eventsOf(model, { ...ask, ...state })).rejects.toThrow(/session/);
  });

  test('an aborted call goes no further', async () => {
    const second = script('b', 'hi');
    const abort = new AbortController();
    const failing: Model = {
      ...fallback(second),
      getResponse: () => {
        abort.abort();
        return Promise.reject(problem('server'));
      },
    };
    const { candidates: _, ...alone } = failing;
    await expect(fallback(alone, second).getResponse(ask, { signal: abort.signal })).rejects.toThrow('it is server');
    expect(second.requests).toEqual([]);
  });

  test('one fallback inside another is one chain', async () => {
    const inner = fallback(
      { model: script('a', problem('auth')), on: ['auth'] },
      script('b', problem('context_length')),
    );
    const model = fallback({ model: inner, on: ['context_length'] }, script('c', 'hi'));
    expect(model.name).toBe('a/a, b/b, c/c');
    expect((await model.getResponse(ask)).output).toMatchObject([{ origin: { provider: 'c' } }]);
  });
});

describe('what it can do', () => {
  const able = (capabilities: Model['capabilities']) => new ScriptedModel([], { capabilities });

  test('is what all of its models can', () => {
    const { capabilities } = fallback(
      able({
        tools: true,
        structuredOutput: 'without_tools',
        input: ['image', 'file'],
        settings: ['seed', 'topK'],
        reasoning: 'always',
      }),
      able({
        forcedToolChoice: false,
        structuredOutput: 'with_tools',
        schemaDialect: 'basic',
        input: ['file'],
        serverState: ['conversation'],
      }),
      able({ schemaDialect: 'openai_strict', settings: ['seed'], jsonMode: true }),
    );
    expect(capabilities).toEqual({
      forcedToolChoice: false,
      structuredOutput: 'without_tools',
      schemaDialect: 'basic',
      input: ['file'],
      settings: ['seed'],
      serverState: [],
    });
  });
});

describe('what makes no fallback', () => {
  test.for<[readonly unknown[], RegExp]>([
    [[], /no model was given/],
    [['gpt-5'], /models\[0\]: expected a model, or \{ model, on \}, got/],
    [[script('a'), { model: 'b' }], /models\[1\]: expected a model/],
    [[null], /models\[0\]/],
    [[{ model: script('a'), on: 'auth' }], /models\[0\] on: expected a list/],
    [[{ model: script('a'), on: ['rate limit'] }], /models\[0\] on: 'rate limit' is no kind .* rate_limit, quota/],
  ])(verifies('E2', '%j is refused'), ([entries, words]) => {
    expect(() => fallback(...(entries as readonly FallbackEntry[]))).toThrow(UserError);
    expect(() => fallback(...(entries as readonly FallbackEntry[]))).toThrow(words);
  });
});

test('calls of a tool that the failed model began are not run', async () => {
  const log: string[] = [];
  const cut = toyModel({
    async *open() {
      yield* calling({ name: 'act' }).slice(0, 2);
      throw new Error('gone');
    },
  });
  const agent = new Agent({ name: 'A', model: fallback(cut, script('b', 'hi')), tools: [noting('act', log)] });
  expect((await Runner.run(agent, 'x')).finalOutput).toBe('hi');
  expect(log).toEqual([]);
});
