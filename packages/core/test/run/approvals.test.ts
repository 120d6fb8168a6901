import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agent, Runner, RunState, tool, UserError, type Item } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { agentOf, itemOf, reloaded, waiting, workshop, type Result } from './approvals.ts';
import { orderOf, outputsIn } from './scripts.ts';

describe('what waits', () => {
  test(
    verifies('I1', 'calls that need no approval run at once, and the run ends with the others as interruptions'),
    async () => {
      const { agent, ran, model } = agentOf([[call('pay', { n: 1 }), call('free'), call('mail')], 'hi']);
      const result = await Runner.run(agent, 'go');
      expect(ran.map(({ name }) => name)).toEqual(['free']);
      expect(result.finalOutput).toBeUndefined();
      expect(result.interruptions).toMatchObject([
        {
          type: 'tool_approval_item',
          toolName: 'pay',
          callId: 'call_pay',
          arguments: '{"n":1}',
          path: [],
          agent: { name: 'A' },
        },
        { type: 'tool_approval_item', toolName: 'mail', callId: 'call_mail', path: [] },
      ]);
      expect(model.requests).toHaveLength(1);
    },
  );

  test(
    verifies('I1', 'needsApproval may be a function of the context and the arguments, and may take its time'),
    async () => {
      const asked: unknown[] = [];
      const spend = tool({
        name: 'spend',
        description: 'Spends.',
        parameters: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
        needsApproval: async ({ runContext, arguments: args, callId }) => {
          asked.push([runContext.context, args, callId]);
          return (args as { n: number }).n > (runContext.context as { limit: number }).limit;
        },
        execute: () => 'spent',
      });
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel([[call('spend', { n: 5 }, 'a'), call('spend', { n: 50 }, 'b')], 'hi']),
        tools: [spend],
      });
      const context = { limit: 10 };
      const result = await Runner.run(agent, 'go', { context });
      expect(waiting(result)).toEqual(['b']);
      expect(asked).toEqual([
        [context, { n: 5 }, 'a'],
        [context, { n: 50 }, 'b'],
      ]);
      for (const item of result.interruptions) result.state.approve(item);
      expect((await Runner.run(agent, result.state, { context })).finalOutput).toBe('hi');
      expect(asked).toHaveLength(2);
    },
  );
});

