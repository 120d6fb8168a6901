import type { Item } from '@polyrun/core';
import { corpusMissing } from '@polyrun/wires/corpus';
import { ask } from '@polyrun/wires/endpoint';
import { log, numbers, turnOf } from '@polyrun/wires/logs';
import { grammarProblems } from '@polyrun/wires/mistral';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';
import { mistralCassettes } from './support/wire.ts';

describe('whatever the log holds', () => {
  test.each(['m', 'magistral-medium-2507', 'voxtral-small-latest', 'codestral-latest'])(
    verifies('X1', 'the request obeys the wire (%s)'),
    async (model) => {
      const next = numbers(7);
      for (let round = 0; round < 400; round++) {
        const input = withOwn(log(next), next);
        const { body } = await encoded(ask({ input, instructions: round % 2 ? 'Be brief.' : '' }), { model });
        expect(grammarProblems(body), JSON.stringify(input)).toEqual([]);
      }
    },
  );

  test(verifies('X2', 'nothing that only another issuer can read is sent'), async () => {
    const next = numbers(11);
    const told = new Set<string>();
    for (let round = 0; round < 400; round++) {
      const { body } = await encoded(ask({ input: log(next) }), { model: 'magistral-medium-latest' });
      for (const [, issuer = ''] of JSON.stringify(body).matchAll(/secret-of-(.*?)-x+/g)) told.add(issuer);
    }
    expect([...told].filter((issuer) => issuer !== 'mistral-mistral')).toEqual([]);
  });
});

const origin = { provider: 'mistral', api: 'mistral', model: 'mistral-small-latest' };
/** What this wire leaves in a conversation. */
const own: readonly Item[] = [
  {
    type: 'mistral:tool_execution',
    origin,
    name: 'web_search',
    arguments: '{}',
    output: 'A',
    data: { id: 'x', result: 'A' },
  },
  { type: 'mistral:tool_execution', origin, name: 'run', arguments: '', data: { id: 'y' } },
  { type: 'mistral:image_url', origin, data: { type: 'image_url', image_url: 'https://a.test/a.png' } },
  { type: 'mistral:thing', origin, data: 1 },
  {
    type: 'reasoning',
    origin,
    summary: [],
    content: [{ type: 'reasoning_text', text: 'Hm' }],
    provider_data: { mistral: { chunk: { closed: true, signature: 's' } } },
  },
  {
    type: 'message',
    role: 'assistant',
    origin,
    content: [{ type: 'output_text', text: 'So.' }],
    provider_data: {
      mistral: {
        prefix: true,
        chunks: [
          { type: 'text', text: 'So.' },
          { type: 'reference', reference_ids: [0] },
        ],
      },
    },
  },
  { type: 'function_call', origin, call_id: 'é', name: 'my.tool', arguments: '{}' },
];

function withOwn(items: readonly Item[], next: () => number): Item[] {
  return items.flatMap((item) => (next() < 0.3 ? [item, ...own.slice(Math.floor(next() * own.length))] : [item]));
}

describe('a request is the beginning of the next one', () => {
  test(verifies('X4', 'turn by turn, so that prompt caches live'), async () => {
    const next = numbers(3);
    for (let round = 0; round < 50; round++) {
      const input: Item[] = [{ type: 'message', role: 'user', content: 'go' }];
      let earlier: unknown[] = [];
      for (let turn = 0; turn < 6; turn++) {
        const { messages } = await encoded(ask({ instructions: 'Be brief.', input }));
        expect(messages.slice(0, earlier.length)).toEqual(earlier);
        earlier = messages;
        input.push(...turnOf(turn, next));
      }
    }
  });
});

type Body = { messages: { [field: string]: unknown }[]; [field: string]: unknown };

