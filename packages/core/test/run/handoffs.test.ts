import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Agent, handoff, Runner, tool, UserError } from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, outputsIn, rejection, response, toolNames } from './scripts.ts';

const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });

describe('a handoff', () => {
  test(verifies('L7', 'makes the other agent answer, with its own instructions, tools and settings'), async () => {
    const model = new ScriptedModel([[message('One moment.'), call('transfer_to_second')], 'second here']);
    const second = new Agent({
      name: 'Second',
      instructions: 'You are the second.',
      model,
      tools: [ping],
      modelSettings: { temperature: 1 },
    });
    const first = new Agent({ name: 'First', instructions: 'You are the first.', model, handoffs: [second] });
    const result = await Runner.run(first, 'go');
    expect(result.finalOutput).toBe('second here');
    expect(result.lastAgent).toBe(second);
    expect(brief(result.newItems)).toEqual([
      'message One moment.',
      'handoff call Second',
      'handoff First > Second',
      'message second here',
    ]);
    expect(result.newItems.map(({ agent }) => agent.name)).toEqual(['First', 'First', 'First', 'Second']);
    expect(model.requests[1]).toMatchObject({ instructions: 'You are the second.', settings: { temperature: 1 } });
    expect(toolNames(model.requests[1])).toEqual(['ping']);
    expect(model.requests[1]?.input).toEqual(result.toInputList().slice(0, -1));
    expect(outputsIn(result.toInputList())).toEqual({ call_transfer_to_second: '{"assistant":"Second"}' });
  });

  test(verifies('L7', 'of several in one response the first wins, the others are answered'), async () => {
    const names = ['B', 'C', 'D'];
    const targets = names.map((name) => new Agent({ name, model: new ScriptedModel([`${name} here`]) }));
    const model = new ScriptedModel([names.map((name) => call(`transfer_to_${name.toLowerCase()}`, {}, name))]);
    const result = await Runner.run(new Agent({ name: 'A', model, handoffs: targets }), 'go');
    expect(result.finalOutput).toBe('B here');
    expect(outputsIn(result.toInputList())).toEqual({
      B: '{"assistant":"B"}',
      C: 'Multiple handoffs detected, ignoring this one.',
      D: 'Multiple handoffs detected, ignoring this one.',
    });
  });

  test(verifies('L7', 'other tools of the response run first, and the new agent sees their outputs'), async () => {
    const order: string[] = [];
    const slow = tool({
      name: 'slow',
      description: 'Slow.',
      parameters: { type: 'object' },
      execute: async () => {
        await new Promise<void>((resolve) => setTimeout(resolve));
        order.push('tool');
        return 'slowly';
      },
    });
    const model = new ScriptedModel([[call('transfer_to_b'), call('slow'), call('ping')], 'b here']);
    const b = new Agent({ name: 'B', model });
    const onHandoff = () => void order.push('handoff');
    const a = new Agent({ name: 'A', model, handoffs: [handoff(b, { onHandoff })], tools: [slow, ping] });
    await Runner.run(a, 'go');
    expect(order).toEqual(['tool', 'handoff']);
    expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({
      call_slow: 'slowly',
      call_ping: 'pong',
      call_transfer_to_b: '{"assistant":"B"}',
    });
  });

  test(verifies('L8', 'waits for a pending approval, and follows after the resume'), async () => {
    const asks = tool({
      name: 'asks',
      description: 'Asks.',
      parameters: { type: 'object' },
      execute: () => 'did it',
      needsApproval: true,
    });
    const model = new ScriptedModel([[call('transfer_to_b'), call('asks'), call('ping')], 'b here']);
    const b = new Agent({ name: 'B', model });
    const a = new Agent({ name: 'A', model, handoffs: [b], tools: [asks, ping] });
    const stopped = await Runner.run(a, 'go');
    expect(stopped.interruptions.map(({ toolName }) => toolName)).toEqual(['asks']);
    expect(stopped.lastAgent).toBe(a);
    expect(outputsIn(stopped.toInputList())).toEqual({ call_ping: 'pong' });
    stopped.state.approve(stopped.interruptions[0]!);
    const result = await Runner.run(a, stopped.state);
    expect(result.lastAgent).toBe(b);
    expect(outputsIn(model.requests[1]?.input ?? [])).toMatchObject({ call_asks: 'did it', call_ping: 'pong' });
    expect(model.requests).toHaveLength(2);
  });

  test(verifies('L8', 'beats toolUseBehavior, and a message beside it'), async () => {
    const model = new ScriptedModel([[message('This could be final.'), call('ping'), call('transfer_to_b')], 'b here']);
    const b = new Agent({ name: 'B', model });
    const a = new Agent({ name: 'A', model, handoffs: [b], tools: [ping], toolUseBehavior: 'stop_on_first_tool' });
    expect(await Runner.run(a, 'go')).toMatchObject({ finalOutput: 'b here', lastAgent: b });
  });

  test(verifies('L8', 'toolUseBehavior beats the message beside the call'), async () => {
    const model = new ScriptedModel([[message('This could be final.'), call('ping')]]);
    const a = new Agent({ name: 'A', model, tools: [ping], toolUseBehavior: 'stop_on_first_tool' });
    expect((await Runner.run(a, 'go')).finalOutput).toBe('pong');
  });

  test('is not made by a call that was cut off: a complete one after it is', async () => {
    const model = new ScriptedModel([
      response([{ ...call('transfer_to_b'), status: 'incomplete' }, call('transfer_to_c')], { stop: 'length' }),
      'c here',
    ]);
    const [b, c] = ['B', 'C'].map((name) => new Agent({ name, model })) as [Agent, Agent];
    const result = await Runner.run(new Agent({ name: 'A', model, handoffs: [b, c] }), 'go');
    expect(result.lastAgent).toBe(c);
    expect(outputsIn(result.toInputList())['call_transfer_to_b']).toContain('cut off');
  });

  test('takes an input that its schema checks, and gives it to onHandoff before the new agent answers', async () => {
    const order: unknown[] = [];
    const model = new ScriptedModel([
      [call('transfer_to_b', { reason: 1 }, 'bad')],
      [call('transfer_to_b', { reason: 'refund' }, 'good')],
      () => {
        order.push('model');
        return 'b here';
      },
    ]);
    const b = new Agent({ name: 'B', model });
    const made = handoff(b, {
      inputSchema: z.object({ reason: z.string() }),
      onHandoff: async ({ input, runContext }) => {
        await Promise.resolve();
        order.push(input, runContext.agent.name);
      },
    });
    const result = await Runner.run(new Agent({ name: 'A', model, handoffs: [made] }), 'go');
    expect(order).toEqual([{ reason: 'refund' }, 'A', 'model']);
    expect(outputsIn(result.toInputList())['bad']).toContain('Invalid arguments: reason');
    expect(model.requests[0]?.tools).toMatchObject([{ parameters: { properties: { reason: { type: 'string' } } } }]);
    expect(brief(result.newItems).slice(0, 2)).toEqual(['handoff call B', 'output transfer_to_b']);
  });

  test(verifies('T7', 'a disabled one is not offered, and asked about on each turn'), async () => {
    const model = new ScriptedModel([[call('ping', {}, '1')], [call('transfer_to_b', {}, '2')], 'b here']);
    const b = new Agent({ name: 'B', model });
    const asked: string[] = [];
    const a = new Agent<{ paid: boolean }>({
      name: 'A',
      model,
      tools: [ping],
      handoffs: [
        handoff<{ paid: boolean }>(b, {
          isEnabled: async ({ runContext, agent }) => {
            asked.push(agent.name);
            return runContext.usage.requests > 0 && runContext.context.paid;
          },
        }),
        handoff(new Agent({ name: 'C', model }), { isEnabled: false }),
      ],
    });
    await Runner.run(a, 'go', { context: { paid: true } });
    expect(model.requests.slice(0, 2).map(toolNames)).toEqual([['ping'], ['ping', 'transfer_to_b']]);
    expect(asked).toEqual(['A', 'A']);
  });

  test('a schema that is not an object is refused where it is written', async () => {
    const b = new Agent({ name: 'B', model: new ScriptedModel([]) });
    expect(() => handoff(b, { inputSchema: z.string() })).toThrow(UserError);
    expect(() => handoff(b, { inputSchema: z.string() })).toThrow(/Handoff to 'B' inputSchema/);
  });

  test('an onHandoff that throws fails the run', async () => {
    const model = new ScriptedModel([[call('transfer_to_b')]]);
    const made = handoff(new Agent({ name: 'B', model }), {
      onHandoff: () => {
        throw new RangeError('no seats');
      },
    });
    expect(await rejection(Runner.run(new Agent({ name: 'A', model, handoffs: [made] }), 'go'))).toBeInstanceOf(
      RangeError,
    );
  });
});
