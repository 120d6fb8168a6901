import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Agent, ModelError, Runner, tool, type RunConfig } from '@polyrun/core';
import { ask } from '@polyrun/wires/endpoint';
import { answer, corpusMissing, hello, startReplay, type ReplayServer } from '@polyrun/wires/corpus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { mistral } from '../src/index.ts';
import { mistralCassettes, replayModel } from './support/wire.ts';

const streamOfText = 'vai.mistral.mistral-text.stream';
const streamOfCall = 'vai.mistral.mistral-tool-call.stream';

describe.skipIf(corpusMissing !== undefined)('through the official client, over HTTP', () => {
  let server: ReplayServer;
  beforeAll(async () => void (server = await startReplay()));
  afterAll(() => server.close());
  const at = (id: string, how: string) => `${server.url}/c/${id}/0${how}`;
  const config = (baseURL: string, more: RunConfig = {}): RunConfig => ({
    modelProvider: mistral({ baseURL, apiKey: 'test-key', defaultModel: 'mistral-small-latest' }),
    retry: { maxRetries: 0 },
    ...more,
  });

  test(verifies('T2', 'a connection that breaks at any byte is a network error, and calls nothing'), async () => {
    const cassette = mistralCassettes().find(({ id }) => id === streamOfCall);
    if (!cassette) throw new Error('the recording is gone');
    const length = cassette.exchanges[0]?.response.sse?.length ?? 0;
    const results = await Promise.all(
      Array.from({ length }, (_, cut) => answer(replayModel(cassette, at(cassette.id, `;cut=${cut}`)), hello, true)),
    );
    expect(new Set(results.map((result) => (result instanceof ModelError ? result.kind : 'answered')))).toEqual(
      new Set(['network']),
    );
  });

  test(verifies('S6', 'a stream that drips is ended by the deadline of the request'), async () => {
    const agent = new Agent({ name: 'a' });
    const stream = Runner.runStreamed(agent, 'Hello', {
      runConfig: config(at(streamOfText, ';chunk=1;delay=50'), { timeouts: { requestMs: 300 } }),
    });
    await expect(stream.completed).rejects.toMatchObject({ kind: 'timeout' });
  });

  test(verifies('S7', 'a stream that breaks is tried again, and what it said is discarded'), async () => {
    let calls = 0;
    const fetch: typeof globalThis.fetch = (input) => {
      const request = input as Request;
      const url = calls++ === 0 ? request.url : request.url.replace(';cut=900', '');
      return globalThis.fetch(new Request(url, request));
    };
    const modelProvider = mistral({ baseURL: at(streamOfText, ';cut=900'), apiKey: 'k', defaultModel: 'm', fetch });
    const runConfig = config('', { modelProvider, retry: { maxRetries: 1, backoff: { initialMs: 1 } } });
    const stream = Runner.runStreamed(new Agent({ name: 'a' }), 'Hello', { runConfig });
    const types: string[] = [];
    for await (const event of stream.streamEvents())
      if (event.type === 'raw_response_event') types.push(event.data.type);
    expect(types).toContain('polyrun:attempt_discarded');
    expect(stream.finalOutput).toBe('Hello, world! This is a test response.');
    expect(calls).toBe(2);
  });

  test('an agent runs: a call, its tool, an answer', async () => {
    const asked: unknown[] = [];
    const weather = tool({
      name: 'weather',
      description: 'The weather somewhere.',
      parameters: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
      execute: (args) => {
        asked.push(args);
        return 'Sunny.';
      },
    });
    let turn = 0;
    const bodies: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      const request = input as Request;
      bodies.push(await request.clone().json());
      const url = turn++ === 0 ? request.url : at(streamOfText, '/v1/chat/completions');
      return globalThis.fetch(new Request(url, request));
    };
    const modelProvider = mistral({ baseURL: at(streamOfCall, ''), apiKey: 'k', defaultModel: 'm', fetch });
    const stream = Runner.runStreamed(new Agent({ name: 'a', tools: [weather] }), 'How is it?', {
      runConfig: { modelProvider },
    });
    await stream.completed;
    expect(asked).toEqual([{ location: 'San Francisco' }]);
    expect(stream.finalOutput).toBe('Hello, world! This is a test response.');
    expect(bodies[1]).toMatchObject({
      messages: [
        { role: 'user', content: 'How is it?' },
        { role: 'assistant', tool_calls: [{ id: 'gSIMJiOkT', function: { name: 'weather' } }] },
        { role: 'tool', tool_call_id: 'gSIMJiOkT', content: 'Sunny.' },
      ],
    });
  });
});

test('an abort reaches a body that waits, also once what the client no longer holds has been collected', async () => {
  const closed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const server = createServer((_, response) => {
    response.on('close', () => closed.resolve());
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{', () => begun.resolve());
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  let answered: () => void = () => undefined;
  const headers = new Promise<void>((resolve) => void (answered = resolve));
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    setImmediate(answered);
    return response;
  };
  const controller = new AbortController();
  const model = mistral({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'k', fetch }).getModel('m');
  const call = model.getResponse(ask(), { signal: controller.signal });
  await Promise.all([begun.promise, headers]);
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
  controller.abort();
  await expect(call).rejects.toMatchObject({ kind: 'aborted' });
  await closed.promise;
  server.close();
});
