import { describe, expect, test } from 'vitest';
import {
  Agent,
  clientTool,
  Runner,
  tool,
  type HostedKind,
  type Hooks,
  type OutputItem,
  type ProviderItem,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief } from './scripts.ts';

const computerCall: OutputItem = {
  type: 'computer_call',
  id: 'cu_1',
  call_id: 'click',
  status: 'completed',
  action: { type: 'click', x: 1, y: 2 },
};
const shellCall: OutputItem = {
  type: 'local_shell_call',
  id: 'sh_1',
  call_id: 'ls',
  action: { type: 'exec', command: ['ls'] },
};
const grepCall: OutputItem = {
  type: 'custom_tool_call',
  id: 'ct_1',
  call_id: 'grep',
  name: 'grep',
  input: 'free text',
};
const screenshot = { type: 'computer_screenshot', image_url: 'data:image/png;base64,AA==' };

const computer = clientTool({
  spec: { type: 'computer_use_preview', display_width: 1, display_height: 1 },
  answers: 'computer_call_output',
  execute: (item) => ({ type: 'computer_call_output', call_id: String(item['call_id']), output: screenshot }),
});

function shell(execute: (item: ProviderItem) => ProviderItem, needsApproval?: boolean) {
  return clientTool({ spec: { type: 'local_shell' }, answers: 'local_shell_call_output', execute, needsApproval });
}

function custom(name: string, seen: ProviderItem[] = []) {
  return clientTool({
    spec: { type: 'custom', name },
    answers: 'custom_tool_call_output',
    execute: async (item, { callId, toolName }) => {
      seen.push(item);
      return { type: 'custom_tool_call_output', call_id: callId, output: `${toolName}: ${String(item['input'])}` };
    },
  });
}

