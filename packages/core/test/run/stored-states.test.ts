import { describe, expect, test } from 'vitest';
import { Agent, Runner, RunState, tool, UserError } from '../../src/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { agentOf, itemOf, parameters, reloaded, workshop } from './approvals.ts';
import { latch, outputsIn, rejection } from './scripts.ts';
import { idle } from './stage.ts';

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
    ['no state', '{"version":1}', 'expected what RunState.toString wrote'],
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

test(
  verifies('L13', 'an agent that only an agent as a tool leads to is found by its name, in another process too'),
  async () => {
    /** The models of a process that goes on have only what is left to say. */
    const build = (isFirst: boolean) => {
      const { pay, ran } = workshop();
      const said = (turn: ScriptedTurn, left?: ScriptedTurn) =>
        new ScriptedModel([...(isFirst ? [turn] : []), ...(left === undefined ? [] : [left])]);
      const last = new Agent({ name: 'Last', model: said([call('pay')], 'paid'), tools: [pay] });
      const inner = new Agent({ name: 'Inner', model: said([call('transfer_to_last')]), handoffs: [last] });
      const model = said([call('inner', { input: 'x' })], 'done');
      return { agent: new Agent({ name: 'Outer', model, tools: [inner.asTool()] }), ran, last };
    };
    const { state: stored } = await Runner.run(build(true).agent, 'go');
    const { agent, ran, last } = build(false);
    const state = RunState.fromString(agent, stored.toString());
    expect(state.interruptions.map((item) => item.agent)).toEqual([last]);
    for (const item of state.interruptions) state.approve(item);
    const result = await Runner.run(agent, state);
    expect(result.finalOutput).toBe('done');
    expect(outputsIn(result.toInputList())).toEqual({ call_inner: 'paid' });
    expect(ran).toHaveLength(1);
  },
);
