import type { Item } from '@polyrun/core';
import { grammarProblems } from '@polyrun/wires/anthropic-messages';
import { corpusMissing } from '@polyrun/wires/corpus';
import { ask } from '@polyrun/wires/endpoint';
import { log, numbers, turnOf } from '@polyrun/wires/logs';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { encoded, origin, unmarked, type Message } from './support/endpoint.ts';
import { anthropicCassettes } from './support/wire.ts';

type Fields = { [field: string]: unknown };
const models = [
  'claude-3-5-haiku-latest',
  'claude-sonnet-4-5',
  'claude-sonnet-4-6',
  'claude-opus-4-8',
  'claude-opus-5-5',
  'some-model',
];
const efforts = [undefined, 'none', 'low', 'max'] as const;

describe('whatever the log holds', () => {
  test.each(models)(verifies('X1', 'the request obeys the wire (%s)'), async (model) => {
    const next = numbers(7);
    for (let round = 0; round < 400; round++) {
      const input = withOwn(log(next), next);
      const effort = efforts[round % 4];
      const request = ask({
        input,
        instructions: round % 2 ? 'Be brief.' : ' ',
        tools:
          round % 3
            ? []
            : [{ type: 'function', name: 'f', description: '', parameters: { type: 'object' }, strict: true }],
        settings: {
          ...(effort && { reasoning: { effort } }),
          ...(round % 5 ? {} : { toolChoice: 'required' }),
          ...(round % 7 ? {} : { temperature: 0.5, topP: 0.9 }),
        },
      });
      const { body } = await encoded(request, { model });
      const { betas: _, ...sent } = body;
      expect(grammarProblems(sent), JSON.stringify(sent)).toEqual([]);
      expect(idsIn(body).filter((id) => !/^[\w-]{1,40}$/.test(id))).toEqual([]);
    }
  });
});

describe('a request is the beginning of the next one', () => {
  test.each(['claude-sonnet-4-5', 'claude-opus-4-8'])(
    verifies('X4', 'turn by turn, so that prompt caches live (%s)'),
    async (model) => {
      const next = numbers(3);
      for (let round = 0; round < 40; round++) {
        const input: Item[] = [{ type: 'message', role: 'user', content: 'go' }];
        let earlier: Message[] = [];
        for (let turn = 0; turn < 6; turn++) {
          const { messages, body } = await encoded(ask({ instructions: 'Be brief.', input: [...input] }), { model });
          const now = unmarked(messages);
          expect(now.slice(0, earlier.length)).toEqual(earlier);
          expect(unmarked(body['system'])).toEqual([{ type: 'text', text: 'Be brief.' }]);
          // What follows within a turn joins no message that was sent before.
          earlier = now;
          input.push(...turnOf(turn, next));
        }
      }
    },
  );
});

describe.skipIf(corpusMissing !== undefined)('the grammar', () => {
  const exchanges = corpusMissing === undefined ? anthropicCassettes().flatMap(({ exchanges }) => exchanges) : [];
  const asked = exchanges.flatMap(({ request, response }) =>
    request?.body && Array.isArray(request.body['messages']) ? [{ body: request.body, response }] : [],
  );
  const accepted = asked.filter(({ response }) => response.status === 200).map(({ body }) => body);

  test('passes every recorded request that was accepted', () => {
    expect(accepted.length).toBeGreaterThan(190);
    expect(accepted.flatMap(grammarProblems)).toEqual([]);
  });

  test('sees what was refused', () => {
    const refused = asked.filter(({ response }) => response.status === 400);
    expect(refused.length).toBeGreaterThan(0);
    for (const { body } of refused) expect(grammarProblems(body)).toHaveLength(1);
  });

  test.each(Object.entries(mutations))('sees %s', (_name, mutate) => {
    const changed = accepted.map((body) => mutate(structuredClone(body))).filter((body) => body !== undefined);
    expect(changed.length).toBeGreaterThan(0);
    for (const body of changed) expect(grammarProblems(body), JSON.stringify(body).slice(0, 2000)).not.toEqual([]);
  });
});

type Mutation = (body: Fields) => Fields | undefined;

