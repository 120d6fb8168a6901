import { describe, expect, test } from 'vitest';
import { Agent, defineModel, MemorySession, Runner, RunState, tool, usageOf, type Item } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { agentOf, argumentsIn, itemOf, reloaded } from './approvals.ts';
import { outputsIn } from './scripts.ts';

describe('edited arguments', () => {
  test(
    verifies('I2', 'with edited arguments the log keeps the call, the output tells what ran, and requests show it'),
    async () => {
      const { agent, ran, model } = agentOf([[call('pay', { n: 1 }), call('free', { n: 2 })], 'hi']);
      const session = new MemorySession();
      const first = await Runner.run(agent, 'go', { session });
      const state = reloaded(agent, first);
      state.approve(itemOf(state, 'call_pay'), { arguments: { n: 0.5 } });
      const result = await Runner.run(agent, RunState.fromString(agent, state.toString()), { session });
      expect(ran.find(({ name }) => name === 'pay')?.args).toEqual({ n: 0.5 });
      expect(argumentsIn(result.toInputList())).toEqual({ call_pay: '{"n":1}', call_free: '{"n":2}' });
      const output = result
        .toInputList()
        .find((item) => item.type === 'function_call_output' && item.call_id === 'call_pay');
      expect(output?.provider_data).toEqual({ polyrun: { arguments: '{"n":0.5}' } });
      expect(argumentsIn(model.requests[1]?.input)).toEqual({ call_pay: '{"n":0.5}', call_free: '{"n":2}' });
      // From a session, and from a list, by a run that knows nothing of the person.
      const later = new ScriptedModel(['a', 'b']);
      const fresh = new Agent({ name: 'C', model: later });
      await Runner.run(fresh, 'and?', { session });
      await Runner.run(fresh, [...result.toInputList(), { role: 'user', content: 'and?' }]);
      for (const request of later.requests)
        expect(argumentsIn(request.input)).toEqual({ call_pay: '{"n":0.5}', call_free: '{"n":2}' });
      expect(argumentsIn(await session.getItems())).toEqual({ call_pay: '{"n":1}', call_free: '{"n":2}' });
    },
  );

  test(verifies('I2', 'a model made by defineModel is shown what ran when it is called directly, too'), async () => {
    const bodies: (readonly Item[])[] = [];
    const model = defineModel(
      { provider: 'p', api: 'a', name: 'm', capabilities: {} },
      {
        encode: ({ input }) => ({ body: input, adaptations: [] }),
        decode: () => ({
          model: 'm',
          output: [],
          usage: usageOf({}),
          stop: { type: 'end', raw: null },
        }),
        accumulate: () => ({ add: () => [], end: () => null }),
      },
      {
        send: async (body) => {
          bodies.push(body);
          return null;
        },
        open: () => {
          throw new Error('not streamed');
        },
        toError: (error) => error as never,
      },
    );
    const input: Item[] = [
      { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{"n":1}' },
      {
        type: 'function_call_output',
        call_id: 'c',
        output: 'ok',
        provider_data: { polyrun: { arguments: '{"n":2}' } },
      },
    ];
    await model.getResponse({ input, tools: [], settings: {} });
    expect(argumentsIn(bodies[0])).toEqual({ c: '{"n":2}' });
    expect(argumentsIn(input)).toEqual({ c: '{"n":1}' });
  });

  test(verifies('I2', 'arguments of an agent as a tool can be edited as well'), async () => {
    const innerModel = new ScriptedModel(['inner end']);
    const sub = new Agent({ name: 'W', model: innerModel }).asTool({ toolName: 'sub', needsApproval: true });
    const { agent, model } = agentOf([[call('sub', { input: 'delete it' })], 'end'], { tools: [sub] });
    const { state } = await Runner.run(agent, 'go');
    state.approve(itemOf(state, 'call_sub'), { arguments: { input: 'archive it' } });
    const result = await Runner.run(agent, state);
    expect(innerModel.requests[0]?.input).toMatchObject([{ content: 'archive it' }]);
    expect(argumentsIn(model.requests[1]?.input)).toEqual({ call_sub: '{"input":"archive it"}' });
    expect(argumentsIn(result.toInputList())).toEqual({ call_sub: '{"input":"delete it"}' });
  });

  test('edited arguments have to fit the schema like any others', async () => {
    const strict = tool({
      name: 'strict',
      description: 'Strict.',
      parameters: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
      needsApproval: true,
      execute: () => 'ran',
    });
    const { agent, model } = agentOf([[call('strict', { n: 1 })], 'hi'], { tools: [strict] });
    const { state } = await Runner.run(agent, 'go');
    state.approve(itemOf(state, 'call_strict'), { arguments: { n: 'one' } });
    await Runner.run(agent, state);
    expect(outputsIn(model.requests[1]?.input ?? [])['call_strict']).toContain('Invalid arguments');
  });
});
