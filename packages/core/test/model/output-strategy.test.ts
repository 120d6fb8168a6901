import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  Agent,
  jsonSchema,
  ModelBehaviorError,
  Runner,
  tool,
  type Capabilities,
  type ModelEvent,
  type ModelRequest,
  type ModelResponse,
} from '../../src/index.ts';
import { outputAsText } from '../../src/model/output-strategy.ts';
import { verifies } from '../requirements.ts';
import { brief, rejection } from '../run/scripts.ts';
import { calling, spoken, toyModel, type Chunk } from '../run/toy-model.ts';

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
const output = { name: 'final_output', schema, strict: true } as const;
const ping = {
  type: 'function',
  name: 'ping',
  description: 'Pings.',
  parameters: { type: 'object' },
  strict: true,
} as const;
const rome = '{"city":"Rome"}';
const asked = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  instructions: 'Be brief.',
  input: [{ type: 'message', role: 'user', content: 'Where?' }],
  tools: [ping],
  output,
  settings: {},
  ...more,
});

/** A model that answers with these chunks, one list for each call, and what it was asked. */
function model(capabilities: Capabilities, ...turns: (readonly Chunk[])[]) {
  const requests: ModelRequest[] = [];
  const made = toyModel({
    capabilities,
    async *open(request) {
      requests.push(request);
      yield* turns[requests.length - 1] ?? spoken('Nothing more.');
    },
  });
  return { model: made, requests };
}

async function both(capabilities: Capabilities, chunks: readonly Chunk[], request = asked()) {
  const { model: made, requests } = model(capabilities, chunks, chunks);
  const response = await made.getResponse(request);
  const events: ModelEvent[] = [];
  for await (const event of made.streamResponse(request)) events.push(event);
  const last = events.at(-1);
  if (last?.type !== 'polyrun:response_done') throw new Error('The stream did not end.');
  expect(last.response).toEqual(response);
  return { request: requests[0], response, events };
}

const strategies = ({ adaptations }: ModelResponse) => adaptations.map(({ type, name }) => `${type} ${name}`);

describe('which strategy', () => {
  const forced = { toolChoice: 'required' } as const;
  test.for<[Capabilities, Partial<ModelRequest>, string | undefined]>([
    [{}, {}, undefined],
    [{ structuredOutput: 'with_tools' }, {}, undefined],
    [{ structuredOutput: 'without_tools' }, { tools: [] }, undefined],
    [{ structuredOutput: 'without_tools' }, {}, 'output_tool'],
    [{ structuredOutput: 'without_tools' }, { settings: { toolChoice: 'none' } }, 'native'],
    [{ structuredOutput: 'without_tools', forcedToolChoice: false }, {}, 'prompted'],
    [{ structuredOutput: 'none' }, {}, 'output_tool'],
    [{ structuredOutput: 'none' }, { tools: [] }, 'output_tool'],
    [{ structuredOutput: 'none', tools: false }, { tools: [] }, 'prompted'],
    [{ structuredOutput: 'none', forcedToolChoice: false }, { tools: [] }, 'prompted'],
    [{ structuredOutput: 'none' }, { output: { ...output, schema: { type: 'array' } } }, 'prompted'],
    [{ structuredOutput: 'none' }, { settings: forced }, 'output_tool'],
  ])('%j asked %j: %s', async ([capabilities, more, strategy]) => {
    const { model: made } = model(capabilities, spoken('x'));
    const response = await made.getResponse(asked(more));
    expect(strategies(response)).toEqual(strategy === undefined ? [] : [`output_strategy ${strategy}`]);
  });

  test('native is sent as it is asked', async () => {
    const { request } = await both({}, spoken(rome));
    expect(request).toEqual(asked());
  });

  test('natively without tools that may not be called, so that the format can stand alone', async () => {
    const { request } = await both(
      { structuredOutput: 'without_tools' },
      spoken(rome),
      asked({ settings: { toolChoice: 'none' } }),
    );
    expect(request).toMatchObject({ tools: [], output });
  });

  test('an output tool stands behind the others, and some tool must be called', async () => {
    const { request } = await both(
      { structuredOutput: 'none' },
      calling({ name: 'final_output', args: { city: 'Rome' } }),
    );
    expect(request).not.toHaveProperty('output');
    expect(request?.tools).toEqual([
      ping,
      {
        type: 'function',
        name: 'final_output',
        description: expect.any(String) as string,
        parameters: schema,
        strict: true,
      },
    ]);
    expect(request?.settings).toEqual({ toolChoice: 'required' });
  });

  test('its name is one that no tool of the user has', async () => {
    const tools = ['final_output', 'final_output_'].map((name) => ({ ...ping, name }));
    const { request, response } = await both(
      { structuredOutput: 'none' },
      calling({ name: 'final_output__', args: { city: 'Rome' } }),
      asked({ tools }),
    );
    expect(request?.tools.map((spec) => spec.name)).toEqual(['final_output', 'final_output_', 'final_output__']);
    expect(response.output).toMatchObject([{ type: 'message' }]);
  });

  test('a forced tool is called before there can be an answer', async () => {
    const { request } = await both(
      { structuredOutput: 'none' },
      calling({ name: 'ping' }),
      asked({ settings: { toolChoice: { name: 'ping' } } }),
    );
    expect(request).toMatchObject({ tools: [ping], settings: { toolChoice: { name: 'ping' } } });
    expect(request).not.toHaveProperty('output');
  });

  test('where no tool may be called, only the output tool is offered', async () => {
    const { request } = await both(
      { structuredOutput: 'none' },
      spoken(rome),
      asked({ settings: { toolChoice: 'none' } }),
    );
    expect(request).toMatchObject({ tools: [{ name: 'final_output' }], settings: { toolChoice: 'required' } });
  });

  test('in words the schema follows the instructions; JSON mode goes with it where the wire has one', async () => {
    const words = { structuredOutput: 'none', forcedToolChoice: false } as const;
    const plain = await both(words, spoken(rome));
    expect(plain.request?.instructions).toBe(
      `Be brief.\n\nAnswer with nothing but JSON that obeys this JSON Schema:\n${JSON.stringify(schema)}`,
    );
    expect(plain.request).not.toHaveProperty('output');
    const json = { ...words, jsonMode: true };
    expect((await both(json, spoken(rome))).request).not.toHaveProperty('output');
    const alone = await both(json, spoken(rome), asked({ tools: [] }));
    expect(alone.request?.output).toEqual({ name: 'final_output', schema: true, strict: false });
    const list = { ...output, schema: { type: 'array' } };
    expect((await both(json, spoken('[]'), asked({ tools: [], output: list }))).request).not.toHaveProperty('output');
  });
});

