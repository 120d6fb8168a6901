import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Agent,
  clientTool,
  defineModel,
  MemorySession,
  Runner,
  RunState,
  tool,
  UserError,
  type AgentOptions,
  type Item,
  type OutputItem,
  type ProviderItem,
  type RunResult,
} from '../../src/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { idle } from './stage.ts';
import { latch, orderOf, outputsIn, rejection } from './scripts.ts';

type Result = RunResult<unknown, unknown>;
const parameters = { type: 'object' };

/** Tools that note what they ran with. */
function workshop() {
  const ran: { name: string; args: unknown; callId: string; key: string }[] = [];
  const make = (name: string, needsApproval: boolean) =>
    tool({
      name,
      description: `Does ${name}.`,
      parameters,
      needsApproval,
      execute: (args, { callId, idempotencyKey: key }) => {
        ran.push({ name, args, callId, key });
        return `${name} done`;
      },
    });
  return { ran, free: make('free', false), pay: make('pay', true), mail: make('mail', true) };
}

function agentOf(turns: readonly ScriptedTurn[], more: Partial<AgentOptions<unknown, string>> = {}) {
  const shop = workshop();
  const model = new ScriptedModel(turns);
  const agent = new Agent({ name: 'A', model, tools: [shop.free, shop.pay, shop.mail], ...more });
  return { ...shop, model, agent };
}

/** A state as another process has it. */
const reloaded = (agent: Agent, { state }: Result) => RunState.fromString(agent, state.toString());
const waiting = (result: Pick<Result, 'interruptions'>) => result.interruptions.map(({ callId }) => callId);
const itemOf = (state: RunState, callId: string) => {
  const item = state.interruptions.find((each) => each.callId === callId);
  if (!item) throw new Error(`Nothing waits as ${callId}.`);
  return item;
};
const argumentsIn = (items: readonly Item[] | undefined) =>
  Object.fromEntries(
    (items ?? []).flatMap((item) => (item.type === 'function_call' ? [[item.call_id, item.arguments]] : [])),
  );

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
          usage: new ScriptedModel([]).requests as never,
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

