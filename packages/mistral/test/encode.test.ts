import type { Item, MessagePart } from '@polyrun/core';
import { ask } from '@polyrun/wires/endpoint';
import { grammarProblems } from '@polyrun/wires/mistral';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { requestEncoder } from '../src/encode.ts';
import { capabilitiesOf, familyOf } from '../src/families.ts';
import { encoded, type WireMessage } from './support/endpoint.ts';

const origin = { provider: 'mistral', api: 'mistral', model: 'mistral-small-latest' };
const user = (content: string): Item => ({ type: 'message', role: 'user', content });
const said = (content: string): Item => ({ type: 'message', role: 'assistant', content });
const call = (call_id: string, args = '{}'): Item => ({ type: 'function_call', call_id, name: 'f', arguments: args });
const output = (call_id: string, text = 'done'): Item => ({ type: 'function_call_output', call_id, output: text });
const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==' } as const;

function callsIn(message: WireMessage | undefined): { id: string }[] {
  return (message?.['tool_calls'] ?? []) as { id: string }[];
}

describe('messages', () => {
  test('a turn of the model is one message, its outputs follow in order', async () => {
    const { messages } = await encoded(
      ask({
        instructions: 'Be brief.',
        input: [
          user('go'),
          said('Looking'),
          call('aaaaaaaaa', '{"x":1}'),
          call('b', ''),
          output('b'),
          output('aaaaaaaaa'),
        ],
      }),
    );
    const [, , assistant, first, second] = messages;
    const ids = callsIn(assistant).map(({ id }) => id);
    expect(messages[0]).toEqual({ role: 'system', content: 'Be brief.' });
    expect(assistant).toEqual({
      role: 'assistant',
      content: 'Looking',
      tool_calls: [
        { id: 'aaaaaaaaa', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
        { id: ids[1], type: 'function', function: { name: 'f', arguments: '{}' } },
      ],
    });
    expect(ids[1]).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect([first, second].map((message) => message?.['tool_call_id'])).toEqual(ids);
  });

  test('ids of calls stay apart, whatever they are', async () => {
    const ids = Array.from({ length: 300 }, (_, n) => `call_${'x'.repeat(n % 7)}${n}`);
    const { messages, body } = await encoded(
      ask({ input: [user('go'), ...ids.map((id) => call(id)), ...ids.map((id) => output(id, id))] }),
    );
    const wire = callsIn(messages[1]).map(({ id }) => id);
    expect(new Set(wire).size).toBe(300);
    expect(messages.slice(2).map(({ tool_call_id, content }) => [tool_call_id, content])).toEqual(
      wire.map((id, index) => [id, ids[index]]),
    );
    expect(grammarProblems(body)).toEqual([]);
  });

  test('names and arguments that the API refuses are made legal, and reported', async () => {
    const bad = { ...call('a', '{"x":'), name: 'functions.my tool:0' } as Item;
    const { messages, response } = await encoded(ask({ input: [user('go'), bad, output('a')] }));
    const [sent] = callsIn(messages[1]);
    expect(sent).toMatchObject({ function: { name: 'functions_my_tool_0', arguments: '{}' } });
    expect(response.adaptations).toMatchObject([{ name: 'function_call' }, { name: 'function_call' }]);
  });

  test(
    verifies('T9', 'media in outputs go to the user behind all outputs, with a word of the model between'),
    async () => {
      const pdf = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } as const;
      const { messages, response } = await encoded(
        ask({
          input: [
            user('go'),
            call('aaaaaaaaa'),
            call('bbbbbbbbb'),
            {
              type: 'function_call_output',
              call_id: 'aaaaaaaaa',
              output: [{ type: 'input_text', text: 'see' }, image],
            },
            { type: 'function_call_output', call_id: 'bbbbbbbbb', output: [pdf] },
          ],
        }),
      );
      expect(messages.slice(2)).toEqual([
        { role: 'tool', tool_call_id: 'aaaaaaaaa', content: 'see' },
        { role: 'tool', tool_call_id: 'bbbbbbbbb', content: '(see the next user message)' },
        { role: 'assistant', content: 'OK.' },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: image.image_url } },
            { type: 'document_url', document_url: 'data:application/pdf;base64,AA==', document_name: 'a.pdf' },
          ],
        },
      ]);
      expect(response.adaptations.map(({ type }) => type)).toEqual(['moved_media', 'moved_media', 'added_message']);
    },
  );

  test('an output of nothing says so', async () => {
    const { messages, response } = await encoded(ask({ input: [user('go'), call('a'), output('a', '')] }));
    expect(messages.at(-1)?.['content']).toBe('(no output)');
    expect(response.adaptations).toHaveLength(1);
  });

  test.each<[string, Item[], unknown[], string[]]>([
    [
      'the user after a tool',
      [user('go'), call('a'), output('a'), user('so?')],
      ['user', 'assistant', 'tool', 'assistant', 'user'],
      ['assistant'],
    ],
    ['the last word of the model', [user('go'), said('Yes.')], ['user', 'assistant', 'user'], ['user']],
    ['nothing at all', [], ['user'], ['user']],
    [
      'the system in the middle',
      [user('go'), said('Yes.'), { type: 'message', role: 'developer', content: 'Be brief.' }],
      ['user', 'assistant', 'user'],
      ['system'],
    ],
    [
      'the system at the start',
      [{ type: 'message', role: 'developer', content: 'Be brief.' }, user('go')],
      ['system', 'user'],
      [],
    ],
    ['two users', [user('go'), user('on')], ['user', 'user'], []],
  ])(verifies('X1', '%s: the smallest legal change, and a report'), async (...[, input, roles, reports]) => {
    const { messages, body, response } = await encoded(ask({ input }));
    expect(messages.map(({ role }) => role)).toEqual(roles);
    expect(response.adaptations.map(({ name }) => name)).toEqual(reports);
    expect(grammarProblems(body)).toEqual([]);
  });

  test('the answer begins with the last message where that is asked for, by the item or by the option', async () => {
    const begun: Item = {
      type: 'message',
      role: 'assistant',
      content: '{"a":',
      provider_data: { mistral: { prefix: true } },
    };
    const byItem = await encoded(ask({ input: [user('go'), begun] }));
    const option = { providerOptions: { mistral: { prefix: true, safe_prompt: true } } };
    const byOption = await encoded(ask({ input: [user('go'), said('{"a":')], settings: option }));
    const earlier = await encoded(ask({ input: [user('go'), begun, user('on')] }));
    const expected = { role: 'assistant', content: '{"a":', prefix: true };
    expect([byItem.messages.at(-1), byOption.messages.at(-1)]).toEqual([expected, expected]);
    expect(byOption.body).toMatchObject({ safe_prompt: true });
    expect(byOption.body).not.toHaveProperty('prefix');
    expect(JSON.stringify(earlier.messages)).not.toContain('prefix');
    for (const { body } of [byItem, byOption, earlier]) expect(grammarProblems(body)).toEqual([]);
  });
});

