import { describe, expect, test } from 'vitest';
import {
  Agent,
  Runner,
  tool,
  type FunctionCallOutputItem,
  type HostedToolSpec,
  type Json,
  type Tool,
  type ToolContext,
  type ToolSource,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { outputsIn, toolNames } from './scripts.ts';

function named(name: string, isEnabled?: Parameters<typeof tool>[0]['isEnabled']): Tool {
  return tool({ name, description: name, parameters: { type: 'object' }, execute: () => `${name} ran`, isEnabled });
}

describe('isEnabled', () => {
  test(verifies('T7', 'is evaluated on each turn; a disabled tool is not offered'), async () => {
    const asked: number[] = [];
    const late = named('late', async ({ runContext, agent }) => {
      expect(agent.name).toBe('A');
      asked.push(runContext.usage.requests);
      return runContext.usage.requests >= 1;
    });
    const once = named('once', ({ runContext }) => runContext.usage.requests === 0);
    const model = new ScriptedModel([[call('on', {}, '1')], [call('on', {}, '2')], 'done']);
    const tools = [named('on', true), named('off', false), late, once];
    await Runner.run(new Agent({ name: 'A', model, tools }), 'go');
    expect(model.requests.map(toolNames)).toEqual([
      ['on', 'once'],
      ['on', 'late'],
      ['on', 'late'],
    ]);
    expect(asked).toEqual([0, 1, 2]);
  });

  test(verifies('T7', 'a disabled tool that is called all the same is unknown'), async () => {
    const model = new ScriptedModel([[call('off')], 'done']);
    await Runner.run(new Agent({ name: 'A', model, tools: [named('off', () => false), named('on')] }), 'go');
    expect(outputsIn(model.requests[1]?.input ?? [])['call_off']).toBe("Tool 'off' not found. Available tools: on.");
  });

  test(verifies('T7', 'holds for agents as tools, and for what a tool source lists'), async () => {
    const model = new ScriptedModel([[call('listed', {}, '1')], 'done']);
    const helper = (name: string) => new Agent({ name, model });
    const source: ToolSource = {
      type: 'tool_source',
      name: 'registry',
      listTools: async ({ runContext }) => [
        named('listed'),
        named('unlisted', false),
        named('second', () => runContext.usage.requests === 1),
      ],
    };
    const tools = [helper('Off').asTool({ isEnabled: false }), helper('On').asTool({ isEnabled: () => true }), source];
    await Runner.run(new Agent({ name: 'A', model, tools }), 'go');
    expect(model.requests.map(toolNames)).toEqual([
      ['on', 'listed'],
      ['on', 'listed', 'second'],
    ]);
    expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({ 1: 'listed ran' });
  });
});

describe('the context of execute', () => {
  test(
    verifies('T8', "has the user's context, usage, agent, call id, tool name, idempotency key and signal"),
    async () => {
      const seen: ToolContext<{ user: string }>[] = [];
      const context = { user: 'ada' };
      const look = tool<{ user: string }>({
        name: 'look',
        description: 'Looks.',
        parameters: { type: 'object' },
        execute: (_, at) => void seen.push(at),
      });
      const model = new ScriptedModel([
        [call('look', {}, 'a'), call('look', {}, 'b')],
        [call('look', {}, 'c')],
        'done',
      ]);
      const agent = new Agent({ name: 'A', model, tools: [look] });
      await Runner.run(agent, 'go', { context, runId: 'run-7' });
      expect(seen.map(({ callId }) => callId)).toEqual(['a', 'b', 'c']);
      expect(seen.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['run-7/1/a', 'run-7/1/b', 'run-7/2/c']);
      for (const at of seen) {
        expect(at.context).toBe(context);
        expect(at.agent).toBe(agent);
        expect(at.toolName).toBe('look');
        expect(at.signal).toBeInstanceOf(AbortSignal);
        expect(at.signal.aborted).toBe(false);
      }
      // Usage is the latest, whenever it is read.
      expect(seen[0]?.usage.requests).toBe(3);
    },
  );

  test(
    verifies('T8', 'its idempotency key is the same when a call is made again after an approval or a failure'),
    async () => {
      const keys: string[] = [];
      const flaky = tool({
        name: 'flaky',
        description: 'F.',
        parameters: { type: 'object' },
        needsApproval: true,
        errorFunction: null,
        execute: (_, { idempotencyKey }) => {
          keys.push(idempotencyKey);
          if (keys.length === 1) throw new Error('crash');
          return 'ok';
        },
      });
      const model = new ScriptedModel([[call('flaky')], 'done']);
      const agent = new Agent({ name: 'A', model, tools: [flaky] });
      const stopped = await Runner.run(agent, 'go', { runId: 'run-8' });
      stopped.state.approve(stopped.interruptions[0]!);
      const error: unknown = await Runner.run(agent, stopped.state).catch((reason: unknown) => reason);
      await Runner.run(agent, (error as { state: typeof stopped.state }).state);
      expect(keys).toEqual(['run-8/1/call_flaky', 'run-8/1/call_flaky']);
    },
  );

  test(verifies('T8', 'its signal is aborted with the run'), async () => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const wait = tool({
      name: 'wait',
      description: 'W.',
      parameters: { type: 'object' },
      execute: async (_, { signal }) => {
        signals.push(signal);
        controller.abort(new Error('stop'));
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      },
    });
    const model = new ScriptedModel([[call('wait')], 'done']);
    const run = Runner.run(new Agent({ name: 'A', model, tools: [wait] }), 'go', { signal: controller.signal });
    await expect(run).rejects.toThrow('stop');
    expect(signals[0]?.aborted).toBe(true);
  });
});

