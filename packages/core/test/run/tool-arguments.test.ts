import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  Agent,
  Runner,
  tool,
  ToolCallError,
  type Hooks,
  type JsonSchema,
  type Model,
  type OutputItem,
  type ToolOptions,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { outputsIn, rejection, response } from './scripts.ts';

const zodSchema = z.object({ city: z.string(), days: z.number().int().optional() });
const plainSchema: JsonSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city'],
  additionalProperties: false,
};

/** Runs one call of a weather tool; tells what happened around it. */
async function called(turn: readonly OutputItem[] | string, more: Partial<ToolOptions<unknown, unknown>> = {}) {
  const seen: string[] = [];
  const execute = vi.fn((args: unknown) => {
    seen.push('execute');
    return args;
  });
  const weather = tool({
    name: 'weather',
    description: 'Weather.',
    parameters: zodSchema,
    execute,
    needsApproval: () => {
      seen.push('approval');
      return false;
    },
    inputGuardrails: [
      {
        name: 'g',
        execute: () => {
          seen.push('guardrail');
          return { type: 'allow' };
        },
      },
    ],
    ...more,
  });
  const hooks: Hooks<unknown> = {
    onToolStart: () => void seen.push('start'),
    onToolEnd: () => void seen.push('end'),
  };
  const model = new ScriptedModel([typeof turn === 'string' ? [call('weather', turn)] : turn, 'done']);
  const result = await Runner.run(new Agent({ name: 'A', model, tools: [weather] }), 'go', { hooks });
  const output = outputsIn(model.requests[1]?.input ?? [])['call_weather'];
  return { seen, execute, output: String(output), result };
}

describe('the arguments of a call', () => {
  test(verifies('T1', 'are given to execute as the schema reads them'), async () => {
    const parameters = z.object({ city: z.string().trim(), days: z.number().default(3) });
    const { execute, seen } = await called('{"city":" Rome "}', { parameters });
    expect(execute.mock.calls[0]?.[0]).toEqual({ city: 'Rome', days: 3 });
    expect(seen).toEqual(['approval', 'guardrail', 'start', 'execute', 'end']);
  });

  test(verifies('T1', 'the empty text is {}'), async () => {
    expect((await called('', { parameters: z.object({}) })).execute.mock.calls[0]?.[0]).toEqual({});
    expect((await called('', { parameters: { type: 'object' } })).execute.mock.calls[0]?.[0]).toEqual({});
    expect((await called('')).output).toContain('city');
  });

  const invalid = [
    '{"city":"Rome"',
    '{city:"Rome"}',
    'Rome',
    ' ',
    'null',
    '[]',
    '"{}"',
    '{"city":1}',
    '{"city":"Rome","days":1.5}',
    '{}',
  ];
  const schemas = { zod: zodSchema, 'JSON Schema': plainSchema } as const;
  test.for(
    invalid.flatMap((text) => Object.entries(schemas).map(([kind, parameters]) => ({ text, kind, parameters }))),
  )(
    verifies('T1', 'invalid ones are told to the model, and nothing else happens: $text ($kind)'),
    async ({ text, parameters }) => {
      const { seen, output, result } = await called(text, { parameters });
      expect(seen).toEqual([]);
      expect(output).toMatch(/not valid JSON|Invalid arguments: /);
      expect(result.finalOutput).toBe('done');
      expect(result.newItems[1]).toMatchObject({ type: 'tool_call_output_item', isError: true, output });
    },
  );

  test(verifies('T1', 'what is wrong is said by path, for both kinds of schema'), async () => {
    for (const parameters of Object.values(schemas)) {
      expect((await called('{"city":1}', { parameters })).output).toMatch(/Invalid arguments: city: .*string/i);
    }
  });

  test(verifies('T1', 'a schema that validates asynchronously is awaited'), async () => {
    const parameters = z.object({ city: z.string().refine(async (city) => city === 'Rome', 'not Rome') });
    expect((await called('{"city":"Rome"}', { parameters })).seen).toContain('execute');
    expect((await called('{"city":"Bonn"}', { parameters })).output).toContain('not Rome');
  });

  test(verifies('T1', "errorFunction words it, and is given the error and the call's context"), async () => {
    const { output, seen } = await called('{"city":1}', {
      errorFunction: ({ error, context }) => `${context.toolName} ${context.callId}: ${(error as Error).message}`,
    });
    expect(output).toMatch(/^weather call_weather: Invalid arguments: city/);
    expect(seen).toEqual([]);
  });

  test(verifies('T4', 'errorFunction: null fails the run with ToolCallError'), async () => {
    const error = await rejection(called('{"city":1}', { errorFunction: null }));
    expect(error).toBeInstanceOf(ToolCallError);
    expect(String(error)).toContain("Tool 'weather' failed: its arguments were invalid");
    expect(String((error as Error).cause)).toContain('city');
  });

  test(verifies('T1', 'nobody is asked to approve an invalid call'), async () => {
    const { result } = await called('{"city":1}', { needsApproval: true });
    expect(result.interruptions).toEqual([]);
    expect(result.finalOutput).toBe('done');
  });

  test('a null for an optional property counts as absent, for models that must send every key', async () => {
    const { execute } = await called('{"city":"Rome","days":null}');
    expect(execute.mock.calls[0]?.[0]).toEqual({ city: 'Rome' });
  });
});

