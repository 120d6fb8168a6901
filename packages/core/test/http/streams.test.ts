import { describe, expect, test } from 'vitest';
import { eventOf, redactor, repliesIn, serverEvents } from '../../src/http/index.ts';

const facts = { provider: 'odd', redact: redactor() };

describe('the lines of a stream', () => {
  test.each(['\n', '\r\n', '\r'])('end with %j, wherever the pieces that it comes in end', async (end) => {
    const text = ['event: a', 'data: 1', 'data: 2', '', ': comment', 'data: 3', '', ''].join(end);
    for (let at = 1; at < text.length; at++) {
      const events = await all(serverEvents(bodyOf([text.slice(0, at), text.slice(at)])));
      expect(events).toEqual([{ event: 'a', data: '1\n2' }, { data: '3' }]);
    }
  });
});

describe('the events of a stream', () => {
  test('that hold nothing are left out', async () => {
    expect(await dataIn('data:\n\ndata: {"x":1}\n\ndata:  \n\n')).toEqual([{ x: 1 }]);
  });

  test('end with the mark of a wire, which is the last of them, and with the usual one on wires without', async () => {
    const text = 'data: {"x":1}\n\ndata: [DONE] \n\ndata: {"x":2}\n\n';
    expect(await dataIn(text, '[DONE]')).toEqual([{ x: 1 }, '[DONE]']);
    expect(await dataIn(text)).toEqual([{ x: 1 }]);
  });

  test.each([
    ['data: {\n  "x": 1\n}\n\n', { data: { x: 1 } }],
    ['{"x":1}', { data: { x: 1 }, whole: true }],
    ['{\n  "x": [\n    1\n  ]\n}\n', { data: { x: [1] }, whole: true }],
  ])('%j: JSON needs no name of a field, and is all there is where none has one', async (text, piece) => {
    const reply = new Response(text, { headers: { 'content-type': 'text/event-stream' } });
    expect(await all(repliesIn(reply, facts))).toEqual([piece]);
  });

  test('have words of their own, which make no error of them', async () => {
    const event = { type: 'response.progress', message: 'Still at work', detail: 'Too many tokens' };
    expect(await dataIn(`data: ${JSON.stringify(event)}\n\n`)).toEqual([event]);
  });

  test('are of the type that their data tell, else of the one that the stream tells', () => {
    expect(eventOf({ event: 'a', data: { x: 1 } })).toEqual({ type: 'a', x: 1 });
    expect(eventOf({ event: 'a', data: { type: 'b' } })).toEqual({ type: 'b' });
    expect(eventOf({ data: 'words' })).toEqual({});
  });

  test.each<[string, string, object]>([
    ['named so', 'event: error\ndata: {"message":"Boom","code":500}', { kind: 'server', message: /Boom/ }],
    [
      'in a choice',
      'data: {"choices":[{"error":{"message":"Slow down","code":429},"delta":{}}]}',
      { kind: 'rate_limit', status: 429, message: /Slow down/ },
    ],
    ['named so, in words alone', 'event: error\ndata: Too many of you', { kind: 'rate_limit', message: /Too many/ }],
    [
      'in a field of that name',
      'error: {"message":"Boom","code":500}',
      { kind: 'server', status: 500, message: /Boom/ },
    ],
    ['in Groq’s field', 'data: {"x_groq":{"error":"over_capacity"}}', { kind: 'overloaded', message: /over_capacity/ }],
    ['in words beside nothing', 'data: {"detail":"Boom","code":503}', { kind: 'overloaded', message: /Boom/ }],
    [
      'with Hugging Face’s status',
      'data: {"error":{"message":"No","http_status_code":422}}',
      { kind: 'invalid_request', status: 422, message: /No/ },
    ],
    [
      'in a list',
      'data: [{"error":{"message":"No such model","code":404}}]',
      { kind: 'not_found', message: /No such/ },
    ],
  ])('are errors: %s', async (_, text, wanted) => {
    const { message, ...fields } = wanted as { message: RegExp };
    await expect(dataIn(`${text}\n\n`)).rejects.toMatchObject({ ...fields, message: expect.stringMatching(message) });
  });
});

describe('a reply', () => {
  test.each(['application/json', 'text/plain', ''])('called %j is a stream when it reads like one', async (type) => {
    for (const text of ['data: {"x":1}\n\n', ': working\n\ndata: {"x":1}', '\n\nevent: a\ndata: {"x":1}\n\n']) {
      const reply = new Response(new TextEncoder().encode(text), { headers: { 'content-type': type } });
      expect(await all(repliesIn(reply, facts))).toMatchObject([{ data: { x: 1 } }]);
    }
  });

  test.each([
    { error: {} },
    { error: null },
    { error: '', message: { content: 'Hi' } },
    { choices: [], message: 'Hi' },
  ])('%j is no error', async (body) => {
    expect(await all(repliesIn(new Response(JSON.stringify(body)), facts))).toEqual([{ data: body, whole: true }]);
  });
});

async function dataIn(text: string, mark?: string): Promise<unknown[]> {
  const response = new Response(text, { headers: { 'content-type': 'text/event-stream' } });
  return (await all(repliesIn(response, facts, mark))).map(({ data }) => data);
}

function bodyOf(pieces: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}
