import { expect, test } from 'vitest';
import { answered, redactor, replyTransport, serverEvents, type ReplyPiece } from '../../src/http/index.ts';
import { wireIds, type Fields } from '../../src/index.ts';

type Sent = { body: string; streamed: boolean };

/** A wire that names its events, spells errors in its own way, and streams at another address. */
function oddWire(response: () => Response) {
  const sent: Sent[] = [];
  const errorIn = ({ fault, ...data }: Fields, event?: string): Fields | undefined => {
    const { why, no }: Fields = Object(event === 'fault' ? data : fault);
    return why === undefined ? undefined : { message: why, code: no };
  };
  const facts = { provider: 'odd', redact: redactor(['secret-key']), errorIn };
  const pieces: ReplyPiece[] = [];
  const transport = replyTransport<string, readonly ReplyPiece[]>({
    provider: 'odd',
    connect: async (body, streamed) => {
      sent.push({ body, streamed });
      return { facts, post: async () => answered(response(), facts) };
    },
    accumulate: () => ({ add: (piece) => void pieces.push(piece), end: () => pieces }),
    whole: (piece) => [piece],
  });
  return { transport, sent };
}

const stream = (text: string) => () => new Response(text, { headers: { 'content-type': 'text/event-stream' } });

test('events keep their names, which end with them', async () => {
  const text = 'event: a\ndata: {"x":1}\n\nevent:b\n\ndata:{"x":2}\r\nevent:c\r\n\r\ndata: {"x":3}';
  const { body } = stream(text)();
  const events = body ? await all(serverEvents(body)) : [];
  expect(events).toEqual([{ event: 'a', data: '{"x":1}' }, { event: 'c', data: '{"x":2}' }, { data: '{"x":3}' }]);
});

test('a wire is told whether a stream is asked for, and gets the names of events', async () => {
  const { transport, sent } = oddWire(stream('event: say\ndata: {"more":"Hi"}\n\n'));
  expect(await all(transport.open('asked', {}))).toEqual([{ event: 'say', data: { more: 'Hi' } }]);
  expect(await transport.send('asked', {})).toEqual([{ event: 'say', data: { more: 'Hi' } }]);
  expect(sent.map(({ streamed }) => streamed)).toEqual([true, false]);
});

test.for([
  ['of a status', () => new Response('{"fault":{"why":"Too fast for secret-key.","no":"E17"}}', { status: 429 })],
  [
    'in the place of an answer',
    () => new Response('{"fault":{"why":"Too many, too fast for secret-key.","no":"E17"}}'),
  ],
  [
    'in the middle of a stream',
    stream('event: fault\ndata: {"why":"Too many, too fast for secret-key.","no":"E17"}\n\n'),
  ],
] as const)('an error that a wire spells in its own way, %s, is named and redacted', async ([, response]) => {
  const { transport } = oddWire(response);
  await expect(transport.send('asked', {})).rejects.toMatchObject({
    kind: 'rate_limit',
    message: expect.stringMatching(/^odd answered .*\(E17\): Too .*fast for \[redacted\]\.$/),
  });
});

test('what is no JSON is quoted with its status', async () => {
  const { transport } = oddWire(() => new Response('Bad gateway', { status: 502 }));
  await expect(transport.send('asked', {})).rejects.toMatchObject({
    kind: 'server',
    status: 502,
    message: expect.stringContaining('Bad gateway'),
  });
});

test('ids for a wire that takes six digits are found at once, and are its own', () => {
  const id = wireIds({ legal: /^\d{6}$/, length: 6 });
  const asked = Array.from({ length: 500 }, (_, index) => `call_${index}`);
  const made = asked.map(id);
  expect(new Set(made).size).toBe(500);
  expect(made.filter((each) => !/^\d{6}$/.test(each))).toEqual([]);
  expect(asked.map(id)).toEqual(made);
});

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}