describe('stored states', () => {
  /** Three agents in each other; the innermost asks. */
  function deep() {
    const shop = workshop();
    const inner = new Agent({
      name: 'Inner',
      model: new ScriptedModel([[call('pay'), call('free')], 'inner end']),
      tools: [shop.pay, shop.free],
    });
    const middle = new Agent({
      name: 'Middle',
      model: new ScriptedModel([[call('inner', { input: 'x' }), call('free')], 'middle end']),
      tools: [inner.asTool({ toolName: 'inner' }), shop.free],
    });
    const outer = new Agent({
      name: 'Outer',
      model: new ScriptedModel([[call('middle', { input: 'x' }), call('free')], 'outer end']),
      tools: [middle.asTool({ toolName: 'middle' }), shop.free],
    });
    return { ...shop, outer };
  }

  test(
    verifies('I3', 'a state is JSON, and loads in a process that knows only the text and the agents, at any depth'),
    async () => {
      const first = deep();
      const { state } = await Runner.run(first.outer, 'go');
      expect(JSON.parse(JSON.stringify(state))).toEqual(JSON.parse(state.toString()));
      expect(structuredClone(state.toJSON())).toEqual(state.toJSON());
      expect(first.ran.map(({ key }) => key.replace(/^[^/]+/, 'run'))).toEqual([
        'run/1/call_free',
        'run/1/call_middle/1/call_free',
        'run/1/call_middle/1/call_inner/1/call_free',
      ]);
      // The models of the other process have only their second turns left.
      const shop = workshop();
      const inner = new Agent({ name: 'Inner', model: new ScriptedModel(['inner end']), tools: [shop.pay, shop.free] });
      const middle = new Agent({
        name: 'Middle',
        model: new ScriptedModel(['middle end']),
        tools: [inner.asTool({ toolName: 'inner' }), shop.free],
      });
      const model = new ScriptedModel(['outer end']);
      const outer = new Agent({ name: 'Outer', model, tools: [middle.asTool({ toolName: 'middle' }), shop.free] });
      const loaded = RunState.fromString(outer, state.toString());
      expect(loaded.interruptions).toMatchObject([
        { path: ['call_middle', 'call_inner'], callId: 'call_pay', agent: { name: 'Inner' } },
      ]);
      for (const item of loaded.interruptions) loaded.approve(item);
      const result = await Runner.run(outer, RunState.fromString(outer, loaded.toString()));
      expect(result.finalOutput).toBe('outer end');
      expect(shop.ran.map(({ name }) => name)).toEqual(['pay']);
      expect(outputsIn(model.requests[0]?.input ?? [])).toEqual({ call_middle: 'middle end', call_free: 'free done' });
    },
  );

  test.for<[string, string, string]>([
    ['something else', 'hello', 'expected what RunState.toString wrote'],
    ['no state', '{"version":1}', 'holds no state'],
    ['a later version', '{"version":999,"state":{}}', 'version 999'],
  ])('%s is refused with the way out', ([, text, words]) => {
    const load = () => RunState.fromString(new Agent({ name: 'A' }), text);
    expect(load).toThrow(UserError);
    expect(load).toThrow(words);
  });

  test('a state of other agents is refused', async () => {
    const { agent } = agentOf([[call('pay')]]);
    const { state } = await Runner.run(agent, 'go');
    expect(() => RunState.fromString(new Agent({ name: 'Z' }), state.toString())).toThrow(
      'pass the agent that the run began with',
    );
    await expect(Runner.run(new Agent({ name: 'Z', model: new ScriptedModel([]) }), state)).rejects.toThrow(UserError);
  });

  test(verifies('I4', 'the stored call runs, and the model is not asked again for it'), async () => {
    const { agent, model, ran } = agentOf([[call('pay', { n: 1 })], 'hi']);
    const first = await Runner.run(agent, 'go');
    const state = reloaded(agent, first);
    state.approve(itemOf(state, 'call_pay'));
    await Runner.run(agent, RunState.fromString(agent, state.toString()));
    expect(ran).toMatchObject([{ args: { n: 1 }, callId: 'call_pay' }]);
    expect(model.requests).toHaveLength(2);
  });

  const changes: [string, (text: string) => string][] = [
    ['the arguments', (text) => text.replaceAll('{\\"n\\":1}', '{\\"n\\":1000}')],
    ['the tool', (text) => text.replaceAll('"pay"', '"mail"')],
    ['the call id', (text) => text.replaceAll('"call_pay"', '"call_other"')],
    [
      'the arguments of the slot alone',
      (text) => text.replace(/("callId":"call_pay"[^{}]*?)\{\\"n\\":1\}/, '$1{\\"n\\":9}'),
    ],
  ];
  test.for(changes)(
    verifies('I4', 'a stored state in which %s changed is refused, before an answer and after it'),
    async ([, change]) => {
      for (const nested of [false, true]) {
        const inner = agentOf([[call('pay', { n: 1 })], 'hi']);
        const outer = agentOf([[call('sub', { input: 'x' })], 'end'], {
          name: 'B',
          tools: [inner.agent.asTool({ toolName: 'sub' })],
        });
        const { agent } = nested ? outer : inner;
        const { state } = await Runner.run(agent, 'go');
        const before = state.toString();
        for (const item of state.interruptions) state.approve(item);
        const after = state.toString();
        for (const text of [before, after]) {
          const changed = change(text);
          expect(changed).not.toBe(text);
          expect(() => RunState.fromString(agent, changed)).toThrow(UserError);
          expect(() => RunState.fromString(agent, changed)).toThrow('was changed after');
          expect(() => RunState.fromString(agent, text)).not.toThrow();
        }
        expect(inner.ran).toEqual([]);
      }
    },
  );

  test(verifies('I4', 'an answer that was changed in the store is refused too'), async () => {
    const { agent } = agentOf([[call('pay', { n: 1 })], 'hi']);
    const { state } = await Runner.run(agent, 'go');
    state.approve(itemOf(state, 'call_pay'), { arguments: { n: 2 } });
    const text = state.toString();
    expect(() => RunState.fromString(agent, text.replace('\\"n\\":2', '\\"n\\":3'))).toThrow(UserError);
    const rejected = await Runner.run(agentOf([[call('pay')]]).agent, 'go');
    rejected.state.reject(itemOf(rejected.state, 'call_pay'));
    expect(() => RunState.fromString(agent, rejected.state.toString().replace('"rejected"', '"approved"'))).toThrow(
      UserError,
    );
  });

  test(verifies('I4', 'an item of another call, or one that was changed on its way, answers nothing'), async () => {
    const { agent } = agentOf([[call('pay', { n: 1 })], 'hi']);
    const { state } = await Runner.run(agent, 'go');
    const item = itemOf(state, 'call_pay');
    expect(() => state.approve({ ...item, callId: 'other' })).toThrow(UserError);
    expect(() => state.approve({ ...item, path: ['x'] })).toThrow(UserError);
    expect(() => state.approve({ ...item, arguments: '{"n":2}' })).toThrow(UserError);
    expect(() => state.approve({ ...item, toolName: 'mail' })).toThrow(UserError);
    state.approve(item);
    expect(() => state.approve(item)).toThrow(UserError);
  });

  test(verifies('I5', 'finished calls are not run again, at any depth, through however many resumes'), async () => {
    const { outer, ran } = deep();
    const first = await Runner.run(outer, 'go');
    const idleAgain = await Runner.run(outer, reloaded(outer, first));
    const state = reloaded(outer, idleAgain);
    for (const item of state.interruptions) state.approve(item);
    await Runner.run(outer, state);
    expect(ran.map(({ key }) => key.replace(/^[^/]+\//, ''))).toEqual([
      '1/call_free',
      '1/call_middle/1/call_free',
      '1/call_middle/1/call_inner/1/call_free',
      '1/call_middle/1/call_inner/1/call_pay',
    ]);
  });

  test(verifies('I5', 'nor after an error: only what had not finished is made again'), async () => {
    let broken = true;
    const shop = workshop();
    const shaky = tool({
      name: 'shaky',
      description: 'Fails once.',
      parameters,
      errorFunction: null,
      execute: () => {
        if (broken) throw new Error('down');
        return 'up';
      },
    });
    const inner = new Agent({
      name: 'W',
      model: new ScriptedModel([[call('free', {}, 'f1')], 'inner end']),
      tools: [shop.free],
    });
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('sub', { input: 'x' })], [call('shaky'), call('free')], 'hi']),
      tools: [inner.asTool({ toolName: 'sub' }), shaky, shop.free],
    });
    const error = await rejection(Runner.run(agent, 'go'));
    const { state } = error as UserError;
    if (!state) throw new Error('no state');
    broken = false;
    const result = await Runner.run(agent, RunState.fromString(agent, state.toString()));
    expect(result.finalOutput).toBe('hi');
    expect(shop.ran.map(({ callId }) => callId)).toEqual(['f1', 'call_free']);
    expect(outputsIn(result.toInputList())).toMatchObject({ call_shaky: 'up', call_free: 'free done' });
  });

  test(verifies('I5', 'nor after a cancel: a call that settled late is kept'), async () => {
    const slow = latch<string>();
    const ran: string[] = [];
    const tools = ['quick', 'slow'].map((name) =>
      tool({
        name,
        description: 'Works.',
        parameters,
        execute: () => {
          ran.push(name);
          return name === 'slow' ? slow.promise : 'ok';
        },
      }),
    );
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('slow'), call('quick')], 'hi']), tools });
    const stream = Runner.runStreamed(agent, 'go');
    const done = stream.completed;
    await idle();
    stream.cancel();
    slow.open('late but there');
    await done;
    const result = await Runner.run(agent, RunState.fromString(agent, stream.state.toString()));
    expect(ran).toEqual(['slow', 'quick']);
    expect(outputsIn(result.toInputList())).toEqual({ call_slow: 'late but there', call_quick: 'ok' });
  });
});

