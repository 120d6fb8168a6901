import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Agent, ModelError, Runner, type CallContext, type Model, type RunConfig } from '../../src/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { idle, reading } from './stage.ts';
import { spoken, toyModel, type Chunk } from './toy-model.ts';

const never = new Promise<never>(() => {});
const once: RunConfig['retry'] = { maxRetries: 0 };

/** Streams a run of one model call with one attempt. `end` is what it came to. */
function streamed(model: Model, timeouts: RunConfig['timeouts'] = {}) {
  const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x', { runConfig: { timeouts, retry: once } });
  const { events, end } = reading(stream);
  const seen: { error?: unknown; ended: boolean } = { ended: false };
  void end.then((error) => {
    seen.ended = true;
    seen.error = error;
  });
  return { stream, events, seen };
}

describe('by the clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  /** Says nothing, or one word, and then nothing. Does not mind its signal unless told to. */
  const silent = (first: readonly Chunk[] = []): Model =>
    toyModel({
      async *open() {
        yield* first;
        await never;
      },
    });
  /** A word every `ms`. */
  const dripping = (ms: number, chunk: Chunk = { type: 'text', delta: 'x' }, times = Infinity): Model =>
    toyModel({
      async *open() {
        for (let n = 0; n < times; n++) {
          await new Promise((resolve) => setTimeout(resolve, ms));
          yield chunk;
        }
        yield { type: 'end', stop: 'end' };
      },
    });

  async function expectTimeout(
    seen: { error?: unknown; ended: boolean },
    { at, field }: { at: number; field: string },
  ) {
    await vi.advanceTimersByTimeAsync(at - 1);
    expect(seen.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen.error).toBeInstanceOf(ModelError);
    expect(seen.error).toMatchObject({ kind: 'timeout', retryable: true });
    expect(String(seen.error)).toContain(`timeouts.${field}`);
  }

  test(verifies('S6', 'a stream that never begins ends after 60 s'), async () => {
    const { seen } = streamed(silent());
    await expectTimeout(seen, { at: 60_000, field: 'firstByteMs' });
  });

  test(verifies('S6', 'a stream that falls silent ends 120 s later'), async () => {
    const { seen } = streamed(silent([{ type: 'text', delta: 'Well' }]));
    await expectTimeout(seen, { at: 120_000, field: 'idleMs' });
  });

  test(verifies('S6', 'a stream that drips for ever ends after 600 s in all'), async () => {
    const model = dripping(50_000);
    const { seen } = streamed(model);
    await expectTimeout(seen, { at: 600_000, field: 'requestMs' });
    await vi.advanceTimersByTimeAsync(50_000);
  });

  test(verifies('S6', 'an unstreamed call that never answers ends after 600 s'), async () => {
    const run = Runner.run(new Agent({ name: 'A', model: silent() }), 'x', { runConfig: { retry: once } });
    const seen: { error?: unknown; ended: boolean } = { ended: false };
    void rejection(run).then((error) => {
      seen.error = error;
      seen.ended = true;
    });
    await expectTimeout(seen, { at: 600_000, field: 'requestMs' });
  });

  test(verifies('S6', 'each can be set'), async () => {
    await expectTimeout(streamed(silent(), { firstByteMs: 10 }).seen, { at: 10, field: 'firstByteMs' });
    const [word] = spoken('Well');
    const first = word ? [word] : [];
    await expectTimeout(streamed(silent(first), { idleMs: 10 }).seen, { at: 10, field: 'idleMs' });
    await expectTimeout(streamed(silent(first), { requestMs: 10 }).seen, { at: 10, field: 'requestMs' });
  });

  test(verifies('S6', 'a pause shorter than the first byte may take is still noticed in time'), async () => {
    const model = toyModel({
      async *open() {
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        yield { type: 'text', delta: 'Well' };
        await never;
      },
    });
    const { seen } = streamed(model, { firstByteMs: 60_000, idleMs: 5_000 });
    await expectTimeout(seen, { at: 8_000, field: 'idleMs' });
  });

  test(verifies('S6', 'firstByteMs: null: a stream may begin late, then the others hold'), async () => {
    const { seen } = streamed(silent(), { firstByteMs: null });
    await expectTimeout(seen, { at: 600_000, field: 'requestMs' });
    const late = toyModel({
      async *open() {
        await new Promise((resolve) => setTimeout(resolve, 300_000));
        yield { type: 'text', delta: 'Well' };
        await never;
      },
    });
    await expectTimeout(streamed(late, { firstByteMs: null }).seen, { at: 420_000, field: 'idleMs' });
  });

  test(verifies('S6', 'idleMs: null: a stream may fall silent, then the others hold'), async () => {
    const { seen } = streamed(silent([{ type: 'text', delta: 'Well' }]), { idleMs: null });
    await expectTimeout(seen, { at: 600_000, field: 'requestMs' });
    await expectTimeout(streamed(silent(), { idleMs: null }).seen, { at: 60_000, field: 'firstByteMs' });
  });

  test(verifies('S6', 'requestMs: null: a stream may go on as long as it says something'), async () => {
    const { stream, seen } = streamed(dripping(50_000, { type: 'text', delta: 'x' }, 100), { requestMs: null });
    await vi.advanceTimersByTimeAsync(5_000_000);
    expect(seen.error).toBe('ended');
    expect(stream.finalOutput).toHaveLength(100);
    const plain = Runner.run(
      new Agent({ name: 'A', model: dripping(50_000, { type: 'text', delta: 'x' }, 100) }),
      'x',
      {
        runConfig: { timeouts: { requestMs: null } },
      },
    );
    await vi.advanceTimersByTimeAsync(5_000_000);
    expect((await plain).finalOutput).toHaveLength(100);
  });

  test(verifies('S6', 'all off: nothing ends a silent stream but its consumer'), async () => {
    const { stream, seen } = streamed(silent(), { firstByteMs: null, idleMs: null, requestMs: null });
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000_000);
    expect(seen.ended).toBe(false);
    stream.cancel();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.ended).toBe(true);
  });

  test(verifies('S6', 'pings count as activity, though they make no event'), async () => {
    const { stream, seen } = streamed(dripping(50_000, { type: 'ping' }, 10));
    await vi.advanceTimersByTimeAsync(500_000);
    expect(seen.error).toBe('ended');
    expect(stream.finalOutput).toBe('');
  });

  test(verifies('S6', 'the signal of the call is aborted with the error; what comes later is dropped'), async () => {
    const late = latch();
    const signals: AbortSignal[] = [];
    const model = toyModel({
      async *open(_body, { signal }: CallContext) {
        if (signal) signals.push(signal);
        await late.promise;
        yield* spoken('late');
      },
    });
    const { seen, events } = streamed(model);
    await expectTimeout(seen, { at: 60_000, field: 'firstByteMs' });
    expect(signals[0]?.reason).toBe(seen.error);
    late.open();
    await idle();
    expect(events.map(({ type }) => type)).toEqual(['agent_updated_stream_event']);
  });

  test(verifies('S6', 'an attempt that is retried has deadlines of its own'), async () => {
    let attempts = 0;
    const model = toyModel({
      async *open() {
        attempts += 1;
        if (attempts < 3) await never;
        yield* spoken('at last');
      },
    });
    const run = Runner.runStreamed(new Agent({ name: 'A', model }), 'x', {
      runConfig: { retry: { backoff: { jitter: false } } },
    });
    const { end } = reading(run);
    await vi.advanceTimersByTimeAsync(60_000 + 500 + 60_000 + 1_000);
    expect(await end).toBe('ended');
    expect([attempts, run.finalOutput, run.usage.requests]).toEqual([3, 'at last', 3]);
  });
});