describe('parts of the user', () => {
  const parts: MessagePart[] = [
    { type: 'input_text', text: 'What is this?' },
    { type: 'input_image', image_url: 'https://a.test/a.png', detail: 'low' },
    { type: 'input_file', file_url: 'https://a.test/b.pdf', filename: 'b.pdf' },
    { type: 'input_file', file_data: 'AA==' },
    { type: 'input_file', file_id: 'file-1' },
    { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
  ];
  const message: Item = { type: 'message', role: 'user', content: parts };

  test('are sent as the wire spells them', async () => {
    const { messages, body, response } = await encoded(ask({ input: [message] }));
    expect(messages[0]?.['content']).toEqual([
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'https://a.test/a.png', detail: 'low' } },
      { type: 'document_url', document_url: 'https://a.test/b.pdf', document_name: 'b.pdf' },
      { type: 'document_url', document_url: 'data:application/pdf;base64,AA==' },
      { type: 'file', file_id: 'file-1' },
      { type: 'input_audio', input_audio: 'AA==' },
    ]);
    expect(response.adaptations).toEqual([]);
    expect(grammarProblems(body)).toEqual([]);
  });

  test('are described and reported where the model does not take them', async () => {
    const { messages, response } = await encoded(ask({ input: [message] }), { model: 'codestral-latest' });
    const content = messages[0]?.['content'] as { text?: string }[];
    expect(content.flatMap(({ text }) => text ?? [])).toEqual([
      'What is this?',
      '[image left out]',
      '[audio left out]',
    ]);
    expect(response.adaptations.map(({ name }) => name)).toEqual(['input_image', 'input_audio']);
  });
});

