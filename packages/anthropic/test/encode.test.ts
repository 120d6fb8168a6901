import { UserError, type Item, type ToolSpec } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { encoded, origin, unmarked, user } from './support/endpoint.ts';

const f: ToolSpec = {
  type: 'function',
  name: 'f',
  description: 'd',
  parameters: { type: 'object', properties: {}, required: [] },
  strict: false,
};
const call = (id: string, more: object = {}): Item => ({
  type: 'function_call',
  call_id: id,
  name: 'f',
  arguments: '{}',
  ...more,
});
const output = (id: string, text = 'done'): Item => ({ type: 'function_call_output', call_id: id, output: text });
const thought = (text: string): Item => ({
  type: 'reasoning',
  origin,
  summary: [],
  content: [{ type: 'reasoning_text', text }],
  encrypted_content: `sig-${text}`,
});

describe('messages', () => {
  test('instructions and system messages at the beginning stand apart', async () => {
    const { body } = await encoded({
      instructions: 'A',
      input: [{ type: 'message', role: 'system', content: 'B' }, user('hi')],
    });
    expect(unmarked(body['system'])).toEqual([
      { type: 'text', text: 'A' },
      { type: 'text', text: 'B' },
    ]);
  });

  test('all outputs of a turn are in the next message, before what the user says', async () => {
    const { messages } = await encoded({
      input: [user('go'), call('a'), call('b'), output('b'), output('a'), user('and?')],
    });
    expect(messages.map(({ role, content }) => [role, content.map(({ type }) => type)])).toEqual([
      ['user', ['text']],
      ['assistant', ['tool_use', 'tool_use']],
      ['user', ['tool_result', 'tool_result', 'text']],
    ]);
  });

  test('a system message in the middle stays where the model takes it, else the user says it', async () => {
    const input = [user('go'), { type: 'message', role: 'developer', content: 'Be brief.' } as const];
    const native = await encoded({ input }, { model: 'claude-opus-4-8' });
    expect(unmarked(native.messages[1])).toEqual({ role: 'system', content: [{ type: 'text', text: 'Be brief.' }] });
    expect(native.adaptations).toEqual([]);
    const other = await encoded({ input });
    expect(unmarked(other.messages)).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'go' },
          { type: 'text', text: '<system>\nBe brief.\n</system>' },
        ],
      },
    ]);
    expect(other.adaptations.map(({ type, name }) => [type, name])).toEqual([['other', 'system']]);
  });

  test('the last word is the model’s only where it may begin the answer', async () => {
    const input: Item[] = [user('go'), { type: 'message', role: 'assistant', content: 'So: ' }];
    expect((await encoded({ input })).messages.at(-1)).toMatchObject({ role: 'assistant', content: [{ text: 'So:' }] });
    const newer = await encoded({ input }, { model: 'claude-sonnet-4-6' });
    expect(newer.messages.at(-1)).toMatchObject({ role: 'user', content: [{ text: 'Continue.' }] });
    expect(newer.adaptations).toMatchObject([{ type: 'added_message', name: 'user' }]);
  });

  test('a paused turn is sent back as it is, and nothing is added', async () => {
    const use = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } };
    const { messages, adaptations } = await encoded(
      { input: [user('go'), { type: 'anthropic:web_search_call', origin, blocks: [use] }] },
      { model: 'claude-opus-4-8' },
    );
    expect(messages.at(-1)).toEqual({ role: 'assistant', content: [use] });
    expect(adaptations).toEqual([]);
  });

  test('images, documents and texts, by data, address and id', async () => {
    const input: Item[] = [
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
          { type: 'input_image', image_url: 'https://a.test/a.png' },
          { type: 'input_image', file_id: 'file_1' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
          { type: 'input_file', file_url: 'https://a.test/a.pdf' },
          { type: 'input_file', filename: 'a.csv', file_data: `data:text/csv;base64,${btoa('a,b')}` },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'input_file', file_data: 'data:application/zip;base64,AA==' },
        ],
      },
    ];
    const { messages, body, sent, adaptations } = await encoded({ input });
    expect(unmarked(messages[0]?.content)).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
      { type: 'image', source: { type: 'url', url: 'https://a.test/a.png' } },
      { type: 'image', source: { type: 'file', file_id: 'file_1' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA==' }, title: 'a.pdf' },
      { type: 'document', source: { type: 'url', url: 'https://a.test/a.pdf' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' }, title: 'a.csv' },
      { type: 'text', text: '[audio left out]' },
      { type: 'text', text: '[file left out]' },
    ]);
    expect(adaptations.map(({ name }) => name)).toEqual(['input_audio', 'input_file']);
    expect(body['betas']).toBeUndefined();
    expect(sent.headers.get('anthropic-beta')).toBe('files-api-2025-04-14');
    expect(sent.url).toContain('?beta=true');
  });

  test(verifies('T9', 'media of an output stay in it'), async () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==' } as const;
    const { messages, adaptations } = await encoded({
      input: [
        user('go'),
        call('a'),
        { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_text', text: 'see' }, image] },
      ],
    });
    expect(unmarked(messages.at(-1)?.content[0]?.['content'])).toEqual([
      { type: 'text', text: 'see' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
    ]);
    expect(adaptations).toEqual([]);
  });

  test('ids and names that the wire refuses become legal ones, the same in call and output', async () => {
    const { messages } = await encoded({
      input: [user('go'), { ...call('tool:über'), name: 'my.tool' } as Item, output('tool:über')],
    });
    const use = messages[1]?.content[0];
    expect(use).toMatchObject({ name: 'my_tool' });
    expect(use?.['id']).toMatch(/^toolu_\w+$/);
    expect(messages[2]?.content[0]?.['tool_use_id']).toBe(use?.['id']);
  });
});

