import { json, sse } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, finish, streamed } from './support/endpoint.ts';

type Entry = { [field: string]: unknown };
const entry = (...[id, name, args, index]: [string | undefined, string, unknown, number?]): Entry => ({
  ...(id !== undefined && { id }),
  ...(index !== undefined && { index }),
  function: { name, arguments: args },
});
const f = ['aaaaaaaaa', 'f', '{"x":1}'];
const g = ['bbbbbbbbb', 'g', '{}'];

/** Ways in which calls have been seen to come, delta by delta. */
const dialects: [string, Entry[][], unknown[]][] = [
  ['whole, as Mistral sends them', [[entry('aaaaaaaaa', 'f', '{"x":1}', 0), entry('bbbbbbbbb', 'g', '{}', 1)]], [f, g]],
  [
    'whole, one after the other, without numbers',
    [[entry('aaaaaaaaa', 'f', '{"x":1}')], [entry('bbbbbbbbb', 'g', '{}')]],
    [f, g],
  ],
  ['all numbered 0', [[entry('aaaaaaaaa', 'f', '{"x":1}', 0), entry('bbbbbbbbb', 'g', '{}', 0)]], [f, g]],
  ['arguments as an object', [[entry('aaaaaaaaa', 'f', { x: 1 }, 0)]], [f]],
  [
    'in pieces, as other models that Mistral serves send them',
    [
      [entry('aaaaaaaaa', 'f', '', 0)],
      [entry(undefined, '', '{"x"', 0)],
      [entry(undefined, '', ':1}', 0)],
      [entry('bbbbbbbbb', 'g', '', 1)],
      [entry(undefined, '', '{}', 1)],
    ],
    [f, g],
  ],
  [
    'in pieces that repeat id and name',
    [[entry('aaaaaaaaa', 'f', '{"x"', 0)], [entry('aaaaaaaaa', 'f', ':1}', 0)]],
    [f],
  ],
  ['with the id behind', [[entry(undefined, 'f', '{"x"', 0)], [entry('aaaaaaaaa', '', ':1}', 0)]], [f]],
  ['with the name behind', [[entry('aaaaaaaaa', '', '', 0)], [entry(undefined, 'f', '{"x":1}', 0)]], [f]],
  [
    'without ids',
    [[entry(undefined, 'f', '{"x":1}', 0)], [entry('null', 'g', '{}', 0)]],
    [
      ['call_1', 'f', '{"x":1}'],
      ['call_2', 'g', '{}'],
    ],
  ],
  ['whole and once more', [[entry('aaaaaaaaa', 'f', '{"x":1}', 0)], [entry('aaaaaaaaa', 'f', '{"x":1}', 0)]], [f]],
  ['with name and arguments beside the id', [[{ id: 'aaaaaaaaa', name: 'f', arguments: { x: 1 } }]], [f]],
  ['with nothing in them', [[], [{}], [entry('aaaaaaaaa', 'f', '{"x":1}', 0)]], [f]],
];

describe('calls', () => {
  test.each(dialects)(verifies('S5', '%s'), async (_, deltas, wanted) => {
    const chunks = deltas.map((tool_calls) => delta({ content: '', tool_calls }));
    const { events, response } = await streamed(sse([...chunks, finish('tool_calls')]));
    expect(callsOf(response.output)).toEqual(wanted);
    const told = events.flatMap((event) =>
      event.type === 'response.function_call_arguments.done' ? [event.arguments] : [],
    );
    expect(told).toEqual(wanted.map((call) => (call as string[])[2]));
  });

  test('unstreamed, with null for none', async () => {
    const { output } = await decoded(json(completion({ content: 'a', tool_calls: null })));
    expect(output.map(({ type }) => type)).toEqual(['message']);
    const calls = [entry('aaaaaaaaa', 'f', { x: 1 }), entry('null', 'g', '')];
    const whole = await decoded(json(completion({ content: null, tool_calls: calls }, 'tool_calls')));
    expect(callsOf(whole.output)).toEqual([f, ['call_2', 'g', '']]);
  });
});

function callsOf(output: readonly { type: string }[]): unknown[] {
  return (output as { type: string; call_id: string; name: string; arguments: string }[])
    .filter(({ type }) => type === 'function_call')
    .map((call) => [call.call_id, call.name, call.arguments]);
}