describe('what is its own', () => {
  test(verifies('X2', 'thinking goes back only to who thought it'), async () => {
    const thought = (from: object): Item => ({
      type: 'reasoning',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'Hm' }],
      provider_data: { mistral: { chunk: { closed: true, signature: 's1' } } },
      ...from,
    });
    const foreign = { origin: { provider: 'deepseek', api: 'chat-completions', model: 'deepseek-reasoner' } };
    const mine = await encoded(ask({ input: [user('go'), thought({ origin }), said('So'), user('on')] }));
    const theirs = await encoded(ask({ input: [user('go'), thought(foreign), said('So'), user('on')] }));
    const refusing = await encoded(ask({ input: [user('go'), thought({ origin }), said('So'), user('on')] }), {
      model: 'codestral-latest',
    });
    expect(mine.messages[1]?.['content']).toEqual([
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }], closed: true, signature: 's1' },
      { type: 'text', text: 'So' },
    ]);
    expect(theirs.messages[1]).toEqual({ role: 'assistant', content: 'So' });
    expect(refusing.messages[1]).toEqual({ role: 'assistant', content: 'So' });
    expect(theirs.response.adaptations).toMatchObject([{ type: 'dropped_item', name: 'reasoning' }]);
  });

  test(verifies('X3', 'thinking stays with the calls that it led to'), async () => {
    const thinking: Item = {
      type: 'reasoning',
      origin,
      summary: [],
      content: [{ type: 'reasoning_text', text: 'Hm' }],
    };
    const { messages, body } = await encoded(
      ask({ input: [user('go'), thinking, call('aaaaaaaaa'), output('aaaaaaaaa')] }),
    );
    expect(messages[1]).toMatchObject({
      content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }],
      tool_calls: [{ id: 'aaaaaaaaa' }],
    });
    expect(grammarProblems(body)).toEqual([]);
  });

  test('an item is converted once, and what was adapted is told each time', () => {
    let read = 0;
    const item: Item = {
      type: 'function_call_output',
      call_id: 'a',
      get output() {
        read++;
        return '';
      },
    };
    const family = familyOf('m');
    const encode = requestEncoder({ provider: 'mistral', model: 'm', family }, capabilitiesOf('m', []));
    const first = encode(ask({ input: [user('go'), call('a'), item] }));
    const once = read;
    const next = encode(ask({ input: [user('go'), call('a'), item, said('Yes.'), user('on')] }));
    expect([once > 0, read]).toEqual([true, once]);
    expect(next.adaptations).toEqual(first.adaptations);
    expect(next.body.messages.slice(0, first.body.messages.length)).toEqual(first.body.messages);
  });
});

test.each(['conversationId', 'previousResponseId'] as const)(
  verifies('V2', '%s is refused before the request'),
  async (field) => {
    await expect(encoded(ask({ [field]: 'x' }))).rejects.toThrow(new RegExp(`^${field}: .* no state on the server`));
  },
);
