import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Agent,
  ModelBehaviorError,
  ModelError,
  Runner,
  tool,
  UserError,
  type Model,
  type ModelEvent,
  type OutputItem,
  type RunStreamEvent,
  type StreamedRunResult,
} from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { asFolded, doneItems, foldDeltas, grammarProblems, withoutIds } from './fold.ts';
import { latch, rejection, response } from './scripts.ts';
import { all, idle, noting, PlainSession, reading, unhandledDuring, word, words } from './stage.ts';
import { calling, spoken, toyModel, type Chunk } from './toy-model.ts';

const text = fc.string({ maxLength: 30 });
const words_ = fc.array(text, { minLength: 1, maxLength: 3 });
/** An item as a model may write it. */
const item: fc.Arbitrary<OutputItem> = fc.oneof(
  text.map((words) => message(words)),
  words_.map((parts): OutputItem => ({
    type: 'message',
    role: 'assistant',
    content: parts.map((part) => ({ type: 'output_text', text: part, annotations: [] })),
  })),
  text.map((refusal): OutputItem => ({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal }] })),
  fc
    .record({ summary: fc.array(text, { maxLength: 2 }), content: fc.array(text, { maxLength: 2 }) })
    .map(({ summary, content }): OutputItem => ({
      type: 'reasoning',
      summary: summary.map((part) => ({ type: 'summary_text', text: part })),
      content: content.map((part) => ({ type: 'reasoning_text', text: part })),
    })),
  fc.constant<OutputItem>({ type: 'toy:search_call', id: 'ws_1', status: 'completed', query: 'x' }),
  fc
    .tuple(
      fc.constantFrom('echo', 'broken', 'missing', 'transfer_to_b', 'transfer_to_a'),
      fc.jsonValue({ maxDepth: 1 }),
      fc.nat(3),
    )
    .map(([name, value, n]) => call(name, { value }, `call_${n}`)),
);
const script = fc.array(fc.array(item, { maxLength: 4 }), { minLength: 1, maxLength: 4 });

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
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      parameters: { type: 'object' },
      needsApproval: true,
      execute: () => 'paid',
    });
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
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      parameters: { type: 'object' },
      needsApproval: true,
      execute: () => 'paid',
    });
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

