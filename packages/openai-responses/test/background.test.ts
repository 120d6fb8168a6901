import { Agent, ModelError, Runner, type CallContext } from '@polyrun/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { openaiResponses } from '../src/index.ts';
import { response, said } from './support/endpoint.ts';
import { serve, type Answer, type Asked, type TestServer } from './support/server.ts';

let server: TestServer;
let answers: Answer[];
/** Called with each request as it comes in. */
let onAsked: ((asked: Asked) => void) | undefined;

beforeEach(async () => {
  onAsked = undefined;
  server = await serve((asked) => {
    onAsked?.(asked);
    return answers.shift() ?? { status: 500, body: {} };
  });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

const providerOptions = { openai: { background: true, include: ['web_search_call.action.sources'] } };
const queued = (status = 'queued') => ({ body: response([said('half')], { status, usage: null }) });
const modelOf = () => openaiResponses({ apiKey: 'k', baseURL: server.url, name: 'openai' }).getModel('gpt-5.6');
const agentOf = () => new Agent({ name: 'A', model: modelOf(), modelSettings: { providerOptions } });

describe('a response that is made in the background', () => {
  test(verifies('L5', 'pauses, and is waited for in the same turn'), async () => {
    answers = [queued(), { body: response([said('done')]) }];
    const result = await Runner.run(agentOf(), 'go', { maxTurns: 1 });
    expect(result.finalOutput).toBe('done');
    const include = ['reasoning.encrypted_content', 'web_search_call.action.sources'];
    expect(server.asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      'POST /v1/responses',
      'GET /v1/responses/resp_1',
    ]);
    expect(server.asked[0]?.body).toMatchObject({ background: true, store: true, include });
    expect([...(server.asked[1]?.url.searchParams.values() ?? [])]).toEqual(include);
    expect(result.rawResponses.map(({ stop }) => stop)).toEqual([
      { type: 'pause', raw: 'queued' },
      { type: 'end', raw: 'completed' },
    ]);
    expect(result.newItems).toHaveLength(1);
    expect(result.usage).toMatchObject({ requests: 2, inputTokens: 10, outputTokens: 5 });
  });

  test('is looked after again and again, less often each time', async () => {
    vi.useFakeTimers();
    let looks = 0;
    const looked = async () => {
      const body = ++looks < 7 ? queued('in_progress').body : response([said('done')]);
      return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
    };
    const model = openaiResponses({ apiKey: 'k', fetch: looked }).getModel('gpt-5.6');
    const asked = model.getResponse({ input: [], tools: [], settings: {}, pausedResponseId: 'resp_1' });
    for (const [index, wait] of [1000, 2000, 4000, 8000, 10_000, 10_000].entries()) {
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(looks).toBe(index + 1);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect((await asked).output).toHaveLength(1);
    expect(looks).toBe(7);
  });

  test(verifies('R1', 'is looked after again when a look fails: it is not made anew'), async () => {
    answers = [queued(), { status: 503, body: { error: { message: 'busy' } } }, { body: response([said('done')]) }];
    const runConfig = { retry: { backoff: { initialMs: 0 } } };
    const result = await Runner.run(agentOf(), 'go', { runConfig });
    expect(result.finalOutput).toBe('done');
    expect(server.asked.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
  });

  test('streams as others do', async () => {
    const done = response([said('done')]);
    answers = [
      {
        body: null,
        events: [
          { type: 'response.created', response: queued().body },
          { type: 'response.queued', response: queued().body },
          { type: 'response.completed', response: done },
        ],
      },
    ];
    const stream = Runner.runStreamed(agentOf(), 'go');
    const types: string[] = [];
    for await (const event of stream) if (event.type === 'raw_response_event') types.push(event.data.type);
    expect(stream.finalOutput).toBe('done');
    expect(types.slice(0, 2)).toEqual(['response.created', 'response.queued']);
    expect(server.asked[0]?.body).toMatchObject({ background: true, stream: true });
  });

  test('that a streaming server only queues is waited for too', async () => {
    answers = [queued(), { body: response([said('done')]) }];
    const stream = Runner.runStreamed(agentOf(), 'go');
    await stream.completed;
    expect(stream.finalOutput).toBe('done');
    expect(server.asked.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  test('that failed is an error', async () => {
    answers = [
      queued(),
      { body: response([], { status: 'failed', error: { code: 'invalid_prompt', message: 'No.' } }) },
    ];
    const failed = Runner.run(agentOf(), 'go', { runConfig: { retry: { maxRetries: 0 } } });
    await expect(failed).rejects.toThrow(ModelError);
    await expect(failed).rejects.toThrow(/No\./);
  });

  test('is left alone once nobody wants it', async () => {
    answers = Array.from({ length: 20 }, () => queued());
    const gone = new AbortController();
    onAsked = ({ method }) => void (method === 'GET' && setImmediate(() => gone.abort(new Error('gone'))));
    const asked = { input: [], tools: [], settings: {}, pausedResponseId: 'resp_1' };
    const call: CallContext = { signal: gone.signal };
    await expect(modelOf().getResponse(asked, call)).rejects.toMatchObject({ kind: 'aborted' });
    expect(server.asked).toHaveLength(1);
  });
});
