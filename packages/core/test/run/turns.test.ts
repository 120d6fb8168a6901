import { describe, expect, test } from 'vitest';
import { Agent, handoff, MaxTurnsExceededError, Runner, RunState, tool, type ErrorHandlers } from '../../src/index.ts';
import { call, message, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, rejection, response } from './scripts.ts';

const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });

/** An agent that calls `ping` on every turn but the last. */
function pinging(turns: number): { agent: Agent; model: ScriptedModel } {
  const script: ScriptedTurn[] = Array.from({ length: turns - 1 }, (_, index) => [call('ping', {}, `call_${index}`)]);
  const model = new ScriptedModel([...script, 'done']);
  return { agent: new Agent({ name: 'Pinger', model, tools: [ping] }), model };
}

describe('maxTurns', () => {
  test(verifies('L1', 'ten turns are the default, one more is an error'), async () => {
    const ten = pinging(10);
    await expect(Runner.run(ten.agent, 'go')).resolves.toMatchObject({ finalOutput: 'done' });
    const eleven = pinging(11);
    const error = await rejection(Runner.run(eleven.agent, 'go'));
    expect(error).toBeInstanceOf(MaxTurnsExceededError);
    expect(String(error)).toContain('10 turns');
    expect(eleven.model.requests).toHaveLength(10);
  });

  test(verifies('L1', 'the run config sets it, the options beat the run config, null lifts it'), async () => {
    const bound = new Runner({ maxTurns: 3 });
    const a = pinging(4);
    await expect(bound.run(a.agent, 'go')).rejects.toBeInstanceOf(MaxTurnsExceededError);
    expect(a.model.requests).toHaveLength(3);
    const b = pinging(4);
    await expect(bound.run(b.agent, 'go', { maxTurns: 2 })).rejects.toBeInstanceOf(MaxTurnsExceededError);
    expect(b.model.requests).toHaveLength(2);
    const c = pinging(40);
    await expect(bound.run(c.agent, 'go', { maxTurns: null })).resolves.toMatchObject({ finalOutput: 'done' });
    const d = pinging(40);
    await expect(Runner.run(d.agent, 'go', { runConfig: { maxTurns: null } })).resolves.toMatchObject({
      finalOutput: 'done',
    });
  });

  test(
    verifies('L1', 'many tools in one response, and a handoff, are part of the turn that asked for them'),
    async () => {
      const specialist = new Agent({ name: 'Specialist', model: new ScriptedModel(['answered']) });
      const calls = Array.from({ length: 20 }, (_, index) => call('ping', {}, `call_${index}`));
      const triage = new Agent({
        name: 'Triage',
        model: new ScriptedModel([[...calls, call('transfer_to_specialist')]]),
        tools: [ping],
        handoffs: [handoff(specialist)],
      });
      const result = await Runner.run(triage, 'go', { maxTurns: 2 });
      expect(result.finalOutput).toBe('answered');
    },
  );

  test(verifies('L1', 'a retried model call is one turn'), async () => {
    const broken = new Error('x');
    const model = new ScriptedModel([broken, broken, 'at last']);
    const agent = new Agent({ name: 'A', model });
    const retry = { maxRetries: 2, backoff: { initialMs: 0 }, policy: () => true };
    const result = await Runner.run(agent, 'go', { maxTurns: 1, runConfig: { retry } });
    expect(result.finalOutput).toBe('at last');
    expect(model.requests).toHaveLength(3);
  });

  test(
    verifies('L1', 'an approval adds no turn; turns before a resume count, and so does the stored limit'),
    async () => {
      const guarded = tool({
        name: 'guarded',
        description: 'Asks first.',
        parameters: { type: 'object' },
        execute: () => 'ok',
        needsApproval: true,
      });
      const model = new ScriptedModel([[call('guarded', {}, 'one')], [call('guarded', {}, 'two')], 'done']);
      const agent = new Agent({ name: 'A', model, tools: [guarded] });
      const first = await Runner.run(agent, 'go', { maxTurns: 2 });
      first.state.approve(first.interruptions[0]!);
      const second = await Runner.run(agent, RunState.fromString(agent, first.state.toString()));
      expect(second.interruptions).toHaveLength(1);
      second.state.approve(second.interruptions[0]!);
      const error = await rejection(Runner.run(agent, second.state));
      expect(error).toBeInstanceOf(MaxTurnsExceededError);
      const last = await Runner.run(agent, (error as MaxTurnsExceededError).state!, { maxTurns: 3 });
      expect(last.finalOutput).toBe('done');
      expect(model.requests).toHaveLength(3);
    },
  );

  test(verifies('L1', 'a resume without a higher limit ends the same way, without a model call'), async () => {
    const { agent, model } = pinging(3);
    const error = (await rejection(Runner.run(agent, 'go', { maxTurns: 1 }))) as MaxTurnsExceededError;
    await expect(Runner.run(agent, error.state!)).rejects.toBeInstanceOf(MaxTurnsExceededError);
    expect(model.requests).toHaveLength(1);
    await expect(Runner.run(agent, error.state!, { maxTurns: null })).resolves.toMatchObject({ finalOutput: 'done' });
  });

  test(verifies('L1', 'an error handler answers instead, with what the run had done'), async () => {
    const { agent } = pinging(3);
    const seen: string[][] = [];
    const errorHandlers: ErrorHandlers<unknown> = {
      maxTurns: ({ error, runData }) => {
        expect(error).toBeInstanceOf(MaxTurnsExceededError);
        seen.push(brief(runData.newItems));
        return { finalOutput: 'gave up' };
      },
    };
    const result = await Runner.run(agent, 'go', { maxTurns: 1, errorHandlers });
    expect(result.finalOutput).toBe('gave up');
    expect(seen).toEqual([['call ping', 'output ping']]);
    expect(brief(result.newItems)).toEqual(['call ping', 'output ping', 'message gave up']);
  });

  test(verifies('L1', 'the error carries what was done'), async () => {
    const { agent } = pinging(3);
    const error = (await rejection(Runner.run(agent, 'go', { maxTurns: 2 }))) as MaxTurnsExceededError;
    expect(error.runData?.rawResponses).toHaveLength(2);
    expect(error.runData?.usage.requests).toBe(2);
    expect(brief(error.runData?.newItems ?? [])).toEqual(['call ping', 'output ping', 'call ping', 'output ping']);
  });
});

