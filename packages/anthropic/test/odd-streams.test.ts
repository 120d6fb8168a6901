import { folded, flattened } from '@polyrun/wires/endpoint';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { block, events, message, stream, streamed, textDelta } from './support/endpoint.ts';

const json = (partial_json: string) => ({ type: 'input_json_delta', partial_json });
const use = (id: string, input: object = {}) => ({ type: 'tool_use', id, name: 'f', input });
const text = { type: 'text', text: '' };

describe('streams of gateways that speak this wire', () => {
  test.each<[string, object[], string[]]>([
    [
      'every block numbered 0',
      [
        ...block(0, text, [textDelta('Hi')]),
        ...block(0, use('toolu_1'), [json('{"a":'), json('1}')]),
        ...block(0, use('toolu_2'), [json('{"a":2}')]),
      ],
      ['Hi', '{"a":1}', '{"a":2}'],
    ],
    ['an input at the beginning', block(0, use('toolu_1', { a: 1 })), ['{"a":1}']],
    ['an input at the beginning, and again', block(0, use('toolu_1', { a: 1 }), [json('{"a":1}')]), ['{"a":1}']],
    ['texts and thoughts whose blocks are never begun', block(0, text, [textDelta('Hi')]).slice(1), ['Hi']],
    ['citations of nothing', block(0, text, [textDelta('Hi'), { type: 'citations_delta', citation: null }]), ['Hi']],
  ])(verifies('S5', 'with %s are read, and their deltas make the final items'), async (_, blocks, texts) => {
    const { told, response } = await streamed(stream(events(blocks)));
    expect(flattened(response).map((item) => item.text)).toEqual(texts);
    expect(folded(told)).toEqual(flattened(response));
    expect(response.output.filter(({ status }) => status !== 'completed')).toEqual([]);
  });

  test('need no beginning of the message', async () => {
    const { response } = await streamed(stream(events(block(0, text, [textDelta('Hi')])).slice(1)));
    expect(response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test('may close with the mark of another wire', async () => {
    const { response } = await streamed(stream([...events(block(0, text, [textDelta('Hi')])), 'data: [DONE]\n\n']));
    expect(response.output).toMatchObject([{ content: [{ text: 'Hi' }] }]);
  });

  test('that tell a message from its beginning once more may be tried again: all of it would count twice', async () => {
    const parts = events(block(0, text, [textDelta('Hi')]));
    const twice = streamed(stream([...parts.slice(0, 4), ...parts]));
    await expect(twice).rejects.toMatchObject({ kind: 'protocol', retryable: true });
  });

  test('that only end are no answer', async () => {
    await expect(streamed(stream([{ type: 'message_stop' }]))).rejects.toMatchObject({ kind: 'protocol' });
    const { response } = await streamed(stream([{ ...message([]), type: 'message' }]));
    expect(response.output).toEqual([]);
  });
});
