import { Agent, isFields, MemorySession, tool } from '@polyrun/core';
import { runDurably, type DurableEngine, type DurableStep, type Settled } from '@polyrun/core/durable';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { agentActivities, claimCheckCodec, type AgentActivitiesOptions } from '@polyrun/temporal/worker';
import { ActivityCancellationDetails, ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, test, vi } from 'vitest';

const parameters = { type: 'object' } as const;
const logger = new DefaultLogger('ERROR', () => undefined);

/** What a workflow would ask of its activities, up to the call of `hang`. */
async function described(agent: Agent<unknown, unknown>): Promise<string> {
  let found = '';
  class Stop extends Error {}
  const engine: DurableEngine<Promise<Settled>> = {
    runId: 'r',
    step: (step: DurableStep) => {
      if (step.toolName !== 'hang') return step.perform().then((text) => ({ id: step.id, text }));
      found = step.describe();
      return Promise.reject(new Stop());
    },
    first: (pending) => Promise.race(pending.values()),
  };
  await expect(runDurably(engine, { agent, input: 'go' })).rejects.toThrow(Stop);
  return found;
}

function hanging() {
  const begun = Promise.withResolvers<void>();
  const hang = tool({
    name: 'hang',
    description: 'Hangs.',
    parameters,
    execute: (_args, { signal }) => {
      begun.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    },
  });
  const agent = new Agent({ name: 'hanging', model: new ScriptedModel([[call('hang', {}, 'h')]]), tools: [hang] });
  return { agent, begun: begun.promise };
}

/** A step as it is asked of the activities of a worker. */
async function asked(options: AgentActivitiesOptions<unknown>, agent: Agent<unknown, unknown>) {
  const activities = agentActivities(options);
  const request = { agent: agent.name, context: { user: 'u1' } };
  const outline = await activities['agent.outline'](request);
  return { activities, outline, request: { ...request, version: outline.version, step: await described(agent) } };
}

test('an activity that is cancelled aborts its step and tells what it came to', async () => {
  const { agent, begun } = hanging();
  const { activities, request } = await asked({ agents: [agent] }, agent);
  const environment = new MockActivityEnvironment({}, { logger });
  const running: Promise<string> = environment.run(activities['agent.run_tool'], request);
  await begun;
  environment.cancel();
  expect(JSON.parse(await running)).toMatchObject({ type: 'aborted', id: '1/h' });
});

test('an attempt that is over because its worker shuts down records nothing: another worker tries again', async () => {
  const { agent, begun } = hanging();
  const { activities, request } = await asked({ agents: [agent] }, agent);
  const environment = new MockActivityEnvironment({}, { logger });
  const running = environment.run(activities['agent.run_tool'], request).catch((error: unknown) => error);
  await begun;
  environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
  const error = await running;
  expect(error).toBeInstanceOf(ApplicationFailure);
  expect(error).toMatchObject({ nonRetryable: false });
});

test('heartbeats are sent three times in the time that Temporal waits for one', async () => {
  vi.useFakeTimers();
  try {
    const { agent, begun } = hanging();
    const { activities, request } = await asked({ agents: [agent] }, agent);
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 3_000 }, { logger });
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    const running = environment.run(activities['agent.run_tool'], request);
    await begun;
    vi.advanceTimersByTime(3_000);
    expect(beats).toBe(3);
    environment.cancel();
    await vi.advanceTimersByTimeAsync(2_000);
    await running;
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('each step is performed with the options that its worker makes of the context of the run', async () => {
  const seen: unknown[] = [];
  const who = tool({
    name: 'hang',
    description: 'Tells who asks.',
    parameters,
    execute: (_args, { context, idempotencyKey }) => void seen.push(context, idempotencyKey),
  });
  const agent = new Agent({ name: 'asking', model: new ScriptedModel([[call('hang', {}, 'h')]]), tools: [who] });
  const options = ({ agent: name, context }: { agent: string; context: unknown }) => ({ context: { name, context } });
  const { activities, request } = await asked({ agents: [agent], options }, agent);
  await new MockActivityEnvironment({}, { logger }).run(activities['agent.run_tool'], request);
  expect(seen).toEqual([{ name: 'asking', context: { user: 'u1' } }, 'r/1/h']);
});

test('the outline holds names alone, of all agents that a run may come to', async () => {
  const inner = new Agent({ name: 'inner', instructions: 'secret' });
  const other = new Agent({ name: 'other', handoffs: () => [agent] });
  const agent: Agent = new Agent({
    name: 'outer',
    tools: [inner.asTool({ toolName: 'ask' }), { type: 'web_search' }],
    handoffs: [other],
  });
  const session = new MemorySession();
  const activities = agentActivities({ agents: [agent], options: () => ({ session, maxTurns: 3 }) });
  const outline = await activities['agent.outline']({ agent: 'outer', context: null });
  expect(outline).toEqual({
    version: expect.stringMatching(/^[0-9a-f]{16}$/),
    agents: [
      {
        name: 'outer',
        tools: [
          { type: 'function', name: 'ask', agent: 'inner' },
          { type: 'hosted', spec: { type: 'web_search' } },
        ],
        handoffs: ['other'],
      },
      { name: 'other', tools: [], handoffs: ['outer'] },
      { name: 'inner', tools: [], handoffs: [] },
    ],
    session: true,
    endHook: false,
    maxTurns: 3,
  });
});

test('an agent that the worker has not, or not as the run began with it, is an error that is tried again', async () => {
  const { agent } = hanging();
  const { activities, request } = await asked({ agents: [agent] }, agent);
  const missing = activities['agent.outline']({ agent: 'nobody', context: null });
  await expect(missing).rejects.toMatchObject({ nonRetryable: false, message: /no agent 'nobody', only 'hanging'/ });
  const changed = activities['agent.run_tool']({ ...request, version: 'another' });
  await expect(changed).rejects.toThrow('are not those that the run began with');
  expect(() => agentActivities({ agents: [agent, agent] })).toThrow('agents: two of them have the same name');
});

test('large payloads are kept in a store, claims for them in the history', async () => {
  const kept = new Map<string, string>();
  const store = {
    put: async (key: string, text: string) => void kept.set(key, text),
    get: async (key: string) => kept.get(key),
  };
  const codec = claimCheckCodec(store, { maxInline: 100 });
  const payloads = ['small', 'x'.repeat(1_000)].map((value) => defaultPayloadConverter.toPayload(value));
  const encoded = await codec.encode(payloads);
  expect(encoded[0]).toEqual(payloads[0]);
  expect(encoded[1]?.data?.length).toBeLessThan(200);
  expect(kept.size).toBe(1);
  const decoded = await codec.decode(encoded);
  expect(decoded.map((payload) => defaultPayloadConverter.fromPayload(payload))).toEqual(['small', 'x'.repeat(1_000)]);
  kept.clear();
  await expect(codec.decode(encoded)).rejects.toThrow('the store has no text');
  expect(isFields(encoded[1]?.metadata)).toBe(true);
});
