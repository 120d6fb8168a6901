import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  Agent,
  handoff,
  jsonSchema,
  Runner,
  tool,
  type AnyAgent,
  type Item,
  type RunItem,
  type RunResult,
  type RunStreamEvent,
  type Tool,
  type ToolContext,
} from '../../src/index.ts';

type User = { userId: string };
const city = z.object({ city: z.string() });
const plain = new Agent({ name: 'plain' });
const forUser = new Agent<User>({ name: 'for a user' });
const withCity = new Agent({ name: 'city', outputType: city });
const options = { context: { userId: 'u' } };

test('the output type of the starting agent is that of the final output', () => {
  expectTypeOf(Runner.run(plain, 'x')).resolves.toEqualTypeOf<RunResult<unknown, string>>();
  expectTypeOf(Runner.run(withCity, 'x'))
    .resolves.toHaveProperty('finalOutput')
    .toEqualTypeOf<{ city: string } | undefined>();
  expectTypeOf(Runner.runStreamed(withCity, 'x').finalOutput).toEqualTypeOf<{ city: string } | undefined>();
  expectTypeOf(plain.clone({ outputType: city })).toEqualTypeOf<Agent<unknown, { city: string }>>();
  expectTypeOf(new Agent({ name: 'k', outputType: jsonSchema<{ k: number }>({}) })).toEqualTypeOf<
    Agent<unknown, { k: number }>
  >();
});

test('the context type flows from the agent to the options', () => {
  expectTypeOf(Runner.run(forUser, 'x', options))
    .resolves.toHaveProperty('runContext')
    .toHaveProperty('context')
    .toEqualTypeOf<User>();
  // @ts-expect-error the agent needs a context
  void Runner.run(forUser, 'x');
  // @ts-expect-error a context of another type
  void Runner.run(forUser, 'x', { context: { name: 'n' } });
});

test('the context type flows from a tool to its agent', () => {
  const greet = tool({
    name: 'greet',
    description: 'Greets.',
    parameters: z.object({ name: z.string() }),
    execute: ({ name }, { context }: ToolContext<User>) => name + context.userId,
  });
  expectTypeOf(greet).toEqualTypeOf<Tool<User>>();
  expectTypeOf(new Agent({ name: 'a', tools: [greet] })).toEqualTypeOf<Agent<User>>();
});

test('arguments are of the type that the schema gives', () => {
  tool({
    name: 't',
    description: 'd',
    parameters: z.object({ days: z.number().default(1) }),
    execute: (args) => expectTypeOf(args).toEqualTypeOf<{ days: number }>(),
    needsApproval: ({ arguments: args }) => {
      expectTypeOf(args).toEqualTypeOf<{ days: number }>();
      return true;
    },
  });
  handoff(plain, {
    inputSchema: city,
    onHandoff: ({ input }) => void expectTypeOf(input).toEqualTypeOf<{ city: string }>(),
  });
});

test('agents of other contexts and outputs go together where they may', () => {
  expectTypeOf(withCity).toExtend<AnyAgent>();
  expectTypeOf(plain).toExtend<Agent<User>>();
  expectTypeOf(forUser).not.toExtend<Agent>();
  expectTypeOf(withCity.asTool()).toEqualTypeOf<Tool>();
});

test('unions are told apart by their type', () => {
  expectTypeOf<Extract<Item, { type: 'function_call' }>['arguments']>().toEqualTypeOf<string>();
  expectTypeOf<Extract<RunItem, { type: 'tool_call_output_item' }>['output']>().toEqualTypeOf<unknown>();
  expectTypeOf<Extract<RunItem, { type: 'handoff_output_item' }>['to']>().toEqualTypeOf<AnyAgent>();
  expectTypeOf<Extract<RunStreamEvent, { type: 'agent_updated_stream_event' }>['newAgent']>().toEqualTypeOf<AnyAgent>();
});