/** What the API is documented or known to refuse, as a change of a request that it takes. */
const refused: [string, (body: Body) => void][] = [
  ['no messages', (body) => void (body.messages = [])],
  ['no model', (body) => void delete body['model']],
  ['an unknown field', (body) => void (body['max_completion_tokens'] = 1)],
  ['an unknown field of a message', ({ messages }) => void Object.assign(messages[0] ?? {}, { name: 'me' })],
  ['reasoning in a field', (body) => void Object.assign(assistant(body), { reasoning_content: 'Hm' })],
  ['an unknown role', ({ messages }) => void Object.assign(messages[0] ?? {}, { role: 'developer' })],
  [
    'a tool that nobody called',
    ({ messages }) => void messages.splice(2, 1, said('tool', 'x', { tool_call_id: 'abcdefghi' })),
  ],
  ['an unanswered call', ({ messages }) => void messages.splice(3, 1)],
  ['an answer twice', ({ messages }) => void messages.splice(4, 0, messages[3] ?? {})],
  ['the user after a tool', ({ messages }) => void messages.splice(4, 1)],
  ['the system in the middle', ({ messages }) => void messages.splice(5, 0, said('system', 'x'))],
  ['the system at the end', ({ messages }) => void messages.push(said('system', 'x'))],
  ['the model at the end', ({ messages }) => void messages.push(said('assistant', 'x'))],
  ['a prefix in the middle', (body) => void Object.assign(assistant(body), { prefix: true })],
  ['a model that says nothing', (body) => void Object.assign(assistant(body), { content: '', tool_calls: [] })],
  ['an empty user message', ({ messages }) => void Object.assign(messages[1] ?? {}, { content: [] })],
  ['an empty text', ({ messages }) => void Object.assign(messages[1] ?? {}, { content: [{ type: 'text', text: '' }] })],
  ['an unknown chunk', ({ messages }) => void Object.assign(messages[1] ?? {}, { content: [{ type: 'video_url' }] })],
  [
    'audio as an object',
    ({ messages }) =>
      void Object.assign(messages[1] ?? {}, { content: [{ type: 'input_audio', input_audio: { data: 'AA' } }] }),
  ],
  ['an illegal call id', (body) => rename(body, 'call_abc')],
  ['a call id that is too long', (body) => rename(body, 'abcdefghij')],
  ['an illegal name', (body) => void (call(body).function['name'] = 'my tool')],
  ['arguments that are no JSON', (body) => void (call(body).function['arguments'] = '{"a')],
  ['arguments that are no object', (body) => void (call(body).function['arguments'] = '[1]')],
  ['a temperature that is too high', (body) => void (body['temperature'] = 2)],
  ['a broken seed', (body) => void (body['random_seed'] = 1.5)],
  ['a forced tool without tools', (body) => void delete body['tools']],
  [
    'a tool choice that nobody offers',
    (body) => void (body['tool_choice'] = { type: 'function', function: { name: 'g' } }),
  ],
  ['an unknown hosted tool', (body) => void (body['tools'] as object[]).push({ type: 'file_search' })],
  ['a schema together with tools', (body) => void (body['response_format'] = { type: 'json_object' })],
  ['an unknown effort', (body) => void (body['reasoning_effort'] = 'max')],
];

describe('the grammar', () => {
  test('takes a request that is right', () => {
    expect(grammarProblems(legal())).toEqual([]);
  });

  test.each(refused)('sees %s', (_, change) => {
    const body = legal();
    change(body);
    expect(grammarProblems(body)).not.toEqual([]);
  });

  test.skipIf(corpusMissing !== undefined)('sees what is wrong in recorded requests once they are broken', () => {
    const bodies = mistralCassettes().flatMap(({ exchanges }) =>
      exchanges.flatMap(({ request }) => (request ? [request.body] : [])),
    );
    for (const body of bodies) {
      const { messages } = structuredClone(body) as Body;
      expect(grammarProblems({ ...body, messages: [...messages, said('assistant', 'x')] })).not.toEqual([]);
      expect(grammarProblems({ ...body, messages: [said('tool', 'x'), ...messages] })).not.toEqual([]);
    }
    expect(bodies.length).toBeGreaterThan(15);
  });
});

function legal(): Body {
  const calls = [{ id: 'abcdefghi', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }];
  return {
    model: 'mistral-small-latest',
    tools: [{ type: 'function', function: { name: 'f', description: '', parameters: {} } }],
    tool_choice: 'any',
    messages: [
      said('system', 'Be brief.'),
      said('user', 'Hello'),
      said('assistant', '', { tool_calls: calls }),
      said('tool', 'done', { tool_call_id: 'abcdefghi' }),
      said('assistant', [
        { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }], closed: true },
        { type: 'text', text: 'So' },
      ]),
      said('user', [
        { type: 'text', text: 'And?' },
        { type: 'image_url', image_url: { url: 'https://a.test/a.png' } },
      ]),
    ],
  };
}

function said(role: string, content: unknown, more: object = {}): { [field: string]: unknown } {
  return { role, content, ...more };
}

function assistant({ messages }: Body): { [field: string]: unknown } {
  return messages[4] ?? {};
}

function call({ messages }: Body): { id: string; function: { [field: string]: unknown } } {
  const calls = messages[2]?.['tool_calls'];
  const [first] = (calls ?? []) as { id: string; function: { [field: string]: unknown } }[];
  if (!first) throw new Error('the call is gone');
  return first;
}

function rename(body: Body, id: string): void {
  call(body).id = id;
  Object.assign(body.messages[3] ?? {}, { tool_call_id: id });
}
