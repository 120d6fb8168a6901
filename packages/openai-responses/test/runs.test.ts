import {
  Agent,
  clientTool,
  handoff,
  MemorySession,
  Runner,
  RunState,
  tool,
  type ModelEvent,
  type RunStreamEvent,
} from '@polyrun/core';
import { grammarProblems } from '@polyrun/wires/openai-responses';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { compact } from '../src/conversations.ts';
import { openaiResponses } from '../src/index.ts';
import { called, response, said } from './support/endpoint.ts';
import { asEvents } from './support/events.ts';
import { serve, type TestServer } from './support/server.ts';

type Fields = { readonly [field: string]: unknown };

let server: TestServer;
/** What the server answers, one after the other: the outputs of its responses. */
let outputs: (readonly object[])[];
let count = 0;

beforeEach(async () => {
  count = 0;
  server = await serve(({ body }) => {
    const whole = response(outputs[count] ?? [], { id: `resp_${++count}` });
    return body['stream'] === true ? { body: null, events: asEvents(whole) } : { body: whole };
  });
});
afterEach(() => server.close());

const provider = () => openaiResponses({ apiKey: 'k', baseURL: server.url, name: 'openai', defaultModel: 'gpt-5.6' });
const modelProvider = { getModel: (name?: string) => provider().getModel(name), name: 'openai' };
const runConfig = { modelProvider };
const inputs = () => server.asked.map(({ body }) => body['input'] as Fields[]);
const thought = (n: number) => ({ type: 'reasoning', id: `rs_${n}`, summary: [], encrypted_content: `blob_${n}` });
const legal = () => server.asked.flatMap(({ body }) => grammarProblems(body));

describe('a tool loop', () => {
  const weather = tool({ name: 'weather', description: 'W', parameters: { type: 'object' }, execute: () => 'sunny' });

  test.each([false, true])(
    verifies('X3', 'echoes encrypted reasoning with its call; streamed: %s'),
    async (streaming) => {
      outputs = [[thought(1), called('weather', '{}')], [said('It is sunny.')]];
      const agent = new Agent({ name: 'A', tools: [weather] });
      const run = streaming
        ? Runner.runStreamed(agent, 'go', { runConfig })
        : await Runner.run(agent, 'go', { runConfig });
      if ('completed' in run) await run.completed;
      expect(run.finalOutput).toBe('It is sunny.');
      expect(inputs()[1]).toEqual([
        { type: 'message', role: 'user', content: 'go' },
        { type: 'reasoning', summary: [], encrypted_content: 'blob_1' },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
      ]);
      expect(legal()).toEqual([]);
    },
  );

  test(verifies('V1', 'in a chain only what is new is sent, and responses are kept from the first'), async () => {
    outputs = [[called('weather', '{}')], [said('done')]];
    const agent = new Agent({ name: 'A', tools: [weather] });
    const result = await Runner.run(agent, 'go', { runConfig, autoPreviousResponseId: true });
    expect(server.asked.map(({ body }) => [body['store'], body['previous_response_id']])).toEqual([
      [true, undefined],
      [true, 'resp_1'],
    ]);
    expect(inputs()[1]).toEqual([{ type: 'function_call_output', call_id: 'call_1', output: 'sunny' }]);
    expect(result.lastResponseId).toBe('resp_2');
  });

  test(verifies('V1', 'in a conversation too'), async () => {
    outputs = [[called('weather', '{}')], [said('done')]];
    await Runner.run(new Agent({ name: 'A', tools: [weather] }), 'go', { runConfig, conversationId: 'conv_1' });
    expect(server.asked.map(({ body }) => body['conversation'])).toEqual(['conv_1', 'conv_1']);
    expect(inputs().map((list) => list.length)).toEqual([1, 1]);
  });

  test('goes on in another run from a session, and after a hand-over', async () => {
    outputs = [[thought(1), said('hi')], [thought(2), called('transfer_to_b', '{}')], [said('from B')]];
    const session = new MemorySession();
    const b = new Agent({ name: 'B' });
    const a = new Agent({ name: 'A', handoffs: [handoff(b)] });
    await Runner.run(a, 'one', { runConfig, session });
    const result = await Runner.run(a, 'two', { runConfig, session });
    expect(result.finalOutput).toBe('from B');
    expect(legal()).toEqual([]);
    expect(inputs()[2]?.map(({ type }) => type)).toEqual([
      'message',
      'reasoning',
      'message',
      'message',
      'reasoning',
      'function_call',
      'function_call_output',
    ]);
  });
});