describe('over a connection', () => {
  let server: Server;
  let url: string;
  let closed: Promise<void>;
  let serve: (response: ServerResponse) => void;

  beforeEach(async () => {
    const closing = latch();
    closed = closing.promise;
    server = createServer((_request, response) => {
      response.on('close', () => closing.open());
      serve(response);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });

  /** One JSON chunk a line; comments are pings. */
  const overFetch = (): Model =>
    toyModel({
      async *open(_body, { signal }) {
        const { body } = await fetch(url, signal ? { signal } : {});
        let rest = '';
        for await (const bytes of body ?? []) {
          rest += new TextDecoder().decode(bytes);
          const lines = rest.split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) yield line === '' ? { type: 'ping' } : (JSON.parse(line) as Chunk);
        }
      },
    });
  const send = (response: ServerResponse, ...chunks: readonly Chunk[]) => {
    for (const chunk of chunks) response.write(`${JSON.stringify(chunk)}\n`);
  };
  const timeouts = { firstByteMs: 80, idleMs: 80, requestMs: 400 };

  async function outcome(given: RunConfig['timeouts'] = timeouts) {
    const { stream, seen } = streamed(overFetch(), given);
    const error = await stream.completed.catch((reason: unknown) => reason);
    return { error, stream, seen };
  }

  test(verifies('S6', 'an answer in time is no timeout'), async () => {
    serve = (response) => {
      send(response, ...spoken('Hello over there'));
      response.end();
    };
    const { error, stream } = await outcome();
    expect([error, stream.finalOutput]).toEqual([undefined, 'Hello over there']);
  });

  test(verifies('S6', 'a server that accepts and says nothing; the connection is closed'), async () => {
    serve = () => undefined;
    expect((await outcome()).error).toMatchObject({ kind: 'timeout' });
    await closed;
  });

  test(verifies('S6', 'a server that sends its headers and no more'), async () => {
    serve = (response) => response.flushHeaders();
    expect((await outcome()).error).toMatchObject({ kind: 'timeout', message: expect.stringContaining('firstByteMs') });
    await closed;
  });

  test(verifies('S6', 'a server that falls silent after a word'), async () => {
    serve = (response) => send(response, { type: 'text', delta: 'Well' });
    expect((await outcome()).error).toMatchObject({ kind: 'timeout', message: expect.stringContaining('idleMs') });
    await closed;
  });

  test(verifies('S6', 'a server that drips for ever'), async () => {
    let timer: NodeJS.Timeout | undefined;
    serve = (response) => {
      timer = setInterval(() => send(response, { type: 'text', delta: '.' }), 20);
    };
    expect((await outcome()).error).toMatchObject({ kind: 'timeout', message: expect.stringContaining('requestMs') });
    await closed;
    clearInterval(timer);
  });

  test(verifies('S6', 'a server that only pings'), async () => {
    let timer: NodeJS.Timeout | undefined;
    serve = (response) => {
      timer = setInterval(() => response.write('\n'), 20);
    };
    expect((await outcome()).error).toMatchObject({ kind: 'timeout', message: expect.stringContaining('requestMs') });
    await closed;
    clearInterval(timer);
  });

  test(verifies('S6', 'a server that ends in the middle: an error that may be retried'), async () => {
    serve = (response) => {
      send(response, { type: 'text', delta: 'Well' });
      response.end();
    };
    expect((await outcome()).error).toMatchObject({ kind: 'protocol', retryable: true });
  });

  test(verifies('S6', 'a server that resets the connection'), async () => {
    serve = (response) => {
      send(response, { type: 'text', delta: 'Well' });
      setImmediate(() => response.socket?.resetAndDestroy());
    };
    expect((await outcome()).error).toMatchObject({ kind: 'network', retryable: true });
  });

  test(verifies('S6', 'a server that tells of an error in its stream'), async () => {
    serve = (response) => {
      send(response, { type: 'text', delta: 'Well' }, { type: 'failure', message: 'overloaded' });
    };
    expect((await outcome()).error).toMatchObject({ kind: 'server', message: 'overloaded' });
    await closed;
  });

  test(verifies('S6', 'a connection that stays open after the end mark is not waited for beyond idleMs'), async () => {
    serve = (response) => send(response, ...spoken('Hello'));
    expect((await outcome()).error).toMatchObject({ kind: 'timeout', message: expect.stringContaining('idleMs') });
    await closed;
  });

  test(verifies('S3', 'leaving the iterator closes the connection'), async () => {
    serve = (response) => send(response, { type: 'text', delta: 'Well' });
    const stream = Runner.runStreamed(new Agent({ name: 'A', model: overFetch() }), 'x');
    for await (const piece of stream.toTextStream()) if (piece) break;
    await stream.completed;
    await closed;
  });
});
