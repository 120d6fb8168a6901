import { describe, expect, test } from 'vitest';
import { json, sse } from '@polyrun/wires/endpoint';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, finish, streamed } from './support/endpoint.ts';

const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
const contents = {
  text: { content: 'a' },
  nothing: { content: null },
  'one call': { content: null, tool_calls: [call('a')] },
  'two calls': { content: 'a', tool_calls: [call('a'), call('b')] },
  'a refusal': { content: null, refusal: 'No.' },
  'a refusal and text': { content: 'a', refusal: 'No.' },
} as const;
type Content = keyof typeof contents;
type Message = { content: string | null; tool_calls?: readonly object[] };

const byContent: { readonly [content in Content]: string } = {
  text: 'end',
  nothing: 'end',
  'one call': 'tool_calls',
  'two calls': 'tool_calls',
  'a refusal': 'refusal',
  'a refusal and text': 'end',
};
const always = (type: string) => Object.fromEntries(Object.keys(contents).map((content) => [content, type]));

/** What each reason comes to. Reasons that are empty, unknown or contradicted by the content follow the content. */
const reasons: readonly (readonly [string | null, { readonly [content: string]: string }])[] = [
  ['stop', byContent],
  ['tool_calls', byContent],
  ['function_call', byContent],
  ['', byContent],
  [null, byContent],
  ['eos', byContent],
  ['length', always('length')],
  ['max_tokens', always('length')],
  ['content_filter', always('content_filter')],
  ['SAFETY', always('content_filter')],
  ['refusal', always('refusal')],
  ['pause_turn', always('pause')],
  ['cancelled', always('other')],
];
const table = reasons.flatMap(([reason, types]) =>
  (Object.keys(contents) as Content[]).map((content) => ({ reason, content, type: types[content] })),
);

describe('why an answer ended', () => {
  test.each(table)(verifies('E1', '$reason with $content is $type'), async ({ reason, content, type }) => {
    const { stop } = await decoded(json(completion(contents[content], reason)));
    expect(stop).toEqual({ type, raw: reason });
  });

  test.each(table.filter(({ reason }) => reason !== ''))(
    verifies('E1', 'streamed, $reason with $content is $type'),
    async ({ reason, content, type }) => {
      const { tool_calls = [], ...fields }: Message = contents[content];
      const calls = tool_calls.map((entry, index) => delta({ tool_calls: [{ ...entry, index }] }));
      const { response } = await streamed(sse([delta(fields), ...calls, finish(reason)]));
      expect(response.stop).toEqual({ type, raw: reason });
    },
  );

  test.each(['error', 'network_error', 'insufficient_system_resource'])(
    verifies('E1', '%s is a failure, not an answer'),
    async (reason) => {
      const failure = { kind: 'server', retryable: true };
      await expect(decoded(json(completion({ content: 'a' }, reason)))).rejects.toMatchObject(failure);
      await expect(streamed(sse([delta({ content: 'a' }), finish(reason)]))).rejects.toMatchObject(failure);
    },
  );
});

describe('an id that the server did not give', () => {
  test(verifies('V2', 'is made for the events and never told as the id of the response'), async () => {
    const nameless = { model: 'm', choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }] };
    const { events, response } = await streamed(sse([nameless]));
    expect(response.id).toBeUndefined();
    const ids = events.flatMap((event) => ('response' in event ? [Reflect.get(Object(event.response), 'id')] : []));
    expect(ids[0]).toMatch(/^local_/);
    expect(ids.at(-1)).toBeUndefined();
    const { id: _, ...whole } = completion({ content: 'a' }) as { id: string };
    expect((await decoded(json(whole))).id).toBeUndefined();
  });

  test('is the server’s own where there is one', async () => {
    const { events, response } = await streamed(sse([delta({ content: 'a' }), finish('stop')]));
    expect(response.id).toBe('c1');
    expect(events.at(-2)).toMatchObject({ type: 'response.completed', response: { id: 'c1' } });
  });
});