describe('what is the provider’s own', () => {
  test(verifies('X2', 'nothing of another provider is sent: reasoning, citations, hosted results'), async () => {
    const foreign = { provider: 'openai', api: 'openai-responses', model: 'gpt-5' };
    const { body } = await encoded({
      input: [
        user('go'),
        { type: 'reasoning', origin: foreign, summary: [], encrypted_content: 'secret-1' },
        {
          type: 'message',
          role: 'assistant',
          origin: foreign,
          content: [
            {
              type: 'output_text',
              text: 'Yes.',
              annotations: [{ type: 'url_citation', provider_data: { anthropic: { encrypted_index: 'secret-2' } } }],
            },
          ],
        },
        { type: 'web_search_call', origin: foreign, id: 'secret-3', action: { query: 'x' } },
        call('a', { origin: foreign, provider_data: { anthropic: { caller: 'secret-4' } } }),
        output('a'),
      ],
    });
    expect(JSON.stringify(body)).not.toContain('secret-');
  });

  test(verifies('X3', 'thinking goes back signed, before the calls of its turn'), async () => {
    const { messages, body } = await encoded({
      input: [user('go'), thought('Hm'), call('a', { origin }), output('a')],
      settings: { reasoning: { effort: 'low' } },
    });
    expect(messages[1]?.content[0]).toEqual({ type: 'thinking', thinking: 'Hm', signature: 'sig-Hm' });
    expect(body['thinking']).toEqual({ type: 'enabled', budget_tokens: 2048 });
  });

  test(verifies('X3', 'a turn of another model that is still open is gone on with without thinking'), async () => {
    const open = [user('go'), call('a'), output('a')];
    const { body, adaptations } = await encoded({ input: open, settings: { reasoning: { effort: 'high' } } });
    expect(body['thinking']).toBeUndefined();
    expect(adaptations).toMatchObject([{ type: 'reasoning_off', name: 'reasoning' }]);
    // With the next word of the user the model may think again.
    const next = await encoded({
      input: [...open, { type: 'message', role: 'assistant', content: 'ok' }, user('and?')],
      settings: { reasoning: { effort: 'high' } },
    });
    expect(next.body['thinking']).toMatchObject({ type: 'enabled' });
    // Adaptive thinking asks for nothing at the beginning of a turn.
    const adaptive = await encoded(
      { input: open, settings: { reasoning: { effort: 'high' } } },
      { model: 'claude-opus-4-6' },
    );
    expect(adaptive.body['thinking']).toEqual({ type: 'adaptive' });
    expect(adaptive.adaptations).toEqual([]);
  });

  test('reasoning with a signature of nobody knows whom is left out', async () => {
    const item = { type: 'reasoning', summary: [], encrypted_content: 'secret' } as const;
    const { body, adaptations } = await encoded({
      input: [user('go'), item, { type: 'message', role: 'assistant', content: 'Yes.' }, user('and?')],
    });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(adaptations).toMatchObject([{ type: 'dropped_item', name: 'reasoning' }]);
  });

  test('thinking that is bound to its conversation gives way when that changes', async () => {
    const { body, sent } = await encoded(
      {
        input: [
          user('go'),
          thought('Hm'),
          { type: 'message', role: 'assistant', origin, content: 'Yes.' },
          user('and?'),
        ],
      },
      { model: 'claude-opus-5-5' },
    );
    expect(body['thinking']).toEqual({ type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } });
    expect(sent.headers.get('anthropic-beta')).toBe('thinking-binding-controls-2026-08-01');
  });
});

