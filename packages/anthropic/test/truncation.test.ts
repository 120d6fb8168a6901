import { Agent, ModelError, parseJson, Runner, tool, type ModelEvent, type ModelResponse } from '@polyrun/core';
import { answer, corpusMissing, hello, startReplay } from '@polyrun/wires/corpus';
import { ask, endpoint, sseText } from '@polyrun/wires/endpoint';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { anthropic } from '../src/index.ts';
import { block, events } from './support/endpoint.ts';
import { anthropicCassettes, replayModel } from './support/wire.ts';

const encoder = new TextEncoder();
const args = (partial_json: string) => ({ type: 'input_json_delta', partial_json });
const parallel = {
  id: 'two calls',
  text: events(
    [
      ...block(0, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }, [args('{"x"'), args(':1}')]),
      ...block(1, { type: 'tool_use', id: 'toolu_2', name: 'g', input: {} }, [args('')]),
    ],
    { stop: 'tool_use' },
  )
    .map((event) => `data: ${JSON.stringify(event)}\n\n`)
    .join(''),
};

describe('a stream that is cut at any byte', () => {
  const recorded = corpusMissing === undefined ? anthropicCassettes() : [];
  const streams = recorded
    .flatMap(({ id, exchanges }) => exchanges.map((exchange) => ({ id: `${id}/${exchange.index}`, ...exchange })))
    .filter(({ response, expected }) => response.sse && response.sse.length < 3500 && expected.toolCalls.length > 0)
    .map(({ id, response }) => ({ id, text: response.sse ?? '' }));

  test.each([parallel, ...streams.slice(0, 4)])(
    verifies('T2', '$id: no call is complete before its end was seen'),
    { timeout: 60_000 },
    async ({ text }) => {
      const bytes = encoder.encode(text);
      const whole = callsOf(await read(bytes));
      expect(whole.length).toBeGreaterThan(0);
      const outcomes = { clean: 0, reset: 0 };
      for (let at = 0; at < bytes.length; at++) {
        for (const end of ['clean', 'reset'] as const) {
          const result = await read(bytes.slice(0, at), end === 'reset' ? new TypeError('terminated') : undefined);
          if (result instanceof ModelError) {
            expect(result.kind).toBe(end === 'reset' ? 'network' : 'protocol');
            expect(result.retryable).toBe(true);
            outcomes[end]++;
          } else expect(callsOf(result), `cut at ${at}`).toEqual(whole);
        }
      }
      // A clean end is good enough once the stop reason was there; a broken connection never is.
      expect(outcomes.clean).toBeGreaterThan(bytes.length / 5);
      expect(outcomes.reset).toBe(bytes.length);
    },
  );

  test('its events close nothing', async () => {
    const told: ModelEvent[] = [];
    const { fetch } = endpoint(() => sseText(encoder.encode(parallel.text).slice(0, 700)));
    const model = anthropic({ fetch, apiKey: 'k' }).getModel('m');
    await expect(
      (async () => {
        for await (const event of model.streamResponse(ask())) told.push(event);
      })(),
    ).rejects.toThrow(ModelError);
    expect(told.map(({ type }) => type)).toContain('response.output_item.added');
    expect(told.filter(({ type }) => /done|completed/.test(type))).toEqual([]);
  });
});

describe.skipIf(corpusMissing !== undefined)('a connection that breaks', () => {
  test('is a network error at any byte', async () => {
    const cassette = anthropicCassettes().find(({ id }) => id === 'oll.messages.anthropic_tools_streaming_legacy');
    if (!cassette) throw new Error('the recording is gone');
    const server = await startReplay();
    const length = cassette.exchanges[0]?.response.sse?.length ?? 0;
    const cuts = Array.from({ length: 40 }, (_, index) => Math.floor((index * length) / 40));
    const results = await Promise.all(
      cuts.map((cut) => answer(replayModel(cassette, `${server.url}/c/${cassette.id}/0;cut=${cut}`), hello, true)),
    );
    await server.close();
    expect(results.map((result) => (result instanceof ModelError ? result.kind : 'answered'))).toEqual(
      cuts.map(() => 'network'),
    );
  });
});

describe('deadlines', () => {
  afterEach(() => vi.useRealTimers());

  test(verifies('S6', 'pings are a sign of life, silence is none'), async () => {
    vi.useFakeTimers();
    const ping = `data: ${JSON.stringify({ type: 'ping' })}\n\n`;
    const rest = parallel.text.slice(parallel.text.indexOf('data: {"type":"content'));
    const start = parallel.text.slice(0, -rest.length);
    const responses = [dripping([start, ping, ping, ping, ping, ping, rest], true), dripping([start, ping], false)];
    const { fetch } = endpoint(() => responses.shift() ?? new Response());
    const f = tool({ name: 'f', description: '', parameters: { type: 'object' }, execute: () => 'done' });
    const g = tool({ name: 'g', description: '', parameters: { type: 'object' }, execute: () => 'done' });
    const agent = new Agent({ name: 'A', model: 'm', tools: [f, g], toolUseBehavior: 'stop_on_first_tool' });
    const runConfig = {
      modelProvider: anthropic({ fetch, apiKey: 'k' }),
      timeouts: { idleMs: 100 },
      retry: { maxRetries: 0 },
    };
    const alive = Runner.runStreamed(agent, 'go', { runConfig });
    const ended = alive.completed;
    await vi.advanceTimersByTimeAsync(800);
    await ended;
    expect(alive.finalOutput).toBe('done');
    const silent = Runner.runStreamed(agent, 'go', { runConfig }).completed.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(800);
    expect(await silent).toMatchObject({ kind: 'timeout' });
  });
});

/** Sends a piece every 80 ms, and then ends or not. */
function dripping(pieces: readonly string[], ends: boolean): Response {
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = pieces[next++];
      if (piece === undefined) return ends ? controller.close() : new Promise<void>(() => undefined);
      await new Promise<void>((resolve) => void setTimeout(resolve, 80));
      controller.enqueue(encoder.encode(piece));
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

async function read(bytes: Uint8Array, error?: Error): Promise<ModelResponse | ModelError> {
  const { fetch } = endpoint(() => sseText(bytes, error));
  return answer(anthropic({ fetch, apiKey: 'k' }).getModel('m'), ask(), true);
}

function callsOf(result: ModelResponse | ModelError): unknown[] {
  if (result instanceof ModelError) throw result;
  return result.output.flatMap((item) =>
    item.type === 'function_call' && item.status === 'completed'
      ? [[item.name, item.call_id, parseJson(item.arguments)]]
      : [],
  );
}