describe('answers', () => {
  test(
    verifies('I2', 'approved calls run and rejected ones tell the model, in the words of the person if there are any'),
    async () => {
      const { agent, ran, model } = agentOf([[call('pay'), call('mail', {}, 'm1'), call('mail', {}, 'm2')], 'hi']);
      const first = await Runner.run(agent, 'go');
      const state = reloaded(agent, first);
      state.approve(itemOf(state, 'call_pay'));
      state.reject(itemOf(state, 'm1'));
      state.reject(itemOf(state, 'm2'), { message: 'Not on Sundays.' });
      const result = await Runner.run(agent, state);
      expect(result.finalOutput).toBe('hi');
      expect(ran.map(({ callId }) => callId)).toEqual(['call_pay']);
      expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({
        call_pay: 'pay done',
        m1: 'Tool execution was not approved.',
        m2: 'Not on Sundays.',
      });
    },
  );

  test(verifies('E2', 'a decision on an interruption that there is none of says so'), async () => {
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['done']) });
    const { state, interruptions } = await Runner.run(agent, 'go');
    for (const decide of [() => state.approve(interruptions[0] as never), () => state.reject(undefined as never)]) {
      expect(decide).toThrow(UserError);
      expect(decide).toThrow('take one of interruptions');
    }
  });

  test(verifies('I2', 'no answer gives the same interruptions back, without a model call or a tool'), async () => {
    const { agent, model, ran } = agentOf([[call('pay'), call('free')], 'hi']);
    const first = await Runner.run(agent, 'go');
    const second = await Runner.run(agent, reloaded(agent, first));
    expect(waiting(second)).toEqual(waiting(first));
    expect(second.state.toString()).toBe(first.state.toString());
    expect([model.requests.length, ran.length]).toEqual([1, 1]);
  });

  test(
    verifies('I2', 'in whatever portions answers are given, each call is answered as it was said and run once'),
    async () => {
      const answers = fc.array(fc.record({ approve: fc.boolean(), round: fc.nat(3) }), { minLength: 1, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(answers, fc.boolean(), async (plan, nested) => {
          const calls = plan.map((_, index) => call('pay', { index }, `c${index}`));
          const inner = agentOf([calls, 'inner end']);
          const outer = agentOf([[call('sub', { input: 'x' })], 'end'], {
            name: 'B',
            tools: [inner.agent.asTool({ toolName: 'sub' })],
          });
          const { agent } = nested ? outer : inner;
          let result: Result = await Runner.run(agent, 'go');
          for (let round = 0; round <= 3; round++) {
            const state = reloaded(agent, result);
            for (const [index, answer] of plan.entries()) {
              if (answer.round !== round) continue;
              if (answer.approve) state.approve(itemOf(state, `c${index}`));
              else state.reject(itemOf(state, `c${index}`), { message: `no ${index}` });
            }
            result = await Runner.run(agent, state);
            const open = plan.flatMap((answer, index) => (answer.round > round ? [`c${index}`] : []));
            expect(waiting(result)).toEqual(open);
            if (open.length === 0) break;
            expect(inner.model.requests).toHaveLength(1);
          }
          expect(result.finalOutput).toBe(nested ? 'end' : 'inner end');
          const told = outputsIn(inner.model.requests[1]?.input ?? []);
          expect(told).toEqual(
            Object.fromEntries(plan.map(({ approve }, index) => [`c${index}`, approve ? 'pay done' : `no ${index}`])),
          );
          const approved = plan.flatMap(({ approve }, index) => (approve ? [`c${index}`] : []));
          expect(inner.ran.map(({ callId }) => callId).toSorted()).toEqual(approved);
        }),
        { numRuns: 60 },
      );
    },
  );

  test('outputs that a resume settles are appended behind those before, in call order among themselves', async () => {
    const { agent } = agentOf([
      [call('pay', {}, 'a'), call('free', {}, 'b'), call('pay', {}, 'c'), call('pay', {}, 'd')],
      'hi',
    ]);
    const first = await Runner.run(agent, 'go');
    const state = reloaded(agent, first);
    state.approve(itemOf(state, 'd'));
    state.approve(itemOf(state, 'c'));
    const second = await Runner.run(agent, state);
    second.state.approve(itemOf(second.state, 'a'));
    const result = await Runner.run(agent, second.state);
    expect(orderOf(result.toInputList())).toEqual(['b', 'c', 'd', 'a']);
  });

  test(
    verifies('I2', 'an answer that holds always is for this tool of this agent, now and for the rest of the run'),
    async () => {
      const { agent, ran } = agentOf([
        [call('pay', { edited: false }, 'p1'), call('pay', {}, 'p2'), call('mail', {}, 'm1')],
        [call('pay', {}, 'p3'), call('mail', {}, 'm2')],
        'hi',
      ]);
      const first = await Runner.run(agent, 'go');
      first.state.approve(itemOf(first.state, 'p1'), { always: true, arguments: { edited: true } });
      expect(waiting(first.state)).toEqual(['m1']);
      first.state.reject(itemOf(first.state, 'm1'));
      const second = await Runner.run(agent, reloaded(agent, first));
      // The other tool asks again, this one does not; edited arguments were for their call only.
      expect(waiting(second)).toEqual(['m2']);
      expect(ran.map(({ callId, args }) => [callId, args])).toEqual([
        ['p1', { edited: true }],
        ['p2', {}],
        ['p3', {}],
      ]);
      second.state.reject(itemOf(second.state, 'm2'), { always: true, message: 'never' });
      const result = await Runner.run(agent, reloaded(agent, second));
      expect(result.finalOutput).toBe('hi');
    },
  );

  test(verifies('I2', 'a call that one answer was given for keeps it when another is to hold always'), async () => {
    const { agent, ran } = agentOf([[call('pay', {}, 'p1'), call('pay', {}, 'p2')], 'hi']);
    const { state } = await Runner.run(agent, 'go');
    state.reject(itemOf(state, 'p1'));
    state.approve(itemOf(state, 'p2'), { always: true });
    await Runner.run(agent, state);
    expect(ran.map(({ callId }) => callId)).toEqual(['p2']);
  });

  test(
    verifies('I2', 'it holds inside agents as tools too, for runs inside that go on and for those to come'),
    async () => {
      const shop = workshop();
      const script = (request: { input: readonly Item[] }) =>
        request.input.length > 1 ? 'inner end' : [call('pay'), call('mail')];
      const worker = new Agent({
        name: 'W',
        model: new ScriptedModel([script, script, script, script, script, script]),
        tools: [shop.pay, shop.mail],
      });
      const sub = worker.asTool({ toolName: 'sub' });
      const boss = new Agent({
        name: 'B',
        model: new ScriptedModel([
          [call('sub', { input: 'a' }, 's1'), call('sub', { input: 'b' }, 's2')],
          [call('sub', { input: 'c' }, 's3'), call('pay', {}, 'own')],
          'end',
        ]),
        tools: [sub, shop.pay],
      });
      const first = await Runner.run(boss, 'go');
      expect(first.interruptions.map(({ path, callId }) => [...path, callId])).toEqual([
        ['s1', 'call_pay'],
        ['s1', 'call_mail'],
        ['s2', 'call_pay'],
        ['s2', 'call_mail'],
      ]);
      const state = reloaded(boss, first);
      const [pay, mail] = state.interruptions;
      if (pay) state.approve(pay, { always: true });
      if (mail) state.reject(mail, { always: true, message: 'no mail' });
      expect(state.interruptions).toEqual([]);
      const second = await Runner.run(boss, RunState.fromString(boss, state.toString()));
      // The same tool of another agent asks on its own.
      expect(second.interruptions.map(({ path, callId, agent }) => [agent.name, ...path, callId])).toEqual([
        ['B', 'own'],
      ]);
      expect(shop.ran.map(({ name }) => name)).toEqual(['pay', 'pay', 'pay']);
    },
  );
});
