import type { Item, ModelSettings } from '@polyrun/core';
import { ask } from '@polyrun/wires/endpoint';
import { grammarProblems } from '@polyrun/wires/openai-responses';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';

const origin = { provider: 'openai', api: 'openai-responses', model: 'gpt-5.6' };
const user = (text: string): Item => ({ type: 'message', role: 'user', content: text });
const thought = (more: object = {}): Item => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [],
  encrypted_content: 'blob',
  origin,
  ...more,
});
const call = (more: object = {}): Item => ({
  type: 'function_call',
  id: 'fc_1',
  status: 'completed',
  call_id: 'c1',
  name: 'f',
  arguments: '{}',
  origin,
  ...more,
});
const output = (more: object = {}): Item => ({ type: 'function_call_output', call_id: 'c1', output: 'ok', ...more });
const said = (text: string, more: object = {}): Item => ({
  type: 'message',
  id: 'msg_1',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [] }],
  origin,
  ...more,
});
const sentFor = async (input: readonly Item[], settings: ModelSettings = {}) => encoded(ask({ input, settings }));
const names = (adaptations: readonly { type: string; name: string }[]) =>
  adaptations.map(({ type, name }) => `${type} ${name}`);

describe('nothing is kept on the server', () => {
  test(verifies('X3', 'by default, and reasoning comes and goes encrypted'), async () => {
    const { body, input, response } = await sentFor([user('a'), thought(), call(), output()]);
    expect(body).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] });
    expect(input.slice(1, 3)).toEqual([
      { type: 'reasoning', summary: [], encrypted_content: 'blob' },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
    ]);
    expect(response.adaptations).toEqual([]);
  });

  test('unless it is asked for: then items go under their ids', async () => {
    const { body, input } = await sentFor([user('a'), thought(), call(), output(), said('b')], { store: true });
    expect(body['store']).toBe(true);
    expect(input.map(({ id }) => id)).toEqual([undefined, 'rs_1', 'fc_1', undefined, 'msg_1']);
  });

  test('what followed reasoning whose id was taken off goes without one too', async () => {
    const { id: _, ...bare } = thought() as Item & { id: string };
    const { input } = await sentFor([user('a'), bare, call(), output(), thought({ id: 'rs_2' }), said('b')], {
      store: true,
    });
    expect(input.map(({ id }) => id)).toEqual([undefined, undefined, undefined, undefined, 'rs_2', 'msg_1']);
  });

  test('models that do not reason are not asked for it', async () => {
    const { body } = await encoded(ask(), { model: 'gpt-4.1' });
    expect(body['include']).toBeUndefined();
    const told = await encoded(ask(), { model: 'gpt-4.1', options: { capabilities: { reasoning: 'optional' } } });
    expect(told.body['include']).toBeUndefined();
    expect(
      (await encoded(ask(), { model: 'm', options: { name: 'x', baseURL: 'https://e.test' } })).body['include'],
    ).toHaveLength(1);
  });
});