describe('the output of a tool', () => {
  async function outputOf(value: unknown, how: 'sync' | 'async' = 'sync') {
    const give = tool({
      name: 'give',
      description: 'Gives.',
      parameters: { type: 'object' },
      execute: () => (how === 'sync' ? value : Promise.resolve(value)),
    });
    const model = new ScriptedModel([[call('give')], 'done']);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [give] }), 'go');
    const item = result.newItems[1];
    if (item?.type !== 'tool_call_output_item') throw new Error('no output');
    expect(item.output).toBe(value);
    expect(item.isError).toBe(false);
    const sent = model.requests[1]?.input.at(-1) as FunctionCallOutputItem;
    expect(item.rawItem).toEqual(sent);
    expect(sent).toMatchObject({ type: 'function_call_output', call_id: 'call_give' });
    return sent.output;
  }

  test.for([
    ['a text', 'plain', 'plain'],
    ['the empty text', '', ''],
    ['nothing', undefined, ''],
    ['null', null, 'null'],
    ['a number', 4.5, '4.5'],
    ['a boolean', false, 'false'],
    ['an object', { a: [1] }, '{"a":[1]}'],
    ['a list', [1, 'two'], '[1,"two"]'],
    ['an empty list', [], '[]'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['a bigint inside', { n: 10n }, '{"n":"10"}'],
  ] as const)(verifies('T9', '%s reaches the model'), async ([, value, expected]) => {
    expect(await outputOf(value)).toBe(expected);
    expect(await outputOf(value, 'async')).toBe(expected);
  });

  const image = { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' } as const;
  const file = { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } as const;
  const text = { type: 'input_text', text: 'see' } as const;
  test(verifies('T9', 'content parts reach it as they are: text, image, file'), async () => {
    expect(await outputOf([text, image, file])).toEqual([text, image, file]);
    expect(await outputOf(image)).toEqual([image]);
  });

  test(verifies('T9', 'what only looks like parts is JSON'), async () => {
    expect(await outputOf([text, 'more'])).toBe(JSON.stringify([text, 'more']));
    expect(await outputOf({ type: 'input_text' })).toBe('{"type":"input_text"}');
    expect(await outputOf({ type: 'other', text: 'x' })).toBe('{"type":"other","text":"x"}');
  });

  test('a value that JSON cannot hold does not break the run', async () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(await outputOf(cyclic)).toBe('"[object Object]"');
    expect(await outputOf(() => 1)).toBe('');
  });
});

describe('hosted tools', () => {
  test(verifies('T12', 'are declared as data, which reaches the request as it is, beside function tools'), async () => {
    const hosted: HostedToolSpec[] = [
      { type: 'web_search', filters: { allowed_domains: ['example.org'] } },
      { type: 'file_search', vector_store_ids: ['vs_1'] },
      { type: 'code_interpreter', container: { type: 'auto' } },
      { type: 'image_generation', quality: 'low' },
      { type: 'mcp', server_label: 'docs', server_url: 'https://example.org/mcp', require_approval: 'never' },
      { type: 'computer_use_preview', display_width: 1024, display_height: 768, environment: 'browser' },
      { type: 'anthropic:web_fetch', max_uses: 1 },
    ];
    const model = new ScriptedModel(['done']);
    await Runner.run(new Agent({ name: 'A', model, tools: [hosted[0]!, named('mine'), ...hosted.slice(1)] }), 'go');
    const sent: Json = JSON.parse(JSON.stringify(model.requests[0]?.tools));
    expect(sent).toEqual([hosted[0], expect.objectContaining({ name: 'mine' }), ...hosted.slice(1)]);
  });

  test('what the provider did with one is an item, not a call for this side', async () => {
    const item = {
      type: 'web_search_call',
      id: 'ws_1',
      status: 'completed',
      action: { type: 'search', query: 'x' },
    } as const;
    const model = new ScriptedModel([[item, call('mine')], 'done']);
    const result = await Runner.run(
      new Agent({ name: 'A', model, tools: [{ type: 'web_search' }, named('mine')] }),
      'go',
    );
    expect(result.newItems.map(({ type }) => type)).toEqual([
      'provider_item',
      'tool_call_item',
      'tool_call_output_item',
      'message_output_item',
    ]);
    expect(result.newItems[0]?.rawItem).toMatchObject(item);
  });
});