describe('hosted MCP', () => {
  const request = (id: string, server = 'files'): OutputItem => ({
    type: 'mcp_approval_request',
    id,
    name: 'delete',
    arguments: '{"path":"/"}',
    server_label: server,
  });
  const spec = { type: 'mcp', server_label: 'files', server_url: 'https://example.com' };

  test(
    verifies(
      'I6',
      'a request for approval interrupts, is decided on the state, and answered with an item; the run goes on with another turn',
    ),
    async () => {
      const { agent, model } = agentOf([[request('r1'), request('r2')], 'done'], { tools: [spec] });
      const first = await Runner.run(agent, 'go');
      expect(first.interruptions).toMatchObject([
        { type: 'mcp_approval_request_item', toolName: 'delete', callId: 'r1', arguments: '{"path":"/"}' },
        { type: 'mcp_approval_request_item', callId: 'r2' },
      ]);
      const state = reloaded(agent, first);
      state.approve(itemOf(state, 'r1'));
      state.reject(itemOf(state, 'r2'), { message: 'too much' });
      const result = await Runner.run(agent, state);
      expect(result.finalOutput).toBe('done');
      expect(model.requests[1]?.input.slice(-2)).toEqual([
        { type: 'mcp_approval_response', approval_request_id: 'r1', approve: true },
        { type: 'mcp_approval_response', approval_request_id: 'r2', approve: false, reason: 'too much' },
      ]);
      expect(result.newItems.map(({ type }) => type)).toEqual([
        'mcp_approval_request_item',
        'mcp_approval_request_item',
        'mcp_approval_response_item',
        'mcp_approval_response_item',
        'message_output_item',
      ]);
    },
  );

  test(verifies('I6', 'the tool itself may answer instead, for its own server'), async () => {
    const asked: ProviderItem[] = [];
    const own = clientTool({
      spec,
      answers: 'mcp_approval_response',
      execute: async (item) => {
        asked.push(item);
        return { type: 'mcp_approval_response', approval_request_id: item.id, approve: item.id === 'r1', reason: 'no' };
      },
    });
    const { agent, model } = agentOf([[request('r1'), request('r2'), request('r3', 'mail')], 'done'], {
      tools: [own, { ...spec, server_label: 'mail' }],
    });
    const first = await Runner.run(agent, 'go');
    expect(model.requests[0]?.tools).toEqual([spec, { ...spec, server_label: 'mail' }]);
    expect(waiting(first)).toEqual(['r3']);
    expect(asked.map(({ id }) => id)).toEqual(['r1', 'r2']);
    for (const item of first.interruptions) first.state.approve(item);
    await Runner.run(agent, first.state);
    expect(model.requests[1]?.input.slice(-3)).toEqual([
      { type: 'mcp_approval_response', approval_request_id: 'r1', approve: true },
      { type: 'mcp_approval_response', approval_request_id: 'r2', approve: false, reason: 'no' },
      { type: 'mcp_approval_response', approval_request_id: 'r3', approve: true },
    ]);
    expect(asked).toHaveLength(2);
  });

  test('arguments of a request cannot be edited: the server keeps its own', async () => {
    const { agent } = agentOf([[request('r1')]], { tools: [spec] });
    const { state } = await Runner.run(agent, 'go');
    expect(() => state.approve(itemOf(state, 'r1'), { arguments: {} })).toThrow(UserError);
  });
});
