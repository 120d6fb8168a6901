import { LLMock } from '@copilotkit/aimock';
import {
  Agent,
  ModelError,
  Runner,
  tool,
  type ModelProvider,
  type RunConfig,
  type RunStreamEvent,
} from '@polyrun/core';
import { corpusMissing, startReplay, type ReplayServer } from '@polyrun/wires/corpus';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { chatCompletions } from '../src/index.ts';

const soon: RunConfig['retry'] = { backoff: { initialMs: 1, jitter: false } };
const never: RunConfig['retry'] = { maxRetries: 0 };

/** One run through the official client: its events, and its result or error. */
async function stream(provider: ModelProvider, config: Partial<RunConfig> = {}, tools: Agent['tools'] = []) {
  const agent = new Agent({ name: 'A', model: 'm', tools });
  const result = Runner.runStreamed(agent, 'go', { runConfig: { modelProvider: provider, retry: soon, ...config } });
  const events: RunStreamEvent[] = [];
  try {
    for await (const event of result) events.push(event);
    return { events, result };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { events, result, error };
  }
}

function typesIn(events: readonly RunStreamEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'raw_response_event' ? [event.data.type] : []));
}

describe.skipIf(corpusMissing !== undefined)('recorded streams that break or stall', () => {
  const cassette = 'oll.chat_tracing.chat_streaming_legacy';
  let server: ReplayServer;
  beforeAll(async () => {
    server = await startReplay();
  });
  afterAll(() => server.close());

  /** The adapter on one recording; the n-th call gets the n-th of these faults, later ones the last. */
  function replay(session: string, ...faults: string[]): ModelProvider & { calls(): number } {
    let calls = 0;
    const provider = chatCompletions({
      apiKey: 'k',
      baseURL: `${server.url}/s/${session}/c/${cassette}/0;fault`,
      fetch: (input, init) => {
        const fault = faults[Math.min(calls++, faults.length - 1)] ?? '';
        return fetch((input as string).replace(';fault', fault), init);
      },
    });
    return Object.assign(provider, { calls: () => calls });
  }

  test(
    verifies('S7', 'a stream cut in the middle is discarded and asked for again, and the run is whole'),
    async () => {
      const clean = await stream(replay('clean', ''));
      const provider = replay('cut', ';cut=4000', '');
      const { events, result, error } = await stream(provider);
      expect(error).toBeUndefined();
      expect(provider.calls()).toBe(2);
      expect(result.finalOutput).toBe(clean.result.finalOutput);
      expect(result.finalOutput).not.toBe('');
      const types = typesIn(events);
      const discarded = types.indexOf('polyrun:attempt_discarded');
      expect(types.slice(0, discarded)).toContain('response.output_text.delta');
      expect(types.slice(discarded)).toEqual(['polyrun:attempt_discarded', ...typesIn(clean.events)]);
      expect(result.usage).toMatchObject({ requests: 2, source: 'partial' });
    },
  );

  test(verifies('R1', 'one that is cut every time is tried three times, and by nobody else'), async () => {
    const provider = replay('always', ';cut=4000');
    const { error } = await stream(provider);
    expect(error).toMatchObject({ kind: 'network', retryable: true });
    expect(provider.calls()).toBe(3);
  });

  test.each([
    ['never begins', { firstByteMs: 40 }, /firstByteMs|first/i],
    ['falls silent', { idleMs: 40 }, /idle/i],
    ['drips', { requestMs: 150 }, /request/i],
  ])(verifies('S6', 'one that %s ends in a timeout'), async (what, timeouts, words) => {
    const provider = {
      'never begins': silent(),
      'falls silent': replay('silent', ';chunk=3000;delay=60000'),
      drips: replay('drips', ';chunk=1;delay=20'),
    }[what];
    const { error, events } = await stream(provider ?? silent(), { timeouts, retry: never });
    expect(error).toMatchObject({ kind: 'timeout', retryable: true });
    expect(error?.message).toMatch(words);
    expect(typesIn(events).includes('response.output_text.delta')).toBe(what === 'falls silent');
  });

  /** An endpoint that takes the call and says nothing. */
  function silent(): ModelProvider {
    return chatCompletions({
      apiKey: 'k',
      baseURL: 'https://example.test/v1',
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
        }),
    });
  }
});

describe('a server in disorder', () => {
  const mock = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 4 });
  let ran = 0;
  const add = tool({
    name: 'add',
    description: 'Adds.',
    parameters: { type: 'object', properties: {} },
    execute: () => {
      ran++;
      return '3';
    },
  });

  beforeAll(async () => {
    mock
      .on({ toolName: 'add', hasToolResult: false }, { toolCalls: [{ name: 'add', arguments: '{}' }] })
      .on({ toolName: 'add', hasToolResult: true }, { content: 'It is three, as far as I can tell.' })
      .onMessage('go', { content: 'One two three four five six.' });
    await mock.start();
  });
  afterAll(() => mock.stop());
  afterEach(() => {
    ran = 0;
  });

  /** The adapter on the mock; the n-th call is disturbed by the n-th of these headers. */
  function disturbed(...faults: { [header: string]: string }[]): ModelProvider & { calls(): number } {
    let calls = 0;
    const provider = chatCompletions({
      apiKey: 'k',
      baseURL: `${mock.url}/v1`,
      fetch: (input, init) => {
        const headers = new Headers(init?.headers);
        for (const [name, value] of Object.entries(faults[calls++] ?? {})) headers.set(name, value);
        return fetch(input, { ...init, headers });
      },
    });
    return Object.assign(provider, { calls: () => calls });
  }

  const drop = { 'x-aimock-chaos-drop': '1' };
  const disconnect = { 'x-aimock-chaos-disconnect': '1' };
  const limit = { 'x-aimock-chaos-ratelimit': '1' };
  const malformed = { 'x-aimock-chaos-malformed': '1' };

  test(verifies('R1', 'errors and broken connections are tried again, and the answer is the same'), async () => {
    const calm = await stream(disturbed());
    const provider = disturbed(drop, disconnect);
    const { result, error } = await stream(provider);
    expect(error).toBeUndefined();
    expect(provider.calls()).toBe(3);
    expect(result.finalOutput).toBe(calm.result.finalOutput);
    expect(result.finalOutput).toBe('One two three four five six.');
  });

  test(verifies('R1', 'a rate limit is waited for as long as the server says'), async () => {
    const told: (number | undefined)[] = [];
    const policy = ({ error }: { error: ModelError }) => {
      told.push(error.retryAfterMs);
      return { delayMs: 0 };
    };
    const { result } = await stream(disturbed(limit), { retry: { policy } });
    expect(result.finalOutput).toBe('One two three four five six.');
    expect(told).toEqual([expect.any(Number)]);
  });

  test('a body that is no JSON is a protocol error, not an answer', async () => {
    const { error } = await stream(disturbed(malformed, malformed, malformed), { retry: never });
    expect(error).toMatchObject({ kind: 'protocol' });
  });

  test(verifies('S7', 'a tool that has run is not run again when the next step breaks'), async () => {
    const provider = disturbed({}, drop, disconnect);
    const { result } = await stream(provider, {}, [add]);
    expect(result.finalOutput).toBe('It is three, as far as I can tell.');
    expect(provider.calls()).toBe(4);
    expect(ran).toBe(1);
  });
});
