import { describe, expect, test } from 'vitest';
import type { Item } from '../../src/protocol/items.ts';
import { requestView } from '../../src/transcript/view.ts';

const view = requestView({ provider: 'openai', api: 'openai-responses' });
const user: Item = { type: 'message', role: 'user', content: 'go' };
const call = (call_id: string, name = 'f'): Item => ({ type: 'function_call', call_id, name, arguments: '{}' });
const output = (call_id: string, text = 'done'): Item => ({ type: 'function_call_output', call_id, output: text });
const none = (call_id: string) => output(call_id, 'No output: this call was not completed.');
const shown = (...log: Item[]) => view(log).items;
const reported = (...log: Item[]) =>
  view(log).adaptations.map(({ type, name, detail }) => `${type} ${name}: ${detail}`);

describe('calls and outputs', () => {
  test('in order go as they are, and nothing is reported', () => {
    const log = [user, call('a'), call('b'), output('a'), output('b'), user];
    expect(shown(...log)).toEqual(log);
    expect(shown(...log).every((item, index) => item === log[index])).toBe(true);
    expect(reported(...log)).toEqual([]);
  });

  test('an unanswered call is told to be so', () => {
    expect(shown(user, call('a'), call('b'), output('b'), user)).toEqual([
      user,
      call('a'),
      call('b'),
      none('a'),
      output('b'),
      user,
    ]);
    expect(reported(user, call('a'), user)).toEqual([
      'other function_call: call a has no output; the model is told so',
    ]);
  });

  test('an output without a call, or before it, is left out', () => {
    expect(shown(user, output('x'), call('a'), output('a'))).toEqual([user, call('a'), output('a')]);
    expect(shown(output('a'), call('a'))).toEqual([call('a'), none('a')]);
    expect(reported(user, output('x'))).toEqual([
      'dropped_item function_call_output: no call stands before this output',
    ]);
  });

  test('outputs out of order are put in the order of their calls, and that is reported', () => {
    expect(shown(call('a'), call('b'), output('b', 'B'), output('a', 'A'))).toEqual([
      call('a'),
      call('b'),
      output('a', 'A'),
      output('b', 'B'),
    ]);
    expect(reported(call('a'), call('b'), output('b'), output('a'))).toEqual([
      'other function_call_output: outputs are put in the order of their calls',
    ]);
  });

  test('an output that comes late goes to its call, and the break with earlier requests has a name', () => {
    expect(shown(call('a'), user, output('a'))).toEqual([call('a'), output('a'), user]);
    expect(reported(call('a'), user, output('a'))).toEqual([
      'other function_call_output: of call a: it came late, earlier requests were told that there is none',
    ]);
  });

  test('a second output is left out', () => {
    expect(shown(call('a'), output('a', '1'), output('a', '2'))).toEqual([call('a'), output('a', '1')]);
  });
});

describe('call ids that are used again', () => {
  test('become unique; calls of one id take outputs in order', () => {
    expect(shown(call('a'), call('a'), output('a', '1'), output('a', '2'))).toEqual([
      call('a'),
      call('call_2'),
      output('a', '1'),
      output('call_2', '2'),
    ]);
  });

  test('an output belongs to the call that it stands behind, not to an earlier one', () => {
    expect(shown(call('a'), user, call('a'), output('a'))).toEqual([
      call('a'),
      none('a'),
      user,
      call('call_2'),
      output('call_2'),
    ]);
    expect(reported(call('a'), user, call('a'), output('a'))).toEqual([
      'other function_call: call a has no output; the model is told so',
    ]);
  });

  test('an earlier call of the same id is given up: it takes no output any more', () => {
    const log = [call('a'), user, call('a'), output('a', '1'), user, output('a', '2')];
    expect(shown(...log)).toEqual([call('a'), none('a'), user, call('call_2'), output('call_2', '1'), user]);
    expect(reported(call('a'), user, call('a'), user)).toHaveLength(2);
  });

  test('a call takes only an output of its kind', () => {
    const custom: Item = { type: 'custom_tool_call', call_id: 'a', name: 'c', input: 'x' };
    const answer: Item = { type: 'custom_tool_call_output', call_id: 'a', output: 'done' };
    expect(shown(call('a'), answer)).toEqual([call('a'), none('a')]);
    expect(shown(custom, output('a'), answer)).toEqual([custom, answer]);
  });

  test('the same call may get another id in another conversation', () => {
    const twice = call('a');
    expect(shown(call('a'), output('a'), twice, output('a'))).toContainEqual(call('call_2'));
    expect(shown(call('b'), output('b'), call('a'), output('a'), twice, output('a'))).toContainEqual(call('call_3'));
  });

  test('empty ones get one of their own', () => {
    expect(shown(call(''), output(''))).toEqual([call('call_1'), output('call_1')]);
  });
});

test('what is made of an item is the same object in the next view', () => {
  const log = [
    call('a'),
    user,
    call('a'),
    { ...output('a'), provider_data: { polyrun: { arguments: '{"edited":1}' } } },
    { ...call('b'), origin: { provider: 'x', api: 'y', model: 'z' }, id: 'fc_1' },
    output('b'),
    {
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'output_text', text: '' },
        { type: 'output_text', text: 'b' },
      ],
    },
    { type: 'x:thing', query: 'q', origin: { provider: 'x', api: 'y', model: 'z' } },
    { type: 'custom_tool_call', call_id: 'c', name: 'c', input: 'i', origin: { provider: 'x', api: 'y', model: 'z' } },
    { type: 'custom_tool_call_output', call_id: 'c', output: 'o' },
  ] satisfies Item[];
  const first = view(log).items;
  const next = view([...log, user]).items;
  expect(first).toHaveLength(log.length + 1);
  expect(first).toContainEqual({ ...call('call_2'), arguments: '{"edited":1}' });
  expect(next.slice(0, first.length).map((item, index) => item === first[index])).toEqual(first.map(() => true));
});

test('a provider that has the conversation gets outputs of calls that it alone knows', () => {
  expect(view([output('x'), user], true)).toEqual({ items: [output('x'), user], adaptations: [] });
});

test('a thousand calls at once, answered backwards, cost little', () => {
  const ids = Array.from({ length: 1000 }, (_, index) => `c${index}`);
  const log = [...ids.map((id) => call(id)), ...ids.toReversed().map((id) => output(id))];
  expect(shown(...log)).toEqual([...ids.map((id) => call(id)), ...ids.map((id) => output(id))]);
});
