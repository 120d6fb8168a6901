import { LLMock } from '@copilotkit/aimock';
import { anthropic } from '@polyrun/anthropic';
import { chatCompletions } from '@polyrun/chat-completions';
import { Agent, Runner, tool, type ModelError, type ModelProvider, type RunConfig } from '@polyrun/core';
import { mistral } from '@polyrun/mistral';
import { openaiResponses } from '@polyrun/openai-responses';
import { corpusMissing, startReplay, type ReplayServer } from '@polyrun/wires/corpus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../packages/core/test/requirements.ts';

type Options = { apiKey: string; baseURL: string; fetch?: typeof fetch; defaultModel: string };
/** Each adapter: how its base URL is spelled, and a recorded stream of its wire. */
type Wire = { name: string; provider: (options: Options) => ModelProvider; path: string; cassette: string };
const wires: readonly Wire[] = [
  {
    name: 'openai-responses',
    provider: openaiResponses,
    path: '/v1',
    cassette: 'oll.responses.responses_streaming_with_parent_span',
  },
  { name: 'anthropic', provider: anthropic, path: '', cassette: 'oll.messages.anthropic_message_streaming_legacy' },
  { name: 'mistral', provider: mistral, path: '', cassette: 'vai.mistral.mistral-text.stream' },
  {
    name: 'chat-completions',
    provider: chatCompletions,
    path: '/v1',
    cassette: 'oll.chat_tracing.chat_streaming_legacy',
  },
];
const soon: RunConfig['retry'] = { backoff: { initialMs: 1, jitter: false } };
const never: RunConfig['retry'] = { maxRetries: 0 };
const drop = { 'x-aimock-chaos-drop': '1' };
const disconnect = { 'x-aimock-chaos-disconnect': '1' };
const malformed = { 'x-aimock-chaos-malformed': '1' };
const ratelimit = { 'x-aimock-chaos-ratelimit': '1' };

describe.each(wires)('$name against a server in disorder', ({ provider, path }) => {
  const mock = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 4 });
  beforeAll(async () => {
    mock
      .on({ toolName: 'add', hasToolResult: false }, { toolCalls: [{ name: 'add', arguments: '{}' }] })
      .on({ toolName: 'add', hasToolResult: true }, { content: 'It is three.' })
      .onMessage('go', { content: 'One two three four five six.' });
    await mock.start();
  });
  afterAll(() => mock.stop());

  /** The n-th call is disturbed by the n-th of these headers. */
  function disturbed(...faults: { [header: string]: string }[]): { modelProvider: ModelProvider; calls: () => number } {
    let calls = 0;
    const fetched: typeof fetch = (input, init) => {
      const request = new Request(input, init);
      for (const [name, value] of Object.entries(faults[calls] ?? {})) request.headers.set(name, value);
      calls += 1;
      return fetch(request);
    };
    const modelProvider = provider({ apiKey: 'k', baseURL: mock.url + path, fetch: fetched, defaultModel: 'm' });
    return { modelProvider, calls: () => calls };
  }

  test.each(['streamed', 'whole'])(verifies('R1', 'broken connections are tried again, %s'), async (how) => {
    const { modelProvider, calls } = disturbed(drop, disconnect);
    const agent = new Agent({ name: 'A' });
    const runConfig = { modelProvider, retry: soon };
    const result =
      how === 'whole' ? await Runner.run(agent, 'go', { runConfig }) : Runner.runStreamed(agent, 'go', { runConfig });
    if ('completed' in result) await result.completed;
    expect(result.finalOutput).toBe('One two three four five six.');
    expect(calls()).toBe(3);
  });

  test(verifies('R1', 'a rate limit tells when to come back'), async () => {
    const told: ModelError[] = [];
    const policy = ({ error }: { error: ModelError }) => {
      told.push(error);
      return { delayMs: 0 };
    };
    const { modelProvider } = disturbed(ratelimit);
    const result = await Runner.run(new Agent({ name: 'A' }), 'go', {
      runConfig: { modelProvider, retry: { policy } },
    });
    expect(result.finalOutput).toBe('One two three four five six.');
    expect(told).toMatchObject([{ kind: 'rate_limit', status: 429 }]);
  });

  test(verifies('E1', 'what is no answer is a protocol error'), async () => {
    const { modelProvider } = disturbed(malformed);
    const run = Runner.run(new Agent({ name: 'A' }), 'go', { runConfig: { modelProvider, retry: never } });
    await expect(run).rejects.toMatchObject({ kind: 'protocol' });
  });

  test(verifies('S7', 'a tool that has run is not run again when the next step breaks'), async () => {
    let ran = 0;
    const add = tool({
      name: 'add',
      description: 'Adds.',
      parameters: { type: 'object', properties: {} },
      execute: () => String(++ran),
    });
    const { modelProvider, calls } = disturbed({}, drop, disconnect);
    const stream = Runner.runStreamed(new Agent({ name: 'A', tools: [add] }), 'go', {
      runConfig: { modelProvider, retry: soon },
    });
    await stream.completed;
    expect(stream.finalOutput).toBe('It is three.');
    expect([ran, calls()]).toEqual([1, 4]);
  });
});

describe.skipIf(corpusMissing !== undefined).each(wires)(
  '$name on a recorded stream',
  ({ provider, path, cassette }) => {
    let server: ReplayServer;
    beforeAll(async () => void (server = await startReplay()));
    afterAll(() => server.close());
    const replay = (fault: string, fetched = fetch) =>
      provider({
        apiKey: 'k',
        baseURL: `${server.url}/c/${cassette}/0${fault}${path}`,
        fetch: fetched,
        defaultModel: 'm',
      });

    test(verifies('S6', 'one that drips is ended by the deadline of the request'), async () => {
      const runConfig = { modelProvider: replay(';chunk=1;delay=50'), retry: never, timeouts: { requestMs: 300 } };
      const stream = Runner.runStreamed(new Agent({ name: 'A' }), 'go', { runConfig });
      await expect(stream.completed).rejects.toMatchObject({ kind: 'timeout', retryable: true });
    });

    test(verifies('S7', 'one that breaks in the middle is discarded and asked for again'), async () => {
      let calls = 0;
      const once: typeof fetch = (input, init) => {
        const request = new Request(input, init);
        return fetch(calls++ === 0 ? request : new Request(request.url.replace(';cut=1500', ''), request));
      };
      const runConfig = { modelProvider: replay(';cut=1500', once), retry: soon };
      const stream = Runner.runStreamed(new Agent({ name: 'A' }), 'go', { runConfig });
      const types: string[] = [];
      for await (const event of stream) if (event.type === 'raw_response_event') types.push(event.data.type);
      expect(types).toContain('polyrun:attempt_discarded');
      expect(types.at(-1)).toBe('polyrun:response_done');
      expect(calls).toBe(2);
    });
  },
);