describe('the validator of the core', () => {
  const nested: JsonSchema = {
    type: 'object',
    properties: {
      kind: { enum: ['a', 'b'] },
      version: { const: 2 },
      tags: { type: 'array', items: { type: 'string' } },
      any: { anyOf: [{ type: 'string' }, { type: 'number' }] },
      one: { oneOf: [{ type: 'integer' }, { type: 'number', const: 1.5 }] },
      all: {
        allOf: [
          { type: 'object', required: ['x'] },
          { type: 'object', properties: { x: { type: 'number' } } },
        ],
      },
      tree: { $ref: '#/$defs/node' },
    },
    $defs: {
      node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, n: { type: 'number' } }, required: ['n'] },
    },
    required: ['kind'],
    additionalProperties: false,
  };

  test.for([
    { kind: 'a' },
    { kind: 'b', version: 2, tags: [], any: 1, one: 3, all: { x: 1 }, tree: { n: 1, next: { n: 2 } } },
    { kind: 'a', tags: ['x', 'y'], any: 'text', one: 1.5 },
  ])(verifies('T1', 'a plain JSON Schema lets %j pass'), async (args) => {
    const { execute } = await called(JSON.stringify(args), { parameters: nested });
    expect(execute.mock.calls[0]?.[0]).toEqual(args);
  });

  test.for([
    ['type', [], ''],
    ['required', {}, 'kind'],
    ['enum', { kind: 'c' }, 'kind'],
    ['const', { kind: 'a', version: 3 }, 'version'],
    ['items', { kind: 'a', tags: ['x', 1] }, 'tags[1]'],
    ['anyOf', { kind: 'a', any: true }, 'any'],
    ['oneOf', { kind: 'a', one: 'x' }, 'one'],
    ['allOf', { kind: 'a', all: {} }, 'all'],
    ['allOf properties', { kind: 'a', all: { x: 'y' } }, 'all.x'],
    ['$ref', { kind: 'a', tree: { n: 1, next: { n: 'x' } } }, 'tree.next.n'],
    ['additionalProperties', { kind: 'a', more: 1 }, 'more'],
  ] as const)(verifies('T1', 'a plain JSON Schema checks %s'), async ([, args, path]) => {
    const { execute, output } = await called(JSON.stringify(args), { parameters: nested });
    expect(execute).not.toHaveBeenCalled();
    expect(output).toContain('Invalid arguments: ');
    expect(output).toContain(path);
  });
});

describe('a call that did not end', () => {
  test(verifies('T2', 'is not run, although its arguments happen to parse'), async () => {
    const cut = { ...call('weather', { city: 'Rome' }), status: 'incomplete' as const };
    const { execute, output } = await called([cut]);
    expect(execute).not.toHaveBeenCalled();
    expect(output).toContain('cut off');
  });

  test(verifies('T2', 'a stream cut at any event runs nothing'), async () => {
    const turn = response([call('weather', { city: 'Rome' }, 'one'), call('weather', { city: 'Oslo' }, 'two')]);
    const whole: unknown[] = [];
    for await (const event of new ScriptedModel([turn]).streamResponse({ input: [], tools: [], settings: {} }))
      whole.push(event);
    expect(whole.length).toBeGreaterThan(10);
    for (const ending of ['ends', 'throws'] as const) {
      for (let length = 0; length < whole.length; length++) {
        const execute = vi.fn();
        const weather = tool({ name: 'weather', description: 'W.', parameters: zodSchema, execute });
        const agent = new Agent({ name: 'A', model: cutting(turn, length, ending), tools: [weather] });
        const stream = Runner.runStreamed(agent, 'go', { runConfig: { retry: { maxRetries: 0 } } });
        const error = await rejection(stream.completed);
        expect(error).toMatchObject({ name: 'ModelError', kind: ending === 'ends' ? 'protocol' : 'unknown' });
        expect(execute).not.toHaveBeenCalled();
      }
    }
  });

  /** A model whose stream goes no further than `length` events. */
  function cutting(turn: ReturnType<typeof response>, length: number, ending: 'ends' | 'throws'): Model {
    const scripted = new ScriptedModel([turn]);
    return {
      provider: 'p',
      name: 'm',
      capabilities: {},
      getResponse: (request, at) => scripted.getResponse(request, at),
      async *streamResponse(request, at) {
        let left = length;
        for await (const event of scripted.streamResponse(request, at)) {
          if (left-- <= 0) break;
          yield event;
        }
        if (ending === 'throws') throw new Error('connection lost');
      },
    };
  }
});