describe('reasoning', () => {
  test.each<[string, Item[]]>([
    ['at the end', [user('a'), thought()]],
    ['before a user', [user('a'), thought(), user('b')]],
    [
      'before the words of another model',
      [user('a'), thought(), said('b', { origin: { ...origin, provider: 'azure' } })],
    ],
    [
      'before what a user put in the place of the answer',
      [user('a'), thought(), { type: 'message', role: 'assistant', content: 'b' }],
    ],
    [
      'written by hand, before a rewritten answer',
      [user('a'), thought({ origin: undefined }), { type: 'message', role: 'assistant', content: 'b' }],
    ],
  ])(verifies('X3', '%s is never sent without the item that followed it'), async (_, input) => {
    const { body, response, input: sent } = await sentFor(input);
    expect(sent.map(({ type }) => type)).not.toContain('reasoning');
    expect(grammarProblems(body)).toEqual([]);
    expect(names(response.adaptations)).toContain('dropped_item reasoning');
  });

  test('that nobody can read is left out where nothing is kept', async () => {
    const bare = thought({ encrypted_content: null });
    const { input, response } = await sentFor([user('a'), bare, call(), output()]);
    expect(input.map(({ type }) => type)).toEqual(['message', 'function_call', 'function_call_output']);
    expect(names(response.adaptations)).toEqual(['dropped_item reasoning']);
    const kept = await sentFor([user('a'), bare, call(), output()], { store: true });
    expect(kept.input[1]).toEqual({ type: 'reasoning', id: 'rs_1', summary: [] });
  });

  test('in the open goes back as it came, but for its status', async () => {
    const open = {
      id: 'uuid',
      status: 'completed',
      content: [{ type: 'reasoning_text', text: 'hm' }],
      encrypted_content: undefined,
    };
    const mine = { provider: 'deepseek', api: 'openai-responses', model: 'd' };
    const { input } = await encoded(
      ask({ input: [user('a'), thought({ ...open, origin: mine }), call({ origin: mine }), output()] }),
      {
        options: { name: 'deepseek', baseURL: 'https://example.test' },
      },
    );
    expect(input[1]).toEqual({ type: 'reasoning', id: 'uuid', summary: [], content: open.content });
  });

  test('several pieces before one call stay together with it', async () => {
    const { input } = await sentFor([
      user('a'),
      thought(),
      thought({ id: 'rs_2', encrypted_content: 'two' }),
      call(),
      output(),
    ]);
    expect(input.map(({ encrypted_content }) => encrypted_content)).toEqual([
      undefined,
      'blob',
      'two',
      undefined,
      undefined,
    ]);
  });
});

