import { ReadableStream } from 'node:stream/web';
import { expect, test } from 'vitest';
import { Agent, Runner } from '../../src/index.ts';
import { ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { idle, staged } from './stage.ts';
import { spoken } from './toy-model.ts';

test(verifies('S3', 'leaving the text stops a model that says nothing, at once'), async () => {
  const { model, seen } = staged([null, spoken('done')]);
  const agent = new Agent({ name: 'A', model });
  const stream = Runner.runStreamed(agent, 'x');
  const text = stream.toTextStream()[Symbol.asyncIterator]();
  expect(await text.next()).toEqual({ done: false, value: 'Well, ' });
  const silence = text.next();
  await idle();
  expect(await text.return?.()).toEqual({ done: true, value: undefined });
  expect(seen.signals[0]?.aborted).toBe(true);
  expect(await silence).toEqual({ done: true, value: undefined });
  expect(stream.isComplete).toBe(true);
  expect((await Runner.run(agent, stream.state)).finalOutput).toBe('done');
});

test(verifies('S3', 'text that nobody has read can be left, too'), async () => {
  const { model, seen } = staged([null]);
  const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
  await stream.toTextStream()[Symbol.asyncIterator]().return?.();
  expect(seen.signals.every(({ aborted }) => aborted)).toBe(true);
  await stream.completed;
});

test('the text can be piped; a client who goes stops the run', async () => {
  const whole = new Agent({ name: 'A', model: new ScriptedModel(['Hello!'], { chunkSize: 2 }) });
  const pieces: string[] = [];
  for await (const piece of ReadableStream.from(Runner.runStreamed(whole, 'x').toTextStream())) pieces.push(piece);
  expect(pieces).toEqual(['He', 'll', 'o!']);
  const { model, seen } = staged([null]);
  const left = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
  const reader = ReadableStream.from(left.toTextStream()).getReader();
  expect((await reader.read()).value).toBe('Well, ');
  const silence = reader.read();
  await reader.cancel();
  await left.completed;
  expect(seen.signals[0]?.aborted).toBe(true);
  expect((await silence).done).toBe(true);
});

test(verifies('S4', 'several requests for the next text are answered in order'), async () => {
  const model = new ScriptedModel(['Hello, world!'], { chunkSize: 3 });
  const { [Symbol.asyncIterator]: read } = Runner.runStreamed(new Agent({ name: 'A', model }), 'x').toTextStream();
  const text = read();
  const asked = await Promise.all(Array.from({ length: 7 }, () => text.next()));
  expect(asked.map(({ value }) => value)).toEqual(['Hel', 'lo,', ' wo', 'rld', '!', undefined, undefined]);
});
