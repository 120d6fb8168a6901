import { describe, expect, test } from 'vitest';
import { Agent, ModelError, Runner, UserError, type StreamedRunResult } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { all, idle, noting, PlainSession, reading, unhandledDuring, word, words } from './stage.ts';
import { toyModel } from './toy-model.ts';

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