describe('the call of an output tool', () => {
  const answer = calling({ name: 'final_output', args: { city: 'Rome' } });

  test(verifies('S1', 'is a message, streamed or not'), async () => {
    const { response, events } = await both({ structuredOutput: 'none' }, answer);
    expect(response.output).toEqual([
      {
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: rome, annotations: [] }],
        origin: { provider: 'toy', api: 'toy', model: 'toy-1' },
      },
    ]);
    expect(response.stop).toEqual({ type: 'end', raw: 'tool_calls' });
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
      'polyrun:response_done',
    ]);
    expect(events[3]).toMatchObject({ delta: rome, output_index: 0, content_index: 0, item_id: 'item_0' });
    expect(JSON.stringify(events)).not.toContain('function_call');
  });

  test('is told from other calls and from text in the same response', async () => {
    const chunks: Chunk[] = [
      { type: 'text', delta: 'So: ' },
      ...calling({ name: 'ping' }, { name: 'final_output', args: { city: 'Rome' } }),
    ];
    const { response, events } = await both({ structuredOutput: 'none' }, chunks);
    expect(response.output).toMatchObject([
      { type: 'message', content: [{ text: 'So: ' }] },
      { type: 'function_call', name: 'ping', call_id: 'call_ping' },
      { type: 'message', content: [{ text: rome }] },
    ]);
    expect(response.stop.type).toBe('tool_calls');
    const deltas = events.filter((event) => 'delta' in event);
    expect(deltas.map((event) => [event.type, event.output_index])).toEqual([
      ['response.output_text.delta', 0],
      ['response.function_call_arguments.delta', 1],
      ['response.output_text.delta', 2],
    ]);
  });

  test('keeps its pieces', async () => {
    const chunks: Chunk[] = [
      { type: 'call', id: 'c', name: 'final_output' },
      ...['{"ci', 'ty":"Ro', 'me"}'].map((delta): Chunk => ({ type: 'arguments', id: 'c', delta })),
      { type: 'end', stop: 'tool_calls' },
    ];
    const { events } = await both({ structuredOutput: 'none' }, chunks);
    expect(events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []))).toEqual([
      '{"ci',
      'ty":"Ro',
      'me"}',
    ]);
  });

  test('is nowhere in the stream as a call, also where the wire tells its response and the ends of items by itself', () => {
    const item = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'final_output', arguments: rome } as const;
    const at = { sequence_number: 0, output_index: 0, item_id: 'fc_1' };
    const told: ModelEvent[] = [
      { type: 'response.created', sequence_number: 0, response: { output: [] } },
      { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: { ...item, arguments: '' } },
      { ...at, type: 'response.function_call_arguments.delta', delta: rome },
      { ...at, type: 'response.function_call_arguments.done', arguments: rome },
      { type: 'response.output_item.done', sequence_number: 4, output_index: 0, item },
      { type: 'response.completed', sequence_number: 5, response: { output: [item] } },
    ];
    const shown = told.flatMap(outputAsText('final_output'));
    expect(shown.map(({ type }) => type)).toEqual([
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
    ]);
    expect(JSON.stringify(shown)).not.toContain('function_call');
    expect(told.flatMap(outputAsText('another'))).toEqual(told.filter((event) => !('response' in event)));
  });

  test('that was cut off is an incomplete message, and the cut is still told', async () => {
    const chunks: Chunk[] = [...answer.slice(0, -1), { type: 'end', stop: 'length' }];
    expect((await both({ structuredOutput: 'none' }, chunks)).response.stop.type).toBe('length');
  });
});