describe('a client tool', () => {
  test(verifies('T13', 'answers a computer call, and its media stay'), async () => {
    const model = new ScriptedModel([[computerCall], 'done']);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [computer] }), 'go');
    expect(model.requests[0]?.tools).toEqual([{ type: 'computer_use_preview', display_width: 1, display_height: 1 }]);
    expect(model.requests[1]?.input.slice(1)).toEqual([
      expect.objectContaining(computerCall),
      { type: 'computer_call_output', call_id: 'click', output: screenshot },
    ]);
    expect(brief(result.newItems)).toEqual([
      'call computer_use_preview',
      'output computer_use_preview',
      'message done',
    ]);
    expect(result.newItems[1]).toMatchObject({ callId: 'click', isError: false, output: { output: screenshot } });
  });

  test(verifies('T13', 'answers a local shell call'), async () => {
    const model = new ScriptedModel([[shellCall], 'done']);
    const seen: ProviderItem[] = [];
    const local = shell((item) => {
      seen.push(item);
      // The call's id is filled in where it is left out.
      return { type: 'local_shell_call_output', output: 'a.txt' };
    });
    await Runner.run(new Agent({ name: 'A', model, tools: [local] }), 'go');
    expect(seen).toEqual([expect.objectContaining(shellCall)]);
    expect(model.requests[1]?.input.at(-1)).toEqual({
      type: 'local_shell_call_output',
      call_id: 'ls',
      output: 'a.txt',
    });
  });

  test(verifies('T13', 'several custom tools are told apart by name'), async () => {
    const seen: ProviderItem[] = [];
    const other: OutputItem = { ...grepCall, call_id: 'sed', name: 'sed' };
    const unknown: OutputItem = { ...grepCall, call_id: 'awk', name: 'awk' };
    const model = new ScriptedModel([[grepCall, other, unknown], 'done']);
    const tools = [custom('grep', seen), custom('sed', seen)];
    await Runner.run(new Agent({ name: 'A', model, tools }), 'go');
    expect(seen).toHaveLength(2);
    expect(model.requests[1]?.input.slice(-3)).toEqual([
      { type: 'custom_tool_call_output', call_id: 'grep', output: 'grep: free text' },
      { type: 'custom_tool_call_output', call_id: 'sed', output: 'sed: free text' },
      {
        type: 'custom_tool_call_output',
        call_id: 'awk',
        output: expect.stringContaining("Tool 'awk' not found. Available tools: grep, sed") as string,
      },
    ]);
  });

  test.for([
    [computerCall, 'computer_call_output'],
    [shellCall, 'local_shell_call_output'],
    [grepCall, 'custom_tool_call_output'],
  ] as readonly (readonly [OutputItem, HostedKind])[])(
    verifies('T13', 'without one the call is an unknown tool, answered in its own kind'),
    async ([item, type]) => {
      const model = new ScriptedModel([[item], 'done']);
      const result = await Runner.run(new Agent({ name: 'A', model }), 'go');
      expect(result.finalOutput).toBe('done');
      expect(model.requests[1]?.input.at(-1)).toMatchObject({ type, output: expect.stringContaining('not found') });
      expect(result.newItems[1]).toMatchObject({ type: 'tool_call_output_item', isError: true });
    },
  );

  test(verifies('T13', 'one that throws is answered in its own kind'), async () => {
    const model = new ScriptedModel([[shellCall], 'done']);
    const broken = shell(() => {
      throw new Error('no shell');
    });
    await Runner.run(new Agent({ name: 'A', model, tools: [broken] }), 'go');
    expect(model.requests[1]?.input.at(-1)).toMatchObject({
      type: 'local_shell_call_output',
      call_id: 'ls',
      output: expect.stringContaining('no shell'),
    });
  });

  test(
    verifies('T13', 'is a local call: it runs beside others, with hooks, after approval where it asks'),
    async () => {
      const events: string[] = [];
      const hooks: Hooks<unknown> = {
        onToolStart: ({ toolCall }) => void events.push(`${toolCall.type} ${toolCall.name}`),
      };
      const ping = tool({ name: 'ping', description: 'P.', parameters: { type: 'object' }, execute: () => 'pong' });
      const model = new ScriptedModel([[shellCall, call('ping')], 'done']);
      const local = shell(() => ({ type: 'local_shell_call_output', output: 'a.txt' }), true);
      const agent = new Agent({ name: 'A', model, tools: [local, ping] });
      const stopped = await Runner.run(agent, 'go', { hooks });
      expect(stopped.interruptions).toMatchObject([
        { type: 'tool_approval_item', toolName: 'local_shell', callId: 'ls' },
      ]);
      expect(events).toEqual(['function_call ping']);
      stopped.state.approve(stopped.interruptions[0]!);
      const result = await Runner.run(agent, stopped.state, { hooks });
      expect(events).toEqual(['function_call ping', 'function_call local_shell']);
      expect(result.finalOutput).toBe('done');
    },
  );

  test(verifies('T13', 'one that was cut off is not run'), async () => {
    const model = new ScriptedModel([[{ ...grepCall, status: 'incomplete' }], 'done']);
    const seen: ProviderItem[] = [];
    await Runner.run(new Agent({ name: 'A', model, tools: [custom('grep', seen)] }), 'go');
    expect(seen).toEqual([]);
    expect(model.requests[1]?.input.at(-1)).toMatchObject({
      type: 'custom_tool_call_output',
      output: expect.stringContaining('cut off'),
    });
  });

  test('calls that share an id, or have none, are each answered once', async () => {
    const { call_id: _, id: __, ...bare } = grepCall;
    const model = new ScriptedModel([[grepCall, grepCall, bare, bare], 'done']);
    const seen: ProviderItem[] = [];
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [custom('grep', seen)] }), 'go');
    expect(seen).toHaveLength(4);
    const outputs = result.newItems.filter((item) => item.type === 'tool_call_output_item');
    expect(new Set(outputs.map(({ callId }) => callId)).size).toBe(4);
  });
});