describe('what decides whether the run goes on', () => {
  const stops = ['end', 'tool_calls', 'length', 'content_filter', 'refusal', 'pause', 'other'] as const;

  test.for(stops.flatMap((stop) => [1, 3].map((count) => ({ stop, count }))))(
    verifies('L4', 'complete calls run, whatever the reason says: $stop × $count'),
    async ({ stop, count }) => {
      const calls = Array.from({ length: count }, (_, index) => call('ping', {}, `call_${index}`));
      const model = new ScriptedModel([response(calls, { stop }), 'done']);
      const agent = new Agent({ name: 'A', model, tools: [ping] });
      const result = await Runner.run(agent, 'go');
      expect(result.finalOutput).toBe('done');
      expect(result.newItems.filter(({ type }) => type === 'tool_call_output_item')).toHaveLength(count);
      expect(result.rawResponses[0]?.stop).toEqual({ type: stop, raw: stop });
    },
  );

  test.for(['end', 'tool_calls', 'other'] as const)(
    verifies('L4', 'without calls a text is the answer, whatever the reason says: %s'),
    async (stop) => {
      const model = new ScriptedModel([response([message('hello')], { stop })]);
      const result = await Runner.run(new Agent({ name: 'A', model }), 'go');
      expect(result.finalOutput).toBe('hello');
      expect(result.rawResponses[0]?.stop).toEqual({ type: stop, raw: stop });
    },
  );

  test.for([0, 1, 3])(
    verifies('L4', 'a response that gives no reason at all is judged by its content: %d calls'),
    async (count) => {
      const calls = Array.from({ length: count }, (_, index) => call('ping', {}, `call_${index}`));
      const silent = { ...response([message('hello'), ...calls]), stop: { type: 'other' as const, raw: null } };
      const model = new ScriptedModel([silent, 'done']);
      const result = await Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go');
      expect(result.finalOutput).toBe(count === 0 ? 'hello' : 'done');
      expect(result.newItems.filter(({ type }) => type === 'tool_call_output_item')).toHaveLength(count);
    },
  );

  test.for([0, 1, 2])(
    verifies('L4', 'a call cut off by length is not run and the model is told so, %d complete calls before it are run'),
    async (complete) => {
      const ran: string[] = [];
      const note = tool<unknown, { text?: string }>({
        name: 'note',
        description: 'Notes.',
        parameters: { type: 'object', properties: { text: { type: 'string' } } },
        execute: (_, { callId }) => {
          ran.push(callId);
          return 'noted';
        },
      });
      const calls = Array.from({ length: complete }, (_, index) => call('note', {}, `whole_${index}`));
      const cut = { ...call('note', '{"text":"once upon a ti', 'cut'), status: 'incomplete' as const };
      const model = new ScriptedModel([response([...calls, cut], { stop: 'length' }), 'done']);
      const result = await Runner.run(new Agent({ name: 'A', model, tools: [note] }), 'go');
      expect(ran).toEqual(calls.map((_, index) => `whole_${index}`));
      const told = model.requests[1]?.input.at(-1);
      expect(told).toMatchObject({ type: 'function_call_output', call_id: 'cut' });
      expect(JSON.stringify(told)).toContain('cut off');
      expect(result.newItems.findLast(({ type }) => type === 'tool_call_output_item')).toMatchObject({ isError: true });
    },
  );

  test(verifies('L4', 'the model is told so also when nothing but its output limit shows it'), async () => {
    const calls = [call('ping', '', 'whole'), call('ping', '{"text":"once upon', 'cut')];
    const agent = (model: ScriptedModel) => new Agent({ name: 'A', model, tools: [ping] });
    for (const [stop, words] of [
      ['length', 'cut off'],
      ['tool_calls', 'not valid JSON'],
    ] as const) {
      const model = new ScriptedModel([response(calls, { stop }), 'done']);
      const { newItems } = await Runner.run(agent(model), 'go');
      expect(newItems.map((item) => item.type === 'tool_call_output_item' && item.isError)).toEqual([
        false,
        false,
        false,
        true,
        false,
      ]);
      expect(JSON.stringify(model.requests[1]?.input.at(-1))).toContain(words);
    }
  });

  test(verifies('L6', 'an answer with neither message nor call is the empty text'), async () => {
    const reasoning = { type: 'reasoning' as const, summary: [{ type: 'summary_text' as const, text: 'hm' }] };
    for (const output of [[], [reasoning]]) {
      const model = new ScriptedModel([response(output)]);
      const result = await Runner.run(new Agent({ name: 'A', model }), 'go');
      expect(result.finalOutput).toBe('');
      expect(model.requests).toHaveLength(1);
    }
  });
});
