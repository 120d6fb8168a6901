import { ModelError, parseJson, type ModelEvent, type ModelResponse } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { chatCompletions } from '../src/index.ts';
import { answer, corpusMissing, hello, startReplay } from '@polyrun/wires/corpus';
import { chatCassettes, replayModel } from './support/wire.ts';
import { ask, endpoint, sseText } from '@polyrun/wires/endpoint';
import { delta, finish } from './support/endpoint.ts';

const encoder = new TextEncoder();

describe('a stream that is cut at any byte', { timeout: 60_000 }, () => {
  const recorded = corpusMissing === undefined ? chatCassettes() : [];
  const streams = recorded
    .flatMap(({ id, exchanges }) => exchanges.map((exchange) => ({ id: `${id}/${exchange.index}`, ...exchange })))
    .filter(
      ({ response, expected }) => (response.sse?.length ?? 0) < 9000 && response.sse && expected.toolCalls.length > 0,
    )
    .map(({ id, response }) => ({ id, text: response.sse ?? '' }));
  const parallel = {
    id: 'two calls of one server',
    text: [
      delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x"' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
      delta({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '' } }] }),
      finish('tool_calls', { usage: { prompt_tokens: 1, completion_tokens: 2 } }),
    ]
      .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
      .concat('data: [DONE]\n\n')
      .join(''),
  };

  test.each([parallel, ...streams])(
    verifies('T2', '$id: no call is complete before its end was seen'),
    async ({ text }) => {
      const bytes = encoder.encode(text);
      const whole = callsOf(await read(bytes));
      expect(whole.length).toBeGreaterThan(0);
      const outcomes = { clean: { error: 0, whole: 0 }, reset: { error: 0, whole: 0 } };
      for (let at = 0; at < bytes.length; at++) {
        for (const end of ['clean', 'reset'] as const) {
          const result = await read(bytes.slice(0, at), end === 'reset' ? new TypeError('terminated') : undefined);
          if (result instanceof ModelError) {
            expect(result.kind).toBe(end === 'reset' ? 'network' : 'protocol');
            expect(result.retryable).toBe(true);
            outcomes[end].error++;
          } else {
            expect(callsOf(result), `cut at ${at}`).toEqual(whole);
            outcomes[end].whole++;
          }
        }
      }
      // A clean end is good enough once the finish reason was there; a broken connection never is.
      expect(outcomes.clean.error).toBeGreaterThan(bytes.length / 3);
      expect(outcomes.reset).toEqual({ error: bytes.length, whole: 0 });
    },
  );

  test('the events of a stream that was cut close nothing', async () => {
    const bytes = encoder.encode(parallel.text);
    const events: ModelEvent[] = [];
    const { fetch } = endpoint(() => sseText(bytes.slice(0, 400)));
    const model = chatCompletions({ fetch, apiKey: 'k', baseURL: 'https://example.test/v1' }).getModel('m');
    await expect(
      (async () => {
        for await (const event of model.streamResponse(ask())) events.push(event);
      })(),
    ).rejects.toThrow(ModelError);
    expect(events.map(({ type }) => type)).toContain('response.output_item.added');
    expect(events.filter(({ type }) => /done|completed/.test(type))).toEqual([]);
  });
});

describe.skipIf(corpusMissing !== undefined)('a connection that breaks', () => {
  test('is a network error at any byte', async () => {
    const cassette = chatCassettes().find(({ id }) => id === 'oll.chat.chat_tools_streaming');
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

async function read(bytes: Uint8Array, error?: Error): Promise<ModelResponse | ModelError> {
  const { fetch } = endpoint(() => sseText(bytes, error));
  const model = chatCompletions({ fetch, apiKey: 'k', baseURL: 'https://example.test/v1' }).getModel('m');
  return answer(model, ask(), true);
}

function callsOf(result: ModelResponse | ModelError): unknown[] {
  if (result instanceof ModelError) throw result;
  return result.output.flatMap((item) =>
    item.type === 'function_call' && item.status === 'completed'
      ? [[item.name, item.call_id, parseJson(item.arguments)]]
      : [],
  );
}