/** Each makes an accepted request one that the documentation or a recorded refusal rules out; `undefined` where it does not apply. */
const mutations: { readonly [name: string]: Mutation } = {
  'a body without max_tokens': ({ max_tokens: _, ...body }) => body,
  'an unknown field': (body) => ({ ...body, seed: 1 }),
  'no messages': (body) => ({ ...body, messages: [] }),
  'an empty text': (body) => edit(body, (block) => block['type'] === 'text', { text: ' ' }),
  'a role that nobody has': (body) => withLast(body, (message) => ({ ...message, role: 'tool' })),
  'a call without its result': (body) =>
    edit(body, (block) => block['type'] === 'tool_result', { type: 'text', text: 'x' }),
  'a result without its call': (body) =>
    edit(body, (block) => block['type'] === 'tool_result', { tool_use_id: 'other' }),
  'an illegal id': (body) => edit(body, (block) => block['type'] === 'tool_use', { id: 'a b' }),
  'input that is no object': (body) => edit(body, (block) => block['type'] === 'tool_use', { input: '{}' }),
  'thinking without its signature': (body) => edit(body, (block) => block['type'] === 'thinking', { signature: '' }),
  'a result of a server tool without its call': (body) =>
    edit(body, (block) => String(block['type']).endsWith('_tool_result'), { tool_use_id: 'other' }),
  'an image of another kind': (body) =>
    edit(body, (block) => block['type'] === 'image', {
      source: { type: 'base64', media_type: 'image/bmp', data: 'AA==' },
    }),
  'a system message at the beginning': (body) => ({
    ...body,
    messages: [{ role: 'system', content: [{ type: 'text', text: 'x' }] }, ...(body['messages'] as Message[])],
  }),
  'a tool choice without tools': ({ tools: _, ...body }) => ({ ...body, tool_choice: { type: 'auto' } }),
  'a choice of a tool that is not there': (body) =>
    body['tools'] ? { ...body, tool_choice: { type: 'tool', name: 'nobody' } } : undefined,
  'two tools of one name': (body) =>
    Array.isArray(body['tools'])
      ? { ...body, tools: [...(body['tools'] as Fields[]), ...(body['tools'] as Fields[])] }
      : undefined,
  'a schema that is no object’s': (body) =>
    firstTool(body, (tool) => (tool['input_schema'] ? { ...tool, input_schema: { type: 'array' } } : undefined)),
  'a strict schema that is open': (body) =>
    firstTool(body, (tool) =>
      tool['input_schema'] ? { ...tool, strict: true, input_schema: { type: 'object', properties: {} } } : undefined,
    ),
  'too many marks': (body) => ({
    ...body,
    system: Array.from({ length: 5 }, () => ({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } })),
  }),
  'a budget above max_tokens': (body) =>
    (body['thinking'] as Fields | undefined)?.['type'] === 'enabled'
      ? { ...body, thinking: { type: 'enabled', budget_tokens: 1e6 } }
      : undefined,
  'temperature beside thinking': (body) =>
    (body['thinking'] as Fields | undefined)?.['type'] === 'enabled' ? { ...body, temperature: 0 } : undefined,
  'a forced tool beside thinking': (body) =>
    (body['thinking'] as Fields | undefined)?.['type'] === 'enabled' && body['tools']
      ? { ...body, tool_choice: { type: 'any' } }
      : undefined,
  'a temperature above one': (body) => ({ ...body, temperature: 1.5 }),
  'a blank stop sequence': (body) => ({ ...body, stop_sequences: ['\n'] }),
  'metadata of another name': (body) => ({ ...body, metadata: { trace: 'x' } }),
  'an unknown effort': (body) =>
    /claude/.test(String(body['model'])) ? { ...body, output_config: { effort: 'minimal' } } : undefined,
  'a format that is no schema': (body) => ({ ...body, output_config: { format: { type: 'json_object' } } }),
};

function edit(body: Fields, fits: (block: Fields) => boolean, fields: Fields): Fields | undefined {
  let done = false;
  const messages = (body['messages'] as Message[]).map((message) => {
    if (typeof message.content === 'string') return message;
    const content = message.content.map((block) => {
      if (done || !fits(block)) return block;
      done = true;
      return { ...block, ...fields };
    });
    return { ...message, content };
  });
  return done ? { ...body, messages } : undefined;
}

function withLast(body: Fields, change: (message: Message) => Message): Fields {
  const messages = body['messages'] as Message[];
  return { ...body, messages: [...messages.slice(0, -1), change(messages.at(-1) as Message)] };
}

function firstTool(body: Fields, change: (tool: Fields) => Fields | undefined): Fields | undefined {
  const [first, ...others] = (body['tools'] ?? []) as Fields[];
  const changed = first && change(first);
  return changed && { ...body, tools: [changed, ...others] };
}

/** A log with what this wire leaves in one strewn into it. */
function withOwn(items: Item[], next: () => number): Item[] {
  return items.flatMap((item) => (next() < 0.4 ? [item, own[Math.floor(next() * own.length)] as Item] : [item]));
}

const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } };
const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
const own: readonly Item[] = [
  {
    type: 'reasoning',
    origin,
    summary: [],
    content: [{ type: 'reasoning_text', text: 'Hm' }],
    encrypted_content: 'sig',
  },
  {
    type: 'reasoning',
    origin,
    summary: [],
    encrypted_content: 'blob',
    provider_data: { anthropic: { type: 'redacted_thinking' } },
  },
  { type: 'reasoning', origin, summary: [], content: [{ type: 'reasoning_text', text: 'cut' }] },
  { type: 'anthropic:web_search_call', origin, id: 'srvtoolu_1', blocks: [search, found] },
  { type: 'anthropic:web_search_call', origin, id: 'srvtoolu_2', blocks: [{ ...search, id: 'srvtoolu_2' }] },
  { type: 'anthropic:web_search_tool_result', origin, blocks: [{ ...found, tool_use_id: 'srvtoolu_2' }] },
  {
    type: 'anthropic:mcp_call',
    origin,
    blocks: [{ type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'x', server_name: 's', input: {} }],
  },
  { type: 'anthropic:compaction', origin, blocks: [{ type: 'compaction', content: 'before' }] },
  { type: 'anthropic:thing', origin, data: 1 },
  {
    type: 'function_call',
    origin,
    call_id: 'toolu_1',
    name: 'f',
    arguments: '{}',
    provider_data: { anthropic: { caller: { type: 'direct' } } },
  },
  { type: 'function_call_output', call_id: 'toolu_1', output: 'done' },
  {
    type: 'message',
    role: 'assistant',
    origin,
    content: [
      {
        type: 'output_text',
        text: 'Cited. ',
        annotations: [{ type: 'url_citation', provider_data: { anthropic: { type: 'web_search_result_location' } } }],
      },
    ],
  },
];

function idsIn(body: Fields): string[] {
  return (body['messages'] as Message[]).flatMap(({ content }) =>
    content.flatMap(({ type, id }) => (type === 'tool_use' ? [String(id)] : [])),
  );
}