describe('one end', () => {
  const config: readonly [string, () => StreamedRunResult<unknown, unknown>][] = [
    ['no model', () => Runner.runStreamed(new Agent({ name: 'A' }), 'x')],
    [
      'a wrong input',
      () => Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel([]) }), [{ role: 'nobody' }] as never),
    ],
    [
      'an input that is none',
      () => Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel([]) }), 7 as never),
    ],
    ['no agent', () => Runner.runStreamed(undefined as never, 'x')],
    [
      'a wrong maxTurns',
      () => Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel([]) }), 'x', { maxTurns: -1 }),
    ],
    [
      'two agents of one name',
      () =>
        Runner.runStreamed(
          new Agent({ name: 'A', model: new ScriptedModel([]), handoffs: [new Agent({ name: 'A' })] }),
          'x',
        ),
    ],
    [
      'handoffs that throw',
      () =>
        Runner.runStreamed(
          new Agent({
            name: 'A',
            model: new ScriptedModel([]),
            handoffs: () => {
              throw new UserError('handoffs');
            },
          }),
          'x',
        ),
    ],
    [
      'a provider that throws',
      () =>
        Runner.runStreamed(new Agent({ name: 'A' }), 'x', {
          runConfig: {
            modelProvider: {
              name: 'p',
              getModel: () => {
                throw new UserError('getModel');
              },
            },
          },
        }),
    ],
    [
      'two tools of one name',
      () =>
        Runner.runStreamed(
          new Agent({ name: 'A', model: new ScriptedModel([]), tools: [noting('t', []), noting('t', [])] }),
          'x',
        ),
    ],
    [
      'session and conversationId',
      () =>
        Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel([]) }), 'x', {
          session: new PlainSession(),
          conversationId: 'c',
        }),
    ],
  ];

  test.for(config)(
    verifies('S4', 'runStreamed does not throw for %s: the error arrives through both ends'),
    async ([, start]) => {
      const errors: unknown[] = [];
      const unhandled = await unhandledDuring(async () => {
        const read = start();
        errors.push(await reading(read).end, await rejection(read.completed), await rejection(start().completed));
        expect(errors[0]).toBe(errors[1]);
        expect(read.isComplete).toBe(true);
        // And one that nobody looks at.
        start();
      });
      for (const error of errors) expect(error).toBeInstanceOf(UserError);
      expect(unhandled).toEqual([]);
    },
  );

  const failing = (): Agent =>
    new Agent({
      name: 'A',
      model: new ScriptedModel([[call('missing')], new ModelError({ kind: 'auth', message: 'no' })]),
    });
  const ways: readonly [string, (stream: StreamedRunResult<unknown, unknown>) => Promise<unknown>][] = [
    ['nobody looks', async () => undefined],
    ['only the iterator is read', (stream) => reading(stream).end],
    ['only completed is read', (stream) => rejection(stream.completed)],
    ['completed is read and left', async (stream) => void stream.completed],
    ['the iterator is taken and left', async (stream) => void stream[Symbol.asyncIterator]()],
    ['the first event is read, then nothing', async (stream) => stream[Symbol.asyncIterator]().next()],
    ['it is cancelled', async (stream) => stream.cancel()],
    [
      'it is left after the first event',
      async (stream) => {
        for await (const event of stream) return event;
        return undefined;
      },
    ],
    [
      'the text is read',
      async (stream) =>
        rejection(
          (async () => {
            for await (const piece of stream.toTextStream()) expect(piece).toBe('');
          })(),
        ),
    ],
  ];
  test.for(ways)(verifies('S4', 'a failing run leaves no rejection behind when %s'), async ([, look]) => {
    expect(await unhandledDuring(async () => void (await look(Runner.runStreamed(failing(), 'x'))))).toEqual([]);
  });

  test(verifies('S4', 'the iterator throws what completed rejects with, after every event'), async () => {
    const stream = Runner.runStreamed(failing(), 'x');
    const { events, end } = reading(stream);
    const error = await end;
    expect(error).toMatchObject({ kind: 'auth' });
    expect(await rejection(stream.completed)).toBe(error);
    expect(words(events)).toEqual(['agent A', 'tool_called call_missing', 'tool_output call_missing']);
  });

  test(verifies('S4', 'the iterator ends after the last save, and isComplete is true then'), async () => {
    const saving = latch();
    const session = new PlainSession();
    const add = session.addItems.bind(session);
    let saves = 0;
    session.addItems = async (items) => {
      // The answer comes in the second write.
      if (++saves === 2) await saving.promise;
      return add(items);
    };
    const stream = Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel(['hi']) }), 'x', { session });
    const { events, end } = reading(stream);
    let completed = false;
    const done = stream.completed.then(() => (completed = true));
    await idle();
    expect(words(events)).toEqual(['agent A', 'message_output_created']);
    expect([stream.isComplete, completed]).toEqual([false, false]);
    saving.open();
    expect(await end).toBe('ended');
    expect(stream.isComplete).toBe(true);
    await done;
    expect(session.words).toEqual(['user', 'assistant']);
  });

  test(verifies('S4', 'reading completed first gives the events up, so that it always settles'), async () => {
    const model = toyModel({
      async *open() {
        for (let n = 0; n < 1000; n++) yield { type: 'text', delta: 'x' };
        yield { type: 'end', stop: 'end' };
      },
    });
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
    await idle();
    expect(stream.isComplete).toBe(false);
    await stream.completed;
    expect(stream.finalOutput).toHaveLength(1000);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(UserError);
  });

  test(verifies('S4', 'one reader: a second and a late one are told so'), async () => {
    const make = () => Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel(['hi']) }), 'x');
    const twice = make();
    const first = reading(twice);
    expect(await reading(twice).end).toBeInstanceOf(UserError);
    expect(await reading(twice.streamEvents()).end).toBeInstanceOf(UserError);
    await expect(twice.toTextStream()[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(UserError);
    expect(await first.end).toBe('ended');
    expect(await reading(twice).end).toBeInstanceOf(UserError);
    const late = make();
    await late.completed;
    expect(await reading(late).end).toBeInstanceOf(UserError);
  });

  test(verifies('S4', 'a reader that comes after the end of an unread run still gets everything'), async () => {
    const stream = Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel(['hi']) }), 'x');
    await idle();
    expect(stream.isComplete).toBe(true);
    expect(words(await all(stream))).toEqual(['agent A', 'message_output_created']);
  });

  test(verifies('S4', 'several requests for the next event are answered in order'), async () => {
    const stream = Runner.runStreamed(new Agent({ name: 'A', model: new ScriptedModel(['hi']) }), 'x');
    const reader = stream[Symbol.asyncIterator]();
    const asked = await Promise.all(Array.from({ length: 20 }, () => reader.next()));
    const values = asked.flatMap(({ value }) => (value ? [word(value)] : []));
    expect(values.slice(0, 3)).toEqual(['agent A', 'response.created', 'response.output_item.added']);
    expect(values.at(-1)).toBe('message_output_created');
    expect(asked.at(-1)?.done).toBe(true);
  });

  test(verifies('S4', 'the text stream is the text of the answer'), async () => {
    const stream = Runner.runStreamed(
      new Agent({ name: 'A', model: new ScriptedModel(['Hello, world!'], { chunkSize: 3 }) }),
      'x',
    );
    const pieces: string[] = [];
    for await (const piece of stream.toTextStream()) pieces.push(piece);
    expect(pieces).toEqual(['Hel', 'lo,', ' wo', 'rld', '!']);
  });
});