describe('hosted MCP', () => {
  const spec = { type: 'mcp', server_label: 'files', server_url: 'https://mcp.test', require_approval: 'always' };
  const list = {
    type: 'mcp_list_tools',
    id: 'mcpl_1',
    server_label: 'files',
    tools: [{ name: 'delete', input_schema: {} }],
  };
  const request = (id: string) => ({
    type: 'mcp_approval_request',
    id,
    server_label: 'files',
    name: 'delete',
    arguments: '{"path":"/"}',
  });
  const agent = () => new Agent({ name: 'A', tools: [spec] });

  test.each([false, true])(
    verifies('I6', 'a request for approval interrupts, is decided on the stored state, and is answered; streamed: %s'),
    async (streaming) => {
      outputs = [[list, thought(1), request('mcpr_1'), request('mcpr_2')], [said('done')]];
      const first = streaming
        ? Runner.runStreamed(agent(), 'go', { runConfig })
        : await Runner.run(agent(), 'go', { runConfig });
      if ('completed' in first) await first.completed;
      expect(first.interruptions.map(({ type, callId, toolName }) => [type, callId, toolName])).toEqual([
        ['mcp_approval_request_item', 'mcpr_1', 'delete'],
        ['mcp_approval_request_item', 'mcpr_2', 'delete'],
      ]);
      const again = agent();
      const state = RunState.fromString(again, first.state.toString());
      const [one, two] = state.interruptions;
      if (!one || !two) throw new Error('no interruptions');
      state.approve(one);
      state.reject(two, { message: 'too much' });
      const result = await Runner.run(again, state, { runConfig });
      expect(result.finalOutput).toBe('done');
      expect(inputs()[1]).toEqual([
        { type: 'message', role: 'user', content: 'go' },
        list,
        { type: 'reasoning', summary: [], encrypted_content: 'blob_1' },
        request('mcpr_1'),
        request('mcpr_2'),
        { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true },
        { type: 'mcp_approval_response', approval_request_id: 'mcpr_2', approve: false, reason: 'too much' },
      ]);
      expect(server.asked[0]?.body['tools']).toEqual([spec]);
      expect(legal()).toEqual([]);
    },
  );

  test(verifies('V1', 'in a chain the answer alone is sent'), async () => {
    outputs = [[request('mcpr_1')], [said('done')]];
    const first = await Runner.run(agent(), 'go', { runConfig, autoPreviousResponseId: true });
    for (const item of first.interruptions) first.state.approve(item);
    await Runner.run(agent(), first.state, { runConfig });
    expect(server.asked[1]?.body).toMatchObject({
      previous_response_id: 'resp_1',
      input: [{ type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true }],
    });
  });
});

