import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agent, Runner, tool, type Model, type OutputItem, type RunStreamEvent } from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { anyItem } from './fold.ts';
import { latch, response } from './scripts.ts';
import { all, idle, noting, payTool, reading, word, words } from './stage.ts';
import { calling, spoken, toyModel, type Chunk } from './toy-model.ts';

const script = fc.array(fc.array(anyItem, { maxLength: 4 }), { minLength: 1, maxLength: 4 });

function troupe(turns: readonly (readonly OutputItem[])[], chunkSize: number): Agent {
  const model = new ScriptedModel(turns, { chunkSize });
  const tools = [
    tool({
      name: 'echo',
      description: 'Echoes.',
      parameters: { type: 'object' },
      execute: async (args) => JSON.stringify(args),
    }),
    tool({
      name: 'broken',
      description: 'Breaks.',
      parameters: { type: 'object' },
      execute: () => {
        throw new Error('broken');
      },
    }),
  ];
  const a: Agent = new Agent({ name: 'A', model, tools, handoffs: () => [b] });
  const b: Agent = new Agent({ name: 'B', model, tools, handoffs: () => [a] });
  return a;
}

/** What a run came to, for comparing. */
async function outcome(run: () => Promise<{ items: unknown; usage: unknown; finalOutput: unknown }>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error) || !('runData' in error)) throw error;
    return { error: `${error.name}: ${error.message}`, ...told(error.runData) };
  }
}

function told(data: unknown): object {
  if (typeof data !== 'object' || data === null || !('newItems' in data) || !('usage' in data))
    throw new Error('no data');
  return { items: itemsOf(data.newItems), usage: data.usage };
}

function itemsOf(newItems: unknown): unknown {
  return JSON.parse(
    JSON.stringify(newItems, (key, value: unknown) =>
      key === 'agent' || key === 'from' || key === 'to' ? nameIn(value) : value,
    ),
  );
}

function nameIn(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : value;
}

describe('streamed and unstreamed', () => {
  test(verifies('S1', 'the same outcomes give the same items, usage and final output'), async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.integer({ min: 1, max: 9 }), async (turns, chunkSize) => {
        const plain = await outcome(async () => {
          const { newItems, usage, finalOutput } = await Runner.run(troupe(turns, chunkSize), 'x');
          return { items: itemsOf(newItems), usage, finalOutput };
        });
        const streamed = await outcome(async () => {
          const stream = Runner.runStreamed(troupe(turns, chunkSize), 'x');
          await stream.completed;
          return { items: itemsOf(stream.newItems), usage: stream.usage, finalOutput: stream.finalOutput };
        });
        expect(streamed).toEqual(plain);
      }),
      { numRuns: 300 },
    );
  });

  test(verifies('S1', 'also through a codec, whatever the chunks'), async () => {
    const chunks: Chunk[] = [
      { type: 'reasoning', delta: 'hm' },
      { type: 'summary', delta: 'thought', part: 0 },
      { type: 'text', delta: 'I will ' },
      { type: 'text', delta: 'look.' },
      ...calling({ name: 'act', args: { a: 1 } }, { name: 'act', id: 'call_2' }),
    ];
    const run = (): Agent => {
      let turn = 0;
      const model = toyModel({
        async *open() {
          yield* turn++ === 0 ? chunks : spoken('All done.');
        },
      });
      return new Agent({ name: 'A', model, tools: [noting('act', [])] });
    };
    const plain = await Runner.run(run(), 'x');
    const stream = Runner.runStreamed(run(), 'x');
    await stream.completed;
    expect(stream.finalOutput).toBe('All done.');
    expect(itemsOf(stream.newItems)).toEqual(itemsOf(plain.newItems));
    expect([stream.usage, stream.finalOutput]).toEqual([plain.usage, plain.finalOutput]);
  });
});