describe('in a run', () => {
  const Place = z.object({ city: z.string() });
  const log: string[] = [];
  const pinging = tool({
    name: 'ping',
    description: 'Pings.',
    parameters: { type: 'object' },
    execute: () => void log.push('ping'),
  });
  const agent = (made: ReturnType<typeof model>, more = {}) =>
    new Agent({ name: 'A', model: made.model, tools: [pinging], outputType: Place, ...more });

  test.for(['run', 'streamed'] as const)(
    verifies('L3', 'tools run first, then the output ends the run (%s)'),
    async (way) => {
      const made = model(
        { structuredOutput: 'none' },
        calling({ name: 'ping' }),
        calling({ name: 'final_output', args: { city: 'Rome' } }),
      );
      const stream = way === 'run' ? undefined : Runner.runStreamed(agent(made), 'go');
      await stream?.completed;
      const result = stream ?? (await Runner.run(agent(made), 'go'));
      expect(result.finalOutput).toEqual({ city: 'Rome' });
      expect(brief(result.newItems)).toEqual(['call ping', 'output ping', `message ${rome}`]);
      expect(result.adaptations.map(({ type, name }) => [type, name])).toEqual([
        ['output_strategy', 'output_tool'],
        ['output_strategy', 'output_tool'],
      ]);
    },
  );

  test(verifies('L4', 'an answer beside a call does not end the run before the call was answered'), async () => {
    const rash = calling({ name: 'final_output', args: { city: 'Bonn' } }, { name: 'ping' });
    const made = model({ structuredOutput: 'none' }, rash, calling({ name: 'final_output', args: { city: 'Rome' } }));
    log.length = 0;
    const result = await Runner.run(agent(made), 'go');
    expect([result.finalOutput, log]).toEqual([{ city: 'Rome' }, ['ping']]);
    expect(made.requests[1]?.input.map(({ type }) => type)).toEqual([
      'message',
      'message',
      'function_call',
      'function_call_output',
    ]);
  });

  test(verifies('L3', 'an output that does not fit is asked for again in the same way'), async () => {
    const made = model(
      { structuredOutput: 'none' },
      calling({ name: 'final_output', args: { town: 'Rome' } }),
      calling({ name: 'final_output', args: { city: 'Rome' } }),
    );
    const result = await Runner.run(agent(made, { outputRetries: 1 }), 'go');
    expect(result.finalOutput).toEqual({ city: 'Rome' });
    const wrong = model({ structuredOutput: 'none' }, calling({ name: 'final_output', args: { town: 'Rome' } }));
    expect(await rejection(Runner.run(agent(wrong), 'go'))).toBeInstanceOf(ModelBehaviorError);
  });

  test(
    verifies('L10', 'a forced tool choice holds until a tool has run, then the output tool takes its place'),
    async () => {
      const made = model(
        { structuredOutput: 'none' },
        calling({ name: 'ping' }),
        calling({ name: 'final_output', args: { city: 'Rome' } }),
      );
      await Runner.run(agent(made, { modelSettings: { toolChoice: 'required' } }), 'go');
      expect(made.requests.map(({ tools }) => tools.map((spec) => spec.name))).toEqual([
        ['ping'],
        ['ping', 'final_output'],
      ]);
    },
  );

  test('constraints that a dialect lost are still checked', async () => {
    const outputType = jsonSchema({
      type: 'object',
      properties: { city: { type: 'string', minLength: 5 } },
      required: ['city'],
    });
    const made = model({ structuredOutput: 'none' }, calling({ name: 'final_output', args: { city: 'Rome' } }));
    const error = await rejection(Runner.run(agent(made, { outputType }), 'go'));
    expect(String(error)).toContain('city: expected at least 5 characters');
  });
});
