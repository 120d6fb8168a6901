import {
  Agent,
  handoff,
  MaxTurnsExceededError,
  Runner,
  RunState,
  tool,
  UserError,
  type RunOptions,
} from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { runSync } from '../src/index.ts';
import { caught, startScriptedServer } from './support/scripted-server.ts';

const server = await startScriptedServer();
const { config, script } = server;
afterAll(() => server.close());

const weather = tool({
  name: 'weather',
  description: 'Tells the weather.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `Sunny in ${city}.`,
});
const turn = [{ call: 'weather', args: { city: 'Oslo' } }, { say: 'It is sunny.' }];

describe('a run without promises', () => {
  test('comes to the same as Runner.run', async () => {
    const agent = new Agent({ name: 'A', instructions: 'Be brief.', tools: [weather] });
    const [now, later] = [script(...turn), script(...turn)];
    const sync = runSync(agent, now, config());
    const async = await Runner.run(agent, later, config());
    expect(sync.finalOutput).toBe('It is sunny.');
    expect(sync.usage).toEqual(async.usage);
    expect(sync.newItems.map(({ rawItem }) => rawItem)).toEqual(async.newItems.map(({ rawItem }) => rawItem));
    expect(sync.rawResponses).toEqual(async.rawResponses);
    expect(sync.lastAgent).toBe(agent);
  });

  test('runs closures, hooks and guardrails on the calling thread, in their order', () => {
    const seen: string[] = [];
    const note = (what: string) => () => void seen.push(what);
    const agent = new Agent<{ user: string }>({
      name: 'A',
      instructions: ({ runContext }) => `You serve ${runContext.context.user}.`,
      tools: [
        tool({
          name: 'weather',
          description: 'Tells the weather.',
          parameters: { type: 'object' },
          execute: (_, { signal }) => void seen.push(`tool ${signal.aborted}`),
        }),
      ],
      inputGuardrails: [{ name: 'in', execute: () => (note('input')(), { tripwireTriggered: false }) }],
      outputGuardrails: [{ name: 'out', execute: () => (note('output')(), { tripwireTriggered: false }) }],
    });
    const hooks = { onRunStart: note('start'), onToolStart: note('tool start'), onRunEnd: note('end') };
    runSync(agent, script(...turn), { ...config(), context: { user: 'Ada' }, hooks });
    expect(seen).toEqual(['start', 'input', 'tool start', 'tool false', 'output', 'end']);
  });

  test('works inside a running event loop, also inside a tool of another such run', async () => {
    const inner = new Agent({ name: 'Inner' });
    const ask = tool({
      name: 'weather',
      description: 'Asks another agent.',
      parameters: { type: 'object' },
      execute: () => runSync(inner, script({ say: 'from within' }), config()).finalOutput,
    });
    const outer = new Agent({ name: 'Outer', tools: [ask], toolUseBehavior: 'stop_on_first_tool' });
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const result = await new Promise((resolve) =>
      setImmediate(() => resolve(runSync(outer, script(...turn), config()).finalOutput)),
    );
    expect(result).toBe('from within');
    const before = ticks;
    await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(timer);
    expect(ticks, 'the loop goes on afterwards').toBeGreaterThan(before);
  });

  test('hands off, runs agents as tools, and keeps an approval for later', () => {
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      parameters: { type: 'object' },
      needsApproval: true,
      execute: () => 'paid',
    });
    const cashier = new Agent({ name: 'Cashier', model: new ScriptedModel([[call('pay')], 'Paid it.']), tools: [pay] });
    const desk = new Agent({
      name: 'Desk',
      model: new ScriptedModel([[call('cashier', { input: 'pay' })], 'All done.']),
      tools: [cashier.asTool({})],
    });
    const model = new ScriptedModel([[call('transfer_to_desk')]]);
    const front = new Agent({ name: 'Front', model, handoffs: [handoff(desk)] });
    const first = runSync(front, 'Pay.');
    expect(first.interruptions.map(({ toolName }) => toolName)).toEqual(['pay']);
    const state = RunState.fromString(front, first.state.toString());
    for (const item of state.interruptions) state.approve(item);
    const done = runSync(front, state);
    expect([done.finalOutput, done.lastAgent.name]).toEqual(['All done.', 'Desk']);
  });

  test('reads and checks a structured output; errors carry the state that resumes', () => {
    const outputType = z.object({ celsius: z.number() });
    const agent = new Agent({ name: 'A', outputType, tools: [weather] });
    expect(runSync(agent, script({ say: '{"celsius":21}' }), config()).finalOutput).toEqual({ celsius: 21 });
    const error = caught(() =>
      runSync(agent, script(...turn.slice(0, 1), { say: '{"celsius":3}' }), { ...config(), maxTurns: 1 }),
    );
    expect(error).toBeInstanceOf(MaxTurnsExceededError);
    const { state } = error as MaxTurnsExceededError;
    expect(runSync(agent, state as RunState, { ...config(), maxTurns: 2 }).finalOutput).toEqual({ celsius: 3 });
  });

  test('a tool that throws becomes words for the model, as ever', () => {
    const model = new ScriptedModel([[call('fails')], 'I see.']);
    const fails = tool({
      name: 'fails',
      description: 'Fails.',
      parameters: { type: 'object' },
      execute: () => {
        throw new Error('no luck');
      },
    });
    expect(runSync(new Agent({ name: 'A', model, tools: [fails] }), 'go').finalOutput).toBe('I see.');
    expect(model.requests[1]?.input.at(-1)).toMatchObject({ output: expect.stringContaining('no luck') });
  });

  test('an aborted signal ends it with the reason', () => {
    const model = new ScriptedModel([[call('stop')], 'never']);
    const controller = new AbortController();
    const stop = tool({
      name: 'stop',
      description: 'Stops.',
      parameters: { type: 'object' },
      execute: () => controller.abort(new Error('enough')),
    });
    const agent = new Agent({ name: 'A', model, tools: [stop] });
    expect(() => runSync(agent, 'go', { signal: controller.signal })).toThrow('enough');
    expect(model.remaining).toBe(1);
  });
});