describe('order of events', () => {
  test(verifies('S2', 'a turn with tools, then a handoff'), async () => {
    const b = new Agent({
      name: 'B',
      model: new ScriptedModel([[{ type: 'reasoning', summary: [] }, message('done')]]),
    });
    const a = new Agent({
      name: 'A',
      model: new ScriptedModel([[message('wait'), call('act'), call('transfer_to_b')]], { chunkSize: 100 }),
      tools: [noting('act', [])],
      handoffs: [b],
    });
    const events = await all(Runner.runStreamed(a, 'x'));
    expect(words(events)).toEqual([
      'agent A',
      'message_output_created',
      'tool_called call_act',
      'handoff_requested call_transfer_to_b',
      'tool_output call_act',
      'handoff_occurred',
      'agent B',
      'reasoning_item_created',
      'message_output_created',
    ]);
    const said = events.map(word);
    // Raw events come first, the items of a response after all of them.
    expect(said[0]).toBe('agent A');
    expect(
      said.slice(1, said.indexOf('message_output_created')).every((each) => /^response\.|^polyrun:/.test(each)),
    ).toBe(true);
    expect(said[said.indexOf('message_output_created') - 1]).toBe('polyrun:response_done');
  });

  test(verifies('S2', 'items of a response come before its tools run'), async () => {
    const log: string[] = [];
    const act = tool({
      name: 'act',
      description: 'Acts.',
      parameters: { type: 'object' },
      execute: () => void log.push('ran'),
    });
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('act')], 'done']), tools: [act] });
    for await (const event of Runner.runStreamed(agent, 'x')) {
      // A consumer that keeps up sees the call before the tool runs.
      if (event.type === 'run_item_stream_event') log.push(event.name);
      if (event.type === 'raw_response_event' && event.data.type === 'polyrun:response_done') log.push('done');
    }
    expect(log.filter((each) => each !== 'done')).toEqual(
      ['tool_called', 'ran', 'tool_output', 'message_output_created'].toSorted(
        (x, y) => log.indexOf(x) - log.indexOf(y),
      ),
    );
    expect(log.indexOf('tool_output')).toBeGreaterThan(log.indexOf('ran'));
  });

  test(verifies('S2', 'items of an invalid response are never announced'), async () => {
    const broken = { type: 'message', role: 'nobody', content: 'x' } as const;
    const model: Model = new ScriptedModel([
      response([
        message('fine'),
        Object.assign({}, broken, { role: 'assistant', content: [{ type: 'nonsense' }] }) as never,
      ]),
    ]);
    const { events, end } = reading(Runner.runStreamed(new Agent({ name: 'A', model }), 'x'));
    expect(await end).toMatchObject({ kind: 'protocol' });
    expect(words(events)).toEqual(['agent A']);
  });

  const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 });
  test(
    verifies('S2', 'outputs of parallel tools come in call order, each as soon as all before it are there'),
    async () => {
      await fc.assert(
        fc.asyncProperty(orders, async (order) => {
          const latches = [0, 1, 2, 3].map(() => latch());
          const tools = latches.map(({ promise }, index) =>
            tool({ name: `t${index}`, description: 'Waits.', parameters: { type: 'object' }, execute: () => promise }),
          );
          const agent = new Agent({
            name: 'A',
            model: new ScriptedModel([tools.map(({ name }) => call(name)), 'done']),
            tools,
          });
          const { events, end } = reading(Runner.runStreamed(agent, 'x'));
          await idle();
          const settled = new Set<number>();
          for (const index of order) {
            latches[index]?.open();
            settled.add(index);
            await idle();
            const ready = [0, 1, 2, 3].findIndex((each) => !settled.has(each));
            const expected = [0, 1, 2, 3].slice(0, ready < 0 ? 4 : ready).map((each) => `tool_output call_t${each}`);
            expect(words(events).filter((each) => each.startsWith('tool_output'))).toEqual(expected);
          }
          expect(await end).toBe('ended');
        }),
        { numRuns: 24 },
      );
    },
  );

  test(verifies('S2', 'approvals are asked for right after the items, and hold no later output back'), async () => {
    const pay = payTool();
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('act', {}, 'c1'), call('pay', {}, 'c2'), call('act', {}, 'c3')], 'done']),
      tools: [noting('act', []), pay],
    });
    const stream = Runner.runStreamed(agent, 'x');
    expect(words(await all(stream))).toEqual([
      'agent A',
      'tool_called c1',
      'tool_called c2',
      'tool_called c3',
      'tool_approval_requested c2',
      'tool_output c1',
      'tool_output c3',
    ]);
    const { state } = stream;
    for (const each of stream.interruptions) state.approve(each);
    expect(words(await all(Runner.runStreamed(agent, state)))).toEqual(['tool_output c2', 'message_output_created']);
  });

  test(verifies('S2', "a hosted server's request for approval is announced once"), async () => {
    const request: OutputItem = {
      type: 'mcp_approval_request',
      id: 'mcpr_1',
      name: 'delete',
      arguments: '{}',
      server_label: 's',
    };
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[request], 'done']) });
    const stream = Runner.runStreamed(agent, 'x');
    expect(words(await all(stream))).toEqual(['agent A', 'mcp_approval_requested mcpr_1']);
    expect(stream.interruptions).toHaveLength(1);
  });

  test(verifies('S2', 'an approval inside an agent as a tool can be decided from its event'), async () => {
    const pay = payTool();
    const inner = new Agent({ name: 'Inner', model: new ScriptedModel([[call('pay')], 'inner done']), tools: [pay] });
    const outer = new Agent({
      name: 'Outer',
      model: new ScriptedModel([[call('inner', { input: 'go' })], 'done']),
      tools: [inner.asTool()],
    });
    const stream = Runner.runStreamed(outer, 'x');
    const { state } = stream;
    const found: RunStreamEvent[] = [];
    for await (const event of stream) {
      if (event.type === 'nested_run_event' && word(event.event).startsWith('tool_approval')) found.push(event.event);
    }
    expect(state.interruptions).toHaveLength(0);
    const [asked] = found;
    if (asked?.type !== 'run_item_stream_event' || asked.item.type !== 'tool_approval_item')
      throw new Error('no approval');
    const after = stream.state;
    after.approve(asked.item);
    expect((await Runner.run(outer, after)).finalOutput).toBe('done');
  });
});