describe('raw events', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.record({
        type: fc.constantFrom('text', 'refusal', 'reasoning'),
        delta: fc.string({ minLength: 1, maxLength: 8 }),
      }),
      fc.record({
        type: fc.constant('summary'),
        delta: fc.string({ minLength: 1, maxLength: 8 }),
        part: fc.constant(0),
      }),
      fc.record({ type: fc.constantFrom('next', 'ping') }),
      fc.nat(3).map((n) => ({ type: 'call', id: `call_${n}`, name: 'act' })),
      fc.record({
        type: fc.constant('arguments'),
        id: fc.nat(3).map((n) => `call_${n}`),
        delta: fc.string({ minLength: 1, maxLength: 8 }),
      }),
    ),
    { maxLength: 30 },
  );

  async function streamOf(model: Model): Promise<ModelEvent[]> {
    const events: ModelEvent[] = [];
    for await (const event of model.streamResponse({ input: [], tools: [], settings: {} })) events.push(event);
    return events;
  }

  function checkFold(events: readonly ModelEvent[]): void {
    expect(grammarProblems(events)).toEqual([]);
    const last = events.at(-1);
    if (last?.type !== 'polyrun:response_done') throw new Error('not done');
    const { output } = last.response;
    expect(foldDeltas(events)).toEqual(output.map(asFolded));
    expect(doneItems(events)).toEqual(withoutIds(last.response));
    const terminal = events.at(-2);
    expect(terminal).toMatchObject({ response: { output: JSON.parse(JSON.stringify(output)) as unknown } });
    for (const event of events) {
      if (event.type.endsWith('.delta'))
        expect(event).toMatchObject({ item_id: expect.any(String), output_index: expect.any(Number) });
    }
  }

  test(verifies('S5', 'folding the deltas of a scripted model gives its items; the grammar holds'), async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), async (items, chunkSize) => {
        const distinct = items.map((each, index) =>
          each.type === 'function_call' ? call(String(each['name']), {}, `call_${index}`) : each,
        );
        checkFold(await streamOf(new ScriptedModel([distinct], { chunkSize })));
      }),
      { numRuns: 300 },
    );
  });

  test(
    verifies('S5', 'folding the deltas of a model made of a codec gives its items, whatever the chunks'),
    async () => {
      await fc.assert(
        fc.asyncProperty(pieces, async (raw) => {
          const opened = new Set<string>();
          const chunks = raw.filter((piece) => {
            if (piece.type !== 'call' && piece.type !== 'arguments') return true;
            const id = 'id' in piece ? piece.id : '';
            if (piece.type === 'arguments') return opened.has(id);
            return !opened.has(id) && opened.add(id).size > 0;
          }) as Chunk[];
          const model = toyModel({
            async *open() {
              yield* chunks;
              yield { type: 'end', stop: 'end' };
            },
          });
          const events = await streamOf(model);
          checkFold(events);
          const last = events.at(-1);
          expect(last?.type === 'polyrun:response_done' && last.response).toEqual(
            await model.getResponse({ input: [], tools: [], settings: {} }),
          );
        }),
        { numRuns: 300 },
      );
    },
  );

  test(verifies('S5', 'a cut answer ends with response.incomplete'), async () => {
    const model = toyModel({
      async *open() {
        yield { type: 'text', delta: 'half' };
        yield { type: 'end', stop: 'length' };
      },
    });
    const events = await streamOf(model);
    expect(grammarProblems(events)).toEqual([]);
    expect(events.at(-2)?.type).toBe('response.incomplete');
  });

  test(verifies('S5', 'the terminal event wins for what providers encrypt anew'), async () => {
    const reasoning = (encrypted_content: string): OutputItem => ({
      type: 'reasoning',
      id: 'rs_1',
      summary: [],
      encrypted_content,
    });
    const events: ModelEvent[] = [
      { type: 'response.created', sequence_number: 0, response: {} },
      { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: reasoning('') },
      { type: 'response.output_item.done', sequence_number: 2, output_index: 0, item: reasoning('first') },
      { type: 'response.completed', sequence_number: 3, response: {} },
      { type: 'polyrun:response_done', sequence_number: 4, response: response([reasoning('second'), message('hi')]) },
    ];
    const model: Model = {
      provider: 'p',
      name: 'm',
      capabilities: {},
      getResponse: () => Promise.reject(new ModelBehaviorError('streams only')),
      async *streamResponse() {
        yield* events;
      },
    };
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
    await stream.completed;
    expect(stream.newItems[0]?.rawItem).toMatchObject({ encrypted_content: 'second' });
  });
});