describe('what is asynchronous', () => {
  const asynchronous = async () => undefined;
  const passing = { tripwireTriggered: false };
  const guardrail = { name: 'careful', execute: async () => passing };
  const base = { description: 'x', parameters: { type: 'object' } } as const;
  const parts: [string, Partial<ConstructorParameters<typeof Agent>[0]>, RunOptions<unknown>][] = [
    ["tool 'slow' execute", { tools: [tool({ ...base, name: 'slow', execute: asynchronous })] }, {}],
    [
      "tool 'slow' isEnabled",
      { tools: [tool({ ...base, name: 'slow', execute: () => 1, isEnabled: async () => true })] },
      {},
    ],
    ["agent 'A' hooks onToolStart", { hooks: { onToolStart: asynchronous } }, {}],
    ["agent 'A' input guardrail 'careful'", { inputGuardrails: [guardrail] }, {}],
    ["agent 'A' output guardrail 'careful'", { outputGuardrails: [guardrail] }, {}],
    ["agent 'A' instructions", { instructions: async () => 'x' }, {}],
    [
      "agent 'Inner' instructions",
      { tools: [new Agent({ name: 'Inner', instructions: async () => '' }).asTool({})] },
      {},
    ],
    ["agent 'Next' instructions", { handoffs: [new Agent({ name: 'Next', instructions: async () => '' })] }, {}],
    ['hooks onRunEnd', {}, { hooks: { onRunEnd: asynchronous } }],
    ['errorHandlers maxTurns', {}, { errorHandlers: { maxTurns: async () => undefined } }],
    ['runConfig callModelInputFilter', {}, { runConfig: { callModelInputFilter: async ({ modelData }) => modelData } }],
    ['runConfig.retry policy', {}, { runConfig: { retry: { policy: async () => true } } }],
    ["runConfig input guardrail 'careful'", {}, { runConfig: { inputGuardrails: [guardrail] } }],
  ];
  test.for(parts)('%s is a UserError that names it, before any request', ([name, fields, options]) => {
    const model = new ScriptedModel(['never']);
    const agent = new Agent({ name: 'A', model, ...fields });
    const error = caught(() => runSync(agent, 'go', options));
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toContain(`${name}: it is asynchronous`);
    expect(model.requests).toHaveLength(0);
  });

  const promise = () => Promise.resolve();
  const promising: [string, Partial<ConstructorParameters<typeof Agent>[0]>, RunOptions<unknown>][] = [
    ["tool 'work'", { tools: [tool({ ...base, name: 'work', execute: promise })] }, {}],
    ["tool 'work'", { hooks: { onToolStart: () => promise() } }, {}],
    [
      "input guardrail 'eager' of agent 'A'",
      { inputGuardrails: [{ name: 'eager', execute: () => Promise.resolve(passing) }] },
      {},
    ],
    ['an output guardrail', { outputGuardrails: [{ name: 'eager', execute: () => Promise.resolve(passing) }] }, {}],
    ['onModelStart', { hooks: { onModelStart: () => promise() } }, {}],
    ['instructions', { instructions: () => Promise.resolve('') }, {}],
    ['onRunStart', {}, { hooks: { onRunStart: () => promise() } }],
    ['hooks.onRunEnd', {}, { hooks: { onRunEnd: () => promise() } }],
  ];
  test.for(promising)('a promise of %s is a UserError that says where it came from', ([name, fields, options]) => {
    const work = tool({ ...base, name: 'work', execute: () => 'worked' });
    const model = new ScriptedModel([[call('work')], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [work], ...fields });
    const error = caught(() => runSync(agent, 'go', options));
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toContain(name);
    expect((error as Error).message).toContain('gave a promise');
  });

  test('a rejected promise that was refused is nobody else’s error', async () => {
    const fails = tool({ ...base, name: 'work', execute: () => Promise.reject(new Error('late')) });
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('work')]]), tools: [fails] });
    expect(() => runSync(agent, 'go')).toThrow(/tool 'work'/);
    await new Promise((resolve) => setTimeout(resolve, 20));
  });

  test('an agent as a tool that streams to a callback is refused', () => {
    const inner = new Agent({ name: 'Inner' }).asTool({ onStream: () => undefined });
    expect(() => runSync(new Agent({ name: 'A', tools: [inner] }), 'go', config())).toThrow(/onStream/);
  });
});
