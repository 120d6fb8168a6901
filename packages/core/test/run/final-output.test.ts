import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  Agent,
  jsonSchema,
  MaxTurnsExceededError,
  ModelBehaviorError,
  OutputTruncatedError,
  Runner,
  tool,
  UserError,
  type AgentsError,
} from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, rejection, response } from './scripts.ts';

const Weather = z.object({ city: z.string(), degrees: z.number() });
const rome = { city: 'Rome', degrees: 31 };

describe('a text output', () => {
  test(verifies('L3', 'is the text of the last message'), async () => {
    const model = new ScriptedModel([[message('Let me think.'), message('It is 4.')]]);
    const result = await Runner.run(new Agent({ name: 'A', model }), 'What is 2+2?');
    expect(result.finalOutput).toBe('It is 4.');
    expectTypeOf(result.finalOutput).toEqualTypeOf<string | undefined>();
    expect(brief(result.newItems)).toEqual(['message Let me think.', 'message It is 4.']);
  });

  test(verifies('L3', 'joins the parts of that message'), async () => {
    const parts = ['a', 'b'].map((text) => ({ type: 'output_text' as const, text }));
    const model = new ScriptedModel([[{ type: 'message', role: 'assistant', content: parts }]]);
    expect((await Runner.run(new Agent({ name: 'A', model }), 'go')).finalOutput).toBe('ab');
  });

  test(verifies('L3', 'a message beside a call is not final'), async () => {
    const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });
    const model = new ScriptedModel([[message('I will look.'), call('ping')], 'Found.']);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go');
    expect(result.finalOutput).toBe('Found.');
  });

  test(verifies('L3', 'a message beside a call that waits for approval is not final'), async () => {
    const ping = tool({
      name: 'ping',
      description: 'Pings.',
      parameters: { type: 'object' },
      execute: () => 'pong',
      needsApproval: true,
    });
    const model = new ScriptedModel([[message('I will look.'), call('ping')]]);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go');
    expect(result.finalOutput).toBeUndefined();
    expect(result.interruptions).toHaveLength(1);
  });
});

describe('outputType', () => {
  test(verifies('L3', 'parses and validates the text with a Standard Schema'), async () => {
    const model = new ScriptedModel([JSON.stringify(rome)]);
    const agent = new Agent({ name: 'A', model, outputType: Weather });
    const result = await Runner.run(agent, 'go');
    expect(result.finalOutput).toEqual(rome);
    expectTypeOf(result.finalOutput).toEqualTypeOf<{ city: string; degrees: number } | undefined>();
    expect(model.requests[0]?.output).toMatchObject({ name: 'final_output', strict: true, schema: { type: 'object' } });
  });

  test(verifies('L3', 'gives what the schema makes of the value'), async () => {
    const outputType = z.object({ at: z.string().transform((text) => text.length) });
    const model = new ScriptedModel(['{"at":"12:30"}']);
    // A transform has no JSON Schema of its output; its input has one.
    expect((await Runner.run(new Agent({ name: 'A', model, outputType }), 'go')).finalOutput).toEqual({ at: 5 });
  });

  test(verifies('L3', 'takes a JSON Schema'), async () => {
    const outputType = jsonSchema<{ n: number }>({
      type: 'object',
      properties: { n: { type: 'number' } },
      required: ['n'],
      additionalProperties: false,
    });
    const good = new ScriptedModel(['{"n":1}']);
    expect((await Runner.run(new Agent({ name: 'A', model: good, outputType }), 'go')).finalOutput).toEqual({ n: 1 });
    const bad = new ScriptedModel(['{"n":"1"}']);
    await expect(Runner.run(new Agent({ name: 'A', model: bad, outputType }), 'go')).rejects.toThrow(/outputType: n/);
  });

  test.for(['', 'It is hot.', '{"city":"Rome"}', '{"city":"Rome","degrees":31', '```json\n{}\n```'])(
    verifies('L3', 'refuses %j with ModelBehaviorError'),
    async (text) => {
      const model = new ScriptedModel([text]);
      const error = await rejection(Runner.run(new Agent({ name: 'A', model, outputType: Weather }), 'go'));
      expect(error).toBeInstanceOf(ModelBehaviorError);
      expect(String(error)).toContain("agent 'A' does not fit its outputType");
      expect((error as AgentsError).runData?.rawResponses).toHaveLength(1);
      expect(model.requests).toHaveLength(1);
    },
  );

  test(verifies('L3', 'refuses an answer without any message'), async () => {
    const model = new ScriptedModel([response([])]);
    const error = await rejection(Runner.run(new Agent({ name: 'A', model, outputType: Weather }), 'go'));
    expect(error).toBeInstanceOf(ModelBehaviorError);
    expect(String(error)).toContain('it is empty');
  });

  test('a truncated value is a truncation, even where it happens to parse', async () => {
    const model = new ScriptedModel([response([message(JSON.stringify(rome))], { stop: 'length' })]);
    await expect(Runner.run(new Agent({ name: 'A', model, outputType: Weather }), 'go')).rejects.toBeInstanceOf(
      OutputTruncatedError,
    );
  });

  test(verifies('L3', 'errorHandlers.invalidFinalOutput answers instead'), async () => {
    const model = new ScriptedModel(['It is hot.']);
    const agent = new Agent({ name: 'A', model, outputType: Weather });
    const result = await Runner.run(agent, 'go', {
      errorHandlers: {
        invalidFinalOutput: ({ error }) => {
          expect(error).toBeInstanceOf(ModelBehaviorError);
          return { finalOutput: rome };
        },
      },
    });
    expect(result.finalOutput).toEqual(rome);
  });

  test.for(['invalidFinalOutput', 'default'] as const)(
    verifies('L3', 'what errorHandlers.%s answers has to fit as well'),
    async (name) => {
      const agent = new Agent({ name: 'A', model: new ScriptedModel(['It is hot.']), outputType: Weather });
      const errorHandlers = { [name]: () => ({ finalOutput: 'hot' }) };
      const error = await rejection(Runner.run(agent, 'go', { errorHandlers }));
      expect(error).toBeInstanceOf(UserError);
      expect(error).toMatchObject({ cause: expect.any(ModelBehaviorError) });
      expect(String(error)).toContain(
        `errorHandlers.${name}: its finalOutput does not fit the outputType of agent 'A': `,
      );
    },
  );

  test(verifies('L3', 'of what an error handler answers the validated value is the final output'), async () => {
    const outputType = z.object({ city: z.string(), degrees: z.number().default(20) });
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['It is hot.']), outputType });
    const result = await Runner.run(agent, 'go', {
      errorHandlers: { default: () => ({ finalOutput: { city: 'Rome' } }) },
    });
    expect(result.finalOutput).toEqual({ city: 'Rome', degrees: 20 });
    expect(brief(result.newItems).at(-1)).toBe('message {"city":"Rome"}');
  });
});