describe('items', () => {
  test('come back with fields that nobody knows', async () => {
    const { input } = await sentFor([
      user('a'),
      call({ namespace: 'n', future: { x: 1 } }),
      output(),
      said('b', { phase: 'final_answer', future: 2 }),
    ]);
    expect(input[1]).toMatchObject({ namespace: 'n', future: { x: 1 } });
    expect(input[3]).toMatchObject({ phase: 'final_answer', future: 2 });
  });

  test.each<[string, object]>([
    ['web_search_call', { id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q', sources: null } }],
    ['file_search_call', { id: 'fs_1', status: 'completed', queries: ['q'], results: null }],
    ['code_interpreter_call', { id: 'ci_1', status: 'completed', code: '1', container_id: 'c', outputs: null }],
    ['image_generation_call', { id: 'ig_1', status: 'completed', result: 'abc' }],
    ['mcp_list_tools', { id: 'mcpl_1', server_label: 's', tools: [] }],
    ['mcp_call', { id: 'mcp_1', server_label: 's', name: 'n', arguments: '{}', output: 'x', error: null }],
    ['compaction', { encrypted_content: 'blob' }],
    ['tool_search_call', { arguments: {}, call_id: null, execution: 'server', status: 'completed' }],
    ['openai:future_call', { id: 'fut_1', anything: [1, null] }],
  ])('%s goes back as it came', async (type, fields) => {
    const item = { type, ...fields, origin, provider_data: { openai: { x: 1 } } } as Item;
    const { input } = await sentFor([user('a'), item, user('b')]);
    expect(input[1]).toEqual({ type: type.replace('openai:', ''), ...fields });
  });

  test(verifies('X2', 'of another server that speaks this wire are not sent as they are'), async () => {
    const azure = { ...origin, provider: 'azure' };
    const foreign = [
      thought({ origin: azure }),
      call({ origin: azure, namespace: 'n' }),
      output(),
      { type: 'web_search_call', id: 'ws_secret', status: 'completed', origin: azure } as Item,
      said('b', {
        origin: azure,
        phase: 'x',
        content: [{ type: 'output_text', text: 'b', annotations: [{ secret: 1 }] }],
      }),
    ];
    const { input } = await sentFor([user('a'), ...foreign], { store: true });
    expect(JSON.stringify(input)).not.toMatch(/secret|blob|rs_1|fc_1|msg_1|namespace|phase/);
    expect(input.map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_output',
      'message',
      'message',
    ]);
  });

  test('parts that nobody knows go back with their message', async () => {
    const content = [
      { type: 'output_text', text: 'b', annotations: [] },
      { type: 'output_audio', data: 'x' },
    ];
    const { input } = await sentFor([user('a'), said('b', { provider_data: { openai: { content } } })]);
    expect(input[1]).toEqual({ type: 'message', role: 'assistant', content });
  });

  test(verifies('T9', 'media of a tool reach the model in its output'), async () => {
    const parts = [
      { type: 'input_text', text: 'see' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
    ];
    const { input, response } = await sentFor([user('a'), call(), output({ output: parts })]);
    expect(input[2]).toEqual({ type: 'function_call_output', call_id: 'c1', output: parts });
    expect(response.adaptations).toEqual([]);
  });

  test(verifies('T9', 'where outputs hold only text, media follow in a message of the user'), async () => {
    const parts = [{ type: 'input_image', image_url: 'https://e.test/a.png' }];
    const calls = [call(), call({ call_id: 'c2', id: 'fc_2' }), output({ output: parts }), output({ call_id: 'c2' })];
    const { input, response } = await encoded(ask({ input: [user('a'), ...calls] }), {
      options: { capabilities: { toolOutputMedia: false } },
    });
    expect(input.slice(3)).toEqual([
      { type: 'function_call_output', call_id: 'c1', output: '(see the next user message)' },
      { type: 'function_call_output', call_id: 'c2', output: 'ok' },
      { type: 'message', role: 'user', content: parts },
    ]);
    expect(names(response.adaptations)).toEqual(['moved_media function_call_output']);
  });

  test('sound and pictures without an address are told as a text', async () => {
    const { input, response } = await sentFor([
      {
        type: 'message',
        role: 'user',
        content: [{ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } }, { type: 'input_image' }],
      },
    ]);
    expect(input[0]?.['content']).toEqual([
      { type: 'input_text', text: '[audio left out]' },
      { type: 'input_text', text: '[image left out]' },
    ]);
    expect(names(response.adaptations)).toEqual(['dropped_item input_audio', 'dropped_item input_image']);
  });

  test('arguments that are cut and names that are illegal are made legal, and reported', async () => {
    const { input, response } = await sentFor([user('a'), call({ arguments: '{"a', name: 'tool.über' }), output()]);
    expect(input[1]).toMatchObject({ arguments: '{}', name: 'tool__ber' });
    expect(names(response.adaptations)).toEqual(['other function_call', 'other function_call']);
  });

  test(verifies('X4', 'ids of calls of other wires are legal, short, and the same in every request'), async () => {
    const foreign = { provider: 'mistral', api: 'mistral', model: 'm' };
    const ids = ['x'.repeat(50), 'ü b', 'fine_1'];
    const input = ids.flatMap((call_id) => [call({ call_id, origin: foreign }), output({ call_id })]);
    const sent = [await sentFor([user('a'), ...input]), await sentFor([user('a'), ...input, user('b')])];
    const [first, second] = sent.map(({ input: list }) =>
      list.flatMap(({ call_id }) => (call_id === undefined ? [] : [call_id as string])),
    );
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(3);
    expect(first?.every((id) => /^[\w.:-]{1,40}$/.test(id))).toBe(true);
    expect(first).toContain('fine_1');
  });

  test('ids of its own calls stay, as long as they may be', async () => {
    const own = `resp_${'y'.repeat(50)}:call_0`;
    const { input } = await sentFor([user('a'), call({ call_id: own }), output({ call_id: own })]);
    expect(input.map(({ call_id }) => call_id)).toEqual([undefined, own, own]);
  });

  test('an output tells which program called', async () => {
    const caller = { type: 'program', caller_id: 'p1' };
    const program = { type: 'program', id: 'cm_1', call_id: 'p1', code: 'x', fingerprint: 'f', origin } as Item;
    const { input } = await sentFor([user('a'), thought(), program, call({ caller }), output()]);
    expect(input[4]).toEqual({ type: 'function_call_output', call_id: 'c1', output: 'ok', caller });
  });

  test('DeepSeek gets the calls of a turn together', async () => {
    const mine = { provider: 'deepseek', api: 'openai-responses', model: 'd' };
    const turn = [
      said('one', { origin: mine }),
      call({ origin: mine }),
      said('two', { origin: mine }),
      call({ call_id: 'c2', origin: mine }),
    ];
    const { input, response } = await encoded(
      ask({ input: [user('a'), ...turn, output(), output({ call_id: 'c2' })] }),
      {
        options: { name: 'deepseek', baseURL: 'https://example.test' },
      },
    );
    expect(input.map(({ type }) => type)).toEqual([
      'message',
      'message',
      'message',
      'function_call',
      'function_call',
      'function_call_output',
      'function_call_output',
    ]);
    expect(names(response.adaptations)).toEqual(['other message']);
  });

  test('nothing at all becomes a word of the user', async () => {
    const { input, response } = await sentFor([output()]);
    expect(input).toEqual([{ type: 'message', role: 'user', content: 'Continue.' }]);
    expect(names(response.adaptations)).toContain('added_message user');
  });
});

describe('answers to the provider’s own calls', () => {
  const own = (type: string, more: object): Item => ({ type, call_id: 'c1', origin, ...more }) as Item;

  test('that have no picture are told in words, with their call', async () => {
    const clicked = own('computer_call', { id: 'cu_1', action: { type: 'wait' }, status: 'completed' });
    const { input, body, response } = await sentFor([
      user('a'),
      thought(),
      clicked,
      own('computer_call_output', { output: 'the screen is gone', origin: undefined }),
    ]);
    expect(input[1]).toEqual({
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: '[computer call] the screen is gone' }],
    });
    expect(grammarProblems(body)).toEqual([]);
    expect(names(response.adaptations)).toEqual(['dropped_item reasoning', 'described_item computer_call_output']);
  });

  test.each<[string, object, object]>([
    [
      'apply_patch',
      { operation: { type: 'delete_file', path: 'a' }, status: 'completed' },
      { status: 'failed', output: 'no' },
    ],
    ['local_shell', { id: 'lsh_1', action: {}, status: 'completed' }, { output: 'no' }],
    [
      'shell',
      { action: { commands: ['ls'] } },
      { output: [{ stdout: '', stderr: 'no', outcome: { type: 'exit', exit_code: 1 } }] },
    ],
    ['custom_tool', { name: 'c', input: 'x' }, { output: 'no' }],
  ])('%s: a failure is told as the wire wants it', async (kind, fields, wanted) => {
    const answer = own(`${kind}_call_output`, { output: 'no', origin: undefined });
    const { input, body } = await sentFor([user('a'), own(`${kind}_call`, fields), answer]);
    expect(input[2]).toEqual({ type: `${kind}_call_output`, call_id: 'c1', ...wanted });
    expect(grammarProblems(body)).toEqual([]);
  });

  test('a shell call that was never answered is left out', async () => {
    const { input, response } = await sentFor([
      user('a'),
      thought(),
      own('shell_call', { action: { commands: ['ls'] } }),
      user('b'),
    ]);
    expect(input).toHaveLength(2);
    expect(names(response.adaptations)).toEqual(['dropped_item shell_call', 'dropped_item reasoning']);
  });

  test('an approval goes with its request only', async () => {
    const request = own('mcp_approval_request', {
      id: 'mcpr_1',
      server_label: 's',
      name: 'n',
      arguments: '{}',
      call_id: undefined,
    });
    const answer: Item = { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true };
    expect((await sentFor([user('a'), request, answer])).input.slice(1)).toEqual([
      { type: 'mcp_approval_request', id: 'mcpr_1', server_label: 's', name: 'n', arguments: '{}' },
      answer,
    ]);
    expect((await sentFor([user('a'), answer])).input).toHaveLength(1);
  });
});

test('an item is converted once: what is asked again is the same object', async () => {
  const bodies: unknown[] = [];
  const { openaiResponses } = await import('../src/index.ts');
  const model = openaiResponses({ apiKey: 'k', fetch: () => Promise.reject(new Error('no network')) }).getModel(
    'gpt-5.6',
  );
  const input = [user('a'), call(), output()];
  for (const more of [[], [user('b')]])
    await model
      .getResponse(ask({ input: [...input, ...more] }), { onWire: ({ data }) => void bodies.push(data) })
      .catch(() => undefined);
  const [first, second] = bodies as { input: unknown[] }[];
  expect(first?.input).toHaveLength(3);
  for (const [index, item] of first?.input.entries() ?? []) expect(second?.input[index]).toBe(item);
});
