import { ModelError, parseJson, type ModelEvent, type ModelResponse } from '@polyrun/core';
import { answer, corpusMissing, hello, startReplay } from '@polyrun/wires/corpus';
import { ask, endpoint, sseText } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { openaiResponses } from '../src/index.ts';
import { called, response } from './support/endpoint.ts';
import { asEvents } from './support/events.ts';
import { recorded, replayModel } from './support/wire.ts';

const encoder = new TextEncoder();

describe('a stream that is cut at any byte', () => {
  const cassettes = corpusMissing === undefined ? recorded() : [];
  const streams = cassettes
    .flatMap(({ id, exchanges }) => exchanges.map((exchange) => ({ id: `${id}/${exchange.index}`, ...exchange })))
    .filter(({ response: { sse }, expected }) => sse && sse.length < 25_000 && expected.toolCalls.length > 0)
    .map(({ id, response: { sse = '' } }) => ({ id, text: sse }))
    .slice(0, 4);
  const body = response([called('f', '{"x":1}'), called('g', '{"y":[1,2]}', 'call_2')]);
  const parallel = {
    id: 'two calls of one response',
    text: asEvents(body)
      .map((event) => `data: ${JSON.stringify(event)}\n\n`)
      .join(''),
  };

  test.each([parallel, ...streams])(
    verifies('T2', '$id: no call is complete before its end was seen'),
    { timeout: 60_000 },
    async ({ text }) => {
      const bytes = encoder.encode(text);
      const whole = callsOf(await read(bytes));
      expect(whole.length).toBeGreaterThan(0);
      const clean = { error: 0, whole: 0 };
      for (let at = 0; at < bytes.length; at++) {
        const result = await read(bytes.slice(0, at));
        if (result instanceof ModelError) {
          expect([result.kind, result.retryable]).toEqual(['protocol', true]);
          clean.error++;
        } else {
          expect(callsOf(result), `cut at ${at}`).toEqual(whole);
          clean.whole++;
        }
      }
      // Only what is cut behind the data of the terminal event is whole: its last line ends are no loss.
      expect(clean.whole).toBeLessThanOrEqual(20);
      for (let at = 0; at < bytes.length; at += 53) {
        const result = await read(bytes.slice(0, at), new TypeError('terminated'));
        if (result instanceof ModelError) expect([result.kind, result.retryable]).toEqual(['network', true]);
        else expect(callsOf(result)).toEqual(whole);
      }
    },
  );

  test('the events of a stream that was cut end nothing', async () => {
    const events: ModelEvent[] = [];
    const cut = parallel.text.lastIndexOf('data:', parallel.text.indexOf('response.function_call_arguments.done'));
    const { fetch } = endpoint(() => sseText(encoder.encode(parallel.text).slice(0, cut)));
    const stream = openaiResponses({ fetch, apiKey: 'k' }).getModel('m').streamResponse(ask());
    const reading = (async () => {
      for await (const event of stream) events.push(event);
    })();
    await expect(reading).rejects.toThrow(/no terminal event/);
    expect(events.map(({ type }) => type)).toContain('response.output_item.added');
    expect(events.filter(({ type }) => /done|completed/.test(type))).toEqual([]);
  });
});

describe.skipIf(corpusMissing !== undefined)('a connection that breaks', () => {
  test('is a network error at any byte', { timeout: 60_000 }, async () => {
    const cassette = recorded().find(({ exchanges }) => (exchanges[0]?.response.sse?.length ?? 0) > 2000);
    if (!cassette) throw new Error('the recording is gone');
    const server = await startReplay();
    const length = cassette.exchanges[0]?.response.sse?.length ?? 0;
    const cuts = Array.from({ length: 30 }, (_, index) => Math.floor((index * length * 0.9) / 30));
    const results = await Promise.all(
      cuts.map((cut) => answer(replayModel(cassette, `${server.url}/c/${cassette.id}/0;cut=${cut}`), hello, true)),
    );
    await server.close();
    expect(results.map((result) => (result instanceof ModelError ? result.kind : 'answered'))).toEqual(
      cuts.map(() => 'network'),
    );
  });

  test('a deadline ends a stream that drips', { timeout: 60_000 }, async () => {
    const cassette = recorded().find(({ exchanges }) => (exchanges[0]?.response.sse?.length ?? 0) > 20_000);
    if (!cassette) throw new Error('the recording is gone');
    const server = await startReplay();
    const model = replayModel(cassette, `${server.url}/c/${cassette.id}/0;chunk=1;delay=20`);
    const result = await Promise.all([
      model.getResponse(hello, { signal: AbortSignal.timeout(300) }).catch((error: unknown) => error),
      (async () => {
        for await (const _ of model.streamResponse(hello, { signal: AbortSignal.timeout(300) }));
      })().catch((error: unknown) => error),
    ]);
    await server.close();
    expect(result).toMatchObject([{ kind: 'aborted' }, { kind: 'aborted' }]);
  });
});

async function read(bytes: Uint8Array, error?: Error): Promise<ModelResponse | ModelError> {
  const { fetch } = endpoint(() => sseText(bytes, error));
  return answer(openaiResponses({ fetch, apiKey: 'k' }).getModel('m'), ask(), true);
}

function callsOf(result: ModelResponse | ModelError): unknown[] {
  if (result instanceof ModelError) throw result;
  return result.output.flatMap((item) => {
    if (item.type === 'custom_tool_call') return [[item['name'], item['call_id'], item['input']]];
    return item.type === 'function_call' && item.status === 'completed'
      ? [[item.name, item.call_id, parseJson(item.arguments)]]
      : [];
  });
}