describe('what the provider asks its client to do', () => {
  const picture = { type: 'computer_screenshot', image_url: 'data:image/png;base64,AA==' };
  const done = [{ stdout: 'a.txt', stderr: '', outcome: { type: 'exit', exit_code: 0 } }];

  test.each([
    [
      'computer_use_preview',
      'computer_call',
      { id: 'cu_1', action: { type: 'screenshot' }, pending_safety_checks: [], status: 'completed' },
      { output: picture },
    ],
    [
      'local_shell',
      'local_shell_call',
      { id: 'lsh_1', action: { type: 'exec', command: ['ls'], env: {} }, status: 'completed' },
      { output: 'a.txt' },
    ],
    ['shell', 'shell_call', { action: { commands: ['ls'] }, status: 'completed' }, { output: done }],
    [
      'apply_patch',
      'apply_patch_call',
      { operation: { type: 'delete_file', path: 'a' }, status: 'completed' },
      { output: 'ok', status: 'completed' },
    ],
    ['custom', 'custom_tool_call', { name: 'custom', input: 'SELECT 1' }, { output: '1' }],
  ] as const)(
    verifies('T13', '%s: a client tool answers it over the wire'),
    async (...[type, kind, fields, answer]) => {
      const call = { type: kind, call_id: 'call_1', ...fields };
      outputs = [[thought(1), call], [said('done')]];
      const seen: unknown[] = [];
      const own = clientTool({
        spec: { type, ...(type === 'custom' && { name: 'custom' }) },
        answers: `${kind}_output`,
        execute: (item) => {
          seen.push(item);
          return { type: `${kind}_output`, call_id: 'call_1', ...answer };
        },
      });
      const result = await Runner.run(new Agent({ name: 'A', tools: [own] }), 'go', { runConfig });
      expect(result.finalOutput).toBe('done');
      expect(seen).toMatchObject([call]);
      expect(inputs()[1]?.slice(1)).toEqual([
        { type: 'reasoning', summary: [], encrypted_content: 'blob_1' },
        call,
        { type: `${kind}_output`, call_id: 'call_1', ...answer },
      ]);
      expect(legal()).toEqual([]);
    },
  );

  test('a tool that throws is told as the wire wants it', async () => {
    outputs = [
      [{ type: 'apply_patch_call', call_id: 'c', operation: { type: 'delete_file', path: 'a' }, status: 'completed' }],
      [said('sorry')],
    ];
    const own = clientTool({
      spec: { type: 'apply_patch' },
      answers: 'apply_patch_call_output',
      execute: () => {
        throw new Error('read-only');
      },
    });
    await Runner.run(new Agent({ name: 'A', tools: [own] }), 'go', { runConfig });
    expect(inputs()[1]?.at(-1)).toMatchObject({
      type: 'apply_patch_call_output',
      status: 'failed',
      output: expect.stringContaining('read-only') as string,
    });
    expect(legal()).toEqual([]);
  });
});

test('a stream of a run has the wire’s own events', async () => {
  outputs = [[said('hello world')]];
  const events: RunStreamEvent[] = [];
  for await (const event of Runner.runStreamed(new Agent({ name: 'A' }), 'go', { runConfig })) events.push(event);
  const raw = events.flatMap((event): ModelEvent[] => (event.type === 'raw_response_event' ? [event.data] : []));
  expect(raw.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : [])).join('')).toBe(
    'hello world',
  );
});

describe('compaction', () => {
  test('what comes back is the input of the next run', async () => {
    const compaction = { type: 'compaction', id: 'cmp_1', encrypted_content: 'blob' };
    const kept = {
      type: 'message',
      id: 'msg_u',
      status: 'completed',
      role: 'user',
      content: [{ type: 'input_text', text: 'go' }],
    };
    outputs = [[kept, compaction], [said('on')]];
    const { items, usage } = await compact(
      [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: 'long story' },
      ],
      { model: 'gpt-5.6', instructions: 'Be brief.', apiKey: 'k', baseURL: server.url, name: 'openai' },
    );
    expect(server.asked[0]?.url.pathname).toBe('/v1/responses/compact');
    expect(Object.keys(server.asked[0]?.body ?? {}).toSorted()).toEqual(['input', 'instructions', 'model']);
    expect(usage.inputTokens).toBe(10);
    await Runner.run(new Agent({ name: 'A' }), [...items, { role: 'user', content: 'more' }], { runConfig });
    expect(inputs()[1]).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }] },
      { type: 'compaction', encrypted_content: 'blob' },
      { type: 'message', role: 'user', content: 'more' },
    ]);
  });

  test('names what is missing', async () => {
    await expect(compact('go', {})).rejects.toThrow(/^compact model/);
  });
});