describe('tools', () => {
  test('strict where the family has it, in the form that the API compiles', async () => {
    const parameters = {
      type: 'object',
      properties: { n: { type: 'integer', minimum: 1 }, o: { type: 'string' } },
      required: ['n'],
      additionalProperties: false,
    } as const;
    const tool = { ...f, parameters, strict: true } as const;
    expect((await encoded({ tools: [tool] })).body['tools']).toMatchObject([
      {
        name: 'f',
        strict: true,
        input_schema: {
          required: ['n'],
          additionalProperties: false,
          properties: { n: { description: '{minimum: 1}' } },
        },
      },
    ]);
    expect((await encoded({ tools: [tool] }, { model: 'claude-sonnet-4-0' })).body['tools']).toMatchObject([
      { input_schema: parameters },
    ]);
  });

  test('not strict, and reported, where it cannot be', async () => {
    const open = {
      ...f,
      strict: true,
      parameters: { type: 'object', additionalProperties: { type: 'string' } },
    } as const;
    const many = Array.from({ length: 21 }, (_, n): ToolSpec => ({
      ...f,
      name: `f${n}`,
      strict: true,
      parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
    }));
    const { body, adaptations } = await encoded({ tools: [open, ...many] });
    const tools = body['tools'] as { strict?: boolean }[];
    expect(tools.filter(({ strict }) => strict)).toHaveLength(20);
    expect(adaptations.map(({ type, name }) => [type, name])).toEqual([
      ['changed_schema', 'f'],
      ['changed_schema', 'f20'],
    ]);
  });

  test.each([
    [
      { type: 'web_search', filters: { allowed_domains: ['a.test'] } },
      { type: 'web_search_20250305', name: 'web_search', allowed_domains: ['a.test'] },
    ],
    [
      { type: 'code_interpreter', container: { type: 'auto' } },
      { type: 'code_execution_20250825', name: 'code_execution' },
    ],
    [
      { type: 'anthropic:web_fetch', max_uses: 2 },
      { type: 'web_fetch_20250910', name: 'web_fetch', max_uses: 2 },
    ],
    [{ type: 'anthropic:web_fetch_20260318' }, { type: 'web_fetch_20260318', name: 'web_fetch' }],
    [{ type: 'anthropic:computer_toolset_20260801' }, { type: 'computer_toolset_20260801' }],
    [{ type: 'tool_search' }, { type: 'tool_search_tool_bm25_20251119', name: 'tool_search_tool_bm25' }],
    [
      { type: 'computer', display_width_px: 800 },
      { type: 'computer_20250124', name: 'computer', display_width_px: 800, display_height_px: 768 },
    ],
  ] as const)('%j is declared as %j', async (spec, tool) => {
    const { body } = await encoded({ tools: [spec] });
    expect(unmarked(body['tools'])).toEqual([tool]);
  });

  test('betas that a tool needs go into the header, with those that the user names', async () => {
    const { sent } = await encoded({
      tools: [{ type: 'computer' }, { type: 'anthropic:advisor_20260301', model: 'claude-opus-5' }],
      settings: {
        providerOptions: {
          anthropic: {
            betas: ['my-beta'],
            context_management: { edits: [{ type: 'compact_20260112' }, { type: 'clear_tool_uses_20250919' }] },
          },
        },
      },
    });
    expect(sent.headers.get('anthropic-beta')?.split(',')).toEqual([
      'my-beta',
      'computer-use-2025-01-24',
      'advisor-tool-2026-03-01',
      'compact-2026-01-12',
      'context-management-2025-06-27',
    ]);
    expect(sent.body['context_management']).toBeDefined();
  });

  test('a tool that the provider defines and this side runs is declared once, by the provider’s type', async () => {
    const { body } = await encoded({ tools: [{ ...f, name: 'bash' }, { type: 'bash' }] });
    expect(unmarked(body['tools'])).toEqual([{ type: 'bash_20250124', name: 'bash' }]);
  });

  test('an MCP server is reached by the provider', async () => {
    const spec = {
      type: 'mcp',
      server_label: 's',
      server_url: 'https://m.test',
      authorization: 'key',
      allowed_tools: ['a'],
      require_approval: 'never',
    } as const;
    const { body, sent, adaptations } = await encoded({ tools: [spec] });
    expect(body['mcp_servers']).toEqual([
      { type: 'url', name: 's', url: 'https://m.test', authorization_token: 'key' },
    ]);
    expect(unmarked(body['tools'])).toEqual([
      {
        type: 'mcp_toolset',
        mcp_server_name: 's',
        default_config: { enabled: false },
        configs: { a: { enabled: true } },
      },
    ]);
    expect(sent.headers.get('anthropic-beta')).toBe('mcp-client-2025-11-20');
    expect(adaptations).toEqual([]);
  });

  test.each([
    [{ type: 'file_search' }, /no hosted tool 'file_search'/],
    [
      { type: 'mcp', server_label: 's', server_url: 'https://m.test', require_approval: 'always' },
      /require_approval: 'never'/,
    ],
    [{ type: 'mcp', server_label: 's', connector_id: 'c' }, /server_url/],
  ])(verifies('T12', '%j is refused before the request'), async (spec, words) => {
    const asked = encoded({ tools: [spec] });
    await expect(asked).rejects.toThrow(UserError);
    await expect(asked).rejects.toThrow(words);
  });

  test.each([
    [{ toolChoice: 'auto' }, { type: 'auto' }],
    [{ toolChoice: 'required' }, { type: 'any' }],
    [{ toolChoice: 'none', parallelToolCalls: false }, { type: 'none' }],
    [{ toolChoice: { name: 'f' } }, { type: 'tool', name: 'f' }],
    [{ parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [{}, undefined],
  ] as const)('%j is the choice %j', async (settings, choice) => {
    expect((await encoded({ tools: [f], settings })).body['tool_choice']).toEqual(choice);
  });

  test('a tool that must be called leaves no room for a budget of thinking; newer models cannot be forced', async () => {
    const settings = { toolChoice: 'required', reasoning: { effort: 'low' } } as const;
    const forced = await encoded({ tools: [f], settings });
    expect(forced.body['tool_choice']).toEqual({ type: 'any' });
    expect(forced.body['thinking']).toBeUndefined();
    expect(forced.adaptations).toMatchObject([{ type: 'reasoning_off' }]);
    const newer = await encoded({ tools: [f], settings }, { model: 'claude-sonnet-5-5' });
    expect(newer.body['tool_choice']).toEqual({ type: 'auto' });
    expect(newer.adaptations).toMatchObject([{ type: 'unsupported_setting', name: 'toolChoice' }]);
  });
});

describe('state on the server', () => {
  test.each(['conversationId', 'previousResponseId'] as const)(
    verifies('V2', '%s is refused before the request'),
    async (field) => {
      await expect(encoded({ [field]: 'x' })).rejects.toThrow(UserError);
    },
  );
});