describe('outputRetries', () => {
  test(verifies('L3', 'asks again, telling what is wrong, and each time is a turn'), async () => {
    const model = new ScriptedModel(['It is hot.', '{"city":"Rome"}', JSON.stringify(rome)]);
    const agent = new Agent({ name: 'A', model, outputType: Weather, outputRetries: 2 });
    const result = await Runner.run(agent, 'go', { maxTurns: 3 });
    expect(result.finalOutput).toEqual(rome);
    expect(model.requests[1]?.input.at(-2)).toMatchObject({ role: 'assistant' });
    expect(model.requests[1]?.input.at(-1)).toMatchObject({
      role: 'user',
      content: expect.stringContaining('not valid JSON'),
    });
    expect(model.requests[2]?.input.at(-1)).toMatchObject({
      role: 'user',
      content: expect.stringContaining('degrees'),
    });
    expect(brief(result.newItems)).toHaveLength(3);
  });

  test(verifies('L3', 'is a turn that maxTurns may refuse'), async () => {
    const model = new ScriptedModel(['It is hot.', JSON.stringify(rome)]);
    const agent = new Agent({ name: 'A', model, outputType: Weather, outputRetries: 2 });
    await expect(Runner.run(agent, 'go', { maxTurns: 1 })).rejects.toBeInstanceOf(MaxTurnsExceededError);
    expect(model.requests).toHaveLength(1);
  });

  test(verifies('L3', 'ends with the error when they are used up'), async () => {
    const model = new ScriptedModel(['1', '2', '3']);
    const agent = new Agent({ name: 'A', model, outputType: Weather, outputRetries: 1 });
    await expect(Runner.run(agent, 'go')).rejects.toBeInstanceOf(ModelBehaviorError);
    expect(model.requests).toHaveLength(2);
  });
});

describe('finalOutputAs', () => {
  test('checks the final output against any schema and gives its type', async () => {
    const model = new ScriptedModel([JSON.stringify(rome), 'text']);
    const typed = await Runner.run(new Agent({ name: 'A', model, outputType: Weather }), 'go');
    const city = typed.finalOutputAs(z.object({ city: z.string() }));
    expectTypeOf(city).toEqualTypeOf<{ city: string }>();
    expect(city).toEqual({ city: 'Rome' });
    expect(() => typed.finalOutputAs(z.object({ city: z.number() }))).toThrow(ModelBehaviorError);
    const text = await Runner.run(new Agent({ name: 'A', model }), 'go');
    expect(text.finalOutputAs({ type: 'string' })).toBe('text');
    expect(() => text.finalOutputAs({ type: 'number' })).toThrow(/final output does not fit/);
  });

  test('an asynchronous schema is told apart', async () => {
    const model = new ScriptedModel(['text']);
    const result = await Runner.run(new Agent({ name: 'A', model }), 'go');
    expect(() => result.finalOutputAs(z.string().refine(async () => true))).toThrow(/finalOutputAs schema/);
  });
});

test('a result shows what it came to when it is printed or made into JSON', async () => {
  const result = await Runner.run(new Agent({ name: 'A', model: new ScriptedModel(['Hello']) }), 'Hi');
  const shown = { finalOutput: 'Hello', lastAgent: 'A', usage: { requests: 1 }, interruptions: 0 };
  expect(JSON.parse(JSON.stringify(result))).toMatchObject(shown);
  expect(inspect(result)).toContain(`finalOutput: 'Hello'`);
});
