import type { ModelResponse } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { delta, finish, streamed } from './support/endpoint.ts';
import { flattened, folded, sse } from '@polyrun/wires/endpoint';

type Piece = { [field: string]: unknown };
const call = (...pieces: Piece[]) => pieces.map((piece) => delta({ tool_calls: [piece] }));
const named = (name: string, args: unknown, more: Piece = {}): Piece => ({
  ...more,
  function: { name, arguments: args },
});
const args = (text: string, more: Piece = {}): Piece => ({ ...more, function: { arguments: text } });

const weather = ['get_weather', '{"city":"Paris"}'];
const time = ['get_time', '{"zone":"CET"}'];

describe('tool calls of every dialect come out the same', () => {
  test.each<[string, object[], (string | undefined)[][]]>([
    [
      'as documented',
      call(
        named('get_weather', '', { index: 0, id: 'a' }),
        args('{"city":', { index: 0 }),
        args('"Paris"}', { index: 0 }),
      ),
      [weather],
    ],
    ['without index', call(named('get_weather', '{"city":', { id: 'a' }), args('"Paris"}', { id: 'a' })), [weather]],
    ['without index or id', call(named('get_weather', '{"city":'), args('"Paris"}')), [weather]],
    [
      'whole, without index or id',
      call(named('get_weather', '{"city":"Paris"}'), named('get_time', '{"zone":"CET"}')),
      [weather, time],
    ],
    [
      'whole, without index, one id for both',
      call(named('get_weather', '{"city":"Paris"}', { id: 'a' }), named('get_time', '{"zone":"CET"}', { id: 'a' })),
      [weather, time],
    ],
    [
      'whole, every index 0',
      call(
        named('get_weather', '{"city":"Paris"}', { index: 0, id: 'a' }),
        named('get_time', '{"zone":"CET"}', { index: 0, id: 'b' }),
      ),
      [weather, time],
    ],
    [
      'whole, every index 0, without ids',
      call(
        named('get_weather', '{"city":"Paris"}', { index: 0 }),
        named('get_time', '{"zone":"CET"}', { index: 0, id: '' }),
      ),
      [weather, time],
    ],
    [
      'whole, every index 0, without ids, one name for both',
      call(
        named('get_weather', '{"city":"Paris"}', { index: 0 }),
        named('get_weather', '{"city":"Oslo"}', { index: 0 }),
      ),
      [weather, ['get_weather', '{"city":"Oslo"}']],
    ],
    [
      'without arguments, every index 0, without ids',
      call(named('get_weather', '{}', { index: 0 }), named('get_time', '{}', { index: 0 })),
      [
        ['get_weather', '{}'],
        ['get_time', '{}'],
      ],
    ],
    [
      'both in one delta',
      [
        delta({
          tool_calls: [
            named('get_weather', '{"city":"Paris"}', { index: 0, id: 'a' }),
            named('get_time', '{"zone":"CET"}', { index: 1, id: 'b' }),
          ],
        }),
      ],
      [weather, time],
    ],
    [
      'the name late',
      call({ index: 0, id: 'a' }, args('{"city":', { index: 0 }), named('get_weather', '"Paris"}', { index: 0 })),
      [weather],
    ],
    [
      'the name in pieces',
      call(
        named('get_', '', { index: 0, id: 'a' }),
        named('weather', '', { index: 0 }),
        args('{"city":"Paris"}', { index: 0 }),
      ),
      [weather],
    ],
    [
      'the name repeated',
      call(
        named('get_weather', '{"city":', { index: 0, id: 'a' }),
        named('get_weather', '"Paris"}', { index: 0, id: 'a' }),
      ),
      [weather],
    ],
    [
      'the name repeated, without index',
      call(named('get_weather', '{"city":'), named('get_weather', '"Paris"}')),
      [weather],
    ],
    [
      'the call repeated',
      call(
        named('get_weather', '{"city":"Paris"}', { index: 0, id: 'a' }),
        named('get_weather', '{"city":"Paris"}', { index: 0, id: 'a' }),
      ),
      [weather],
    ],
    [
      'the call repeated, without index',
      call(
        named('get_weather', '{"city":"Paris"}', { id: 'a' }),
        named('get_weather', '{"city":"Paris"}', { id: 'a' }),
      ),
      [weather],
    ],
    ['arguments as an object', call(named('get_weather', { city: 'Paris' }, { index: 0, id: 'a' })), [weather]],
    [
      'the name once more at the end, without id',
      call(
        named('get_weather', '{"city":', { index: 0, id: 'a' }),
        args('"Paris"}', { index: 0 }),
        named('get_weather', '', { index: 0 }),
      ),
      [weather],
    ],
    [
      'another id for every piece',
      call(
        named('get_weather', '', { index: 0, id: 'a' }),
        named(null as never, '{"city":', { index: 0, id: 'b' }),
        args('"Paris"}', { index: 0, id: 'c' }),
      ),
      [weather],
    ],
    [
      'name and arguments beside the id, as Cloudflare has them',
      call({ index: 0, id: 'a', name: 'get_weather', arguments: { city: 'Paris' } }),
      [weather],
    ],
    [
      'arguments announced as {}, name repeated, without id',
      call(
        named('get_weather', '{}', { index: 0 }),
        named('get_weather', '{"city":', { index: 0 }),
        args('"Paris"}', { index: 0 }),
      ),
      [weather],
    ],
    [
      'arguments announced as {}',
      call(
        named('get_weather', '{}', { index: 0, id: 'a' }),
        args('{"city":', { index: 0 }),
        args('"Paris"}', { index: 0 }),
      ),
      [weather],
    ],
    ['arguments null', call(named('get_weather', null, { index: 0, id: 'a' })), [['get_weather', '']]],
    ['arguments missing', call({ index: 0, id: 'a', function: { name: 'get_weather' } }), [['get_weather', '']]],
    ['no arguments at all', call(named('get_weather', '{}', { index: 0, id: 'a' })), [['get_weather', '{}']]],
    [
      'beginning at index 1',
      call(named('get_weather', '', { index: 1, id: 'a' }), args('{"city":"Paris"}', { index: 1 })),
      [weather],
    ],
    [
      'pieces out of order',
      call(
        named('get_weather', '{"city":', { index: 0, id: 'a' }),
        named('get_time', '{"zone":', { index: 1, id: 'b' }),
        args('"Paris"}', { index: 0 }),
        args('"CET"}', { index: 1 }),
      ),
      [weather, time],
    ],
    [
      'the first without arguments so far',
      call(
        named('get_weather', '', { index: 0, id: 'a' }),
        named('get_time', '{"zone":"CET"}', { index: 1, id: 'b' }),
        args('{"city":"Paris"}', { index: 0 }),
      ),
      [weather, time],
    ],
    [
      'empty lists and entries between',
      [
        delta({ tool_calls: [] }),
        delta({ tool_calls: null }),
        ...call({}, named('get_weather', '{"city":"Paris"}', { index: 0, id: 'a' })),
        delta({ tool_calls: [] }),
      ],
      [weather],
    ],
    [
      'as a legacy function call',
      [
        delta({ function_call: { name: 'get_weather', arguments: '{"city":' } }),
        delta({ function_call: { arguments: '"Paris"}' } }),
      ],
      [weather],
    ],
  ])('%s', async (_, chunks, wanted) => {
    const { events, response } = await streamed(sse([...chunks, finish('tool_calls'), finish('tool_calls')]));
    expect(calls(response)).toEqual(wanted);
    expect(folded(events)).toEqual(flattened(response));
    expect(new Set(callIds(response)).size).toBe(wanted.length);
    expect(callIds(response)).not.toContain('');
    expect(response.stop).toEqual({ type: 'tool_calls', raw: 'tool_calls' });
  });
});

function calls(response: ModelResponse): (string | undefined)[][] {
  return response.output.flatMap((item) => (item.type === 'function_call' ? [[item.name, item.arguments]] : []));
}

function callIds(response: ModelResponse): string[] {
  return response.output.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : []));
}
