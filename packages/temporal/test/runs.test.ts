import { Agent, jsonSchema, MemorySession, Runner, RunState, tool, type Hooks } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { assistant, script } from '@polyrun/wires/assistant';
import { startWitness, type Witness } from '@polyrun/wires/witness';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { answer, progress, questions, type AgentReply } from '@polyrun/temporal';
import { nap } from './support/nap.ts';
import { standInServer, type StandIn } from './support/stand-in-server.ts';
import {
  begin,
  bundled,
  clientOf,
  eventsOf,
  quietRuntime,
  runWorker,
  stepsOf,
  type Running,
} from './support/temporal.ts';

let server: StandIn;
let client: Client;
let workflowBundle: WorkflowBundleWithSourceMap;
let witness: Witness;
const workers: Running[] = [];
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const parameters = jsonSchema<object>({ type: 'object' });

beforeAll(async () => {
  quietRuntime();
  [server, workflowBundle, witness] = await Promise.all([standInServer(), bundled(), startWitness()]);
  client = await clientOf(server.address);
}, 60_000);

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

afterAll(async () => {
  await client?.connection.close();
  server?.close();
  await witness?.close();
});

/** A worker for this test, with a task queue of its own. */
async function worker<C>(
  parts: Omit<Parameters<typeof runWorker<C>>[1], 'workflowBundle' | 'taskQueue'> & { taskQueue?: string },
) {
  const taskQueue = parts.taskQueue ?? crypto.randomUUID();
  const running = await runWorker(server.address, { workflowBundle, ...parts, taskQueue });
  workers.push(running);
  return { taskQueue, stop: () => running.stop() };
}

async function start(workflow: string, ...args: Parameters<typeof begin>): Promise<WorkflowHandle> {
  return client.workflow.start(workflow, begin(...args));
}

async function execute(
  ...args: Parameters<typeof begin>
): Promise<{ reply: AgentReply<unknown>; handle: WorkflowHandle }> {
  const handle = await start('agentWorkflow', ...args);
  return { reply: await handle.result(), handle };
}

function lastOf(handle: WorkflowHandle) {
  const execution = server.executions(handle.workflowId).at(-1);
  if (!execution) throw new Error('There is no such execution.');
  return execution;
}

/** How often each effect of a run was begun, by its id. */
function counts(): { [id: string]: number } {
  const found: { [id: string]: number } = {};
  for (const { phase, key } of witness.seen.slice(seenBefore)) {
    const id = key.slice(key.indexOf('/') + 1);
    if (phase === 'began') found[id] = (found[id] ?? 0) + 1;
  }
  return found;
}
let seenBefore = 0;
function watchFromNow(): void {
  seenBefore = witness.seen.length;
}

async function asked(handle: WorkflowHandle, count: number) {
  for (;;) {
    const open = await handle.query(questions);
    if (open.length >= count) return open;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the bundle for the sandbox holds no agent, no tool, and nothing of Node', () => {
  expect(workflowBundle.code).toContain('agent.progress');
  expect(workflowBundle.code).not.toContain('scriptedByInput');
  expect(workflowBundle.code).not.toContain('claimCheckCodec');
  expect(workflowBundle.code).not.toMatch(/require\("(?:node:|fs|crypto)/);
});

test('each effect is an activity under its own id, parallel tools run at the same time, and it ends as Runner.run ends it', async () => {
  let at = 0;
  let most = 0;
  const both = Promise.withResolvers<void>();
  const work = tool({
    name: 'work',
    description: 'Works.',
    parameters,
    execute: async () => {
      most = Math.max(most, ++at);
      if (at === 2) both.resolve();
      await both.promise;
      at -= 1;
      return 'worked';
    },
  });
  const said = () => new ScriptedModel([[call('work', {}, 'a'), call('work', {}, 'b')], 'done']);
  const build = () => new Agent({ name: 'worker', model: said(), tools: [work] });
  const { taskQueue } = await worker({ agents: [build()] });
  const { reply, handle } = await execute({ agent: 'worker', input: 'go' }, taskQueue);
  const plain = await Runner.run(build(), 'go');
  expect(reply).toEqual({
    finalOutput: 'done',
    lastAgent: 'worker',
    newItems: plain.toInputList().slice(1),
    usage: plain.usage,
  });
  expect(most).toBe(2);
  const execution = lastOf(handle);
  expect(stepsOf(execution)).toEqual([
    'worker',
    'start',
    '1/prepare',
    '1/model',
    '1/a work',
    '1/b work',
    '2/prepare',
    '2/model',
    '2/finish',
  ]);
  // At each workflow task Temporal's real core replayed the history so far, and found what the workflow did to agree with it.
  expect(execution.taskFailures).toEqual([]);
  expect(eventsOf(execution).filter((type) => type === 'WORKFLOW_TASK_COMPLETED').length).toBeGreaterThan(8);
});

test('approvals at any depth: questions by query, answers by signal, also while no worker is up; what is no answer is dropped', async () => {
  watchFromNow();
  const { taskQueue, stop } = await worker({ agents: [assistant(witness.url)] });
  const inner = script([{ tool: 'pay', id: 'deep' }], 'inner done');
  const turn = [
    { tool: 'ask_inner', id: 'i', input: inner },
    { tool: 'pay', id: 'p' },
  ];
  const handle = await start('watched', { agent: 'assistant', input: script(turn, 'settled') }, taskQueue);
  const open = await asked(handle, 2);
  expect(open.map(({ id, agent, toolName }) => ({ id, agent, toolName }))).toEqual([
    { id: 'i/deep', agent: 'inner', toolName: 'pay' },
    { id: 'p', agent: 'assistant', toolName: 'pay' },
  ]);
  await handle.signal(answer, { id: 'p', type: 'perhaps' } as never);
  await handle.signal(answer, null as never);
  await stop();
  await handle.signal(answer, { id: 'i/deep', type: 'approved', arguments: { name: 'a small sum' } });
  const again = await worker({ agents: [assistant(witness.url)], taskQueue });
  // Answered one by one: the rest goes on without waiting for the other.
  await witness.ended('a small sum', 1);
  expect((await asked(handle, 1)).map(({ id }) => id)).toEqual(['p']);
  await handle.signal(answer, { id: 'p', type: 'rejected', message: 'Too much.' });
  const reply = await handle.result();
  await again.stop();
  expect(reply).toMatchObject({ finalOutput: 'settled' });
  expect(JSON.stringify(reply)).toContain('Too much.');
  expect(counts()).toMatchObject({ '1/i/1/deep': 1, '2/model': 1 });
  expect(Object.keys(counts())).not.toContain('1/p');
});

test('a call that nobody answers in time is rejected, by a timer of the workflow', async () => {
  const { taskQueue } = await worker({ agents: [assistant(witness.url)] });
  const input = script([{ tool: 'pay', id: 'p' }], 'not paid');
  const { reply, handle } = await execute({ agent: 'assistant', input, answerWithinMs: 100 }, taskQueue);
  expect(JSON.stringify(reply)).toContain('Nobody answered within 100 ms.');
  expect(eventsOf(lastOf(handle))).toContain('TIMER_FIRED');
});

/** An agent with a tool that hangs until it is aborted. */
function hanging() {
  const signals: AbortSignal[] = [];
  const begun = Promise.withResolvers<void>();
  const hang = tool({
    name: 'hang',
    description: 'Hangs.',
    parameters,
    execute: (_args, { signal }) => {
      signals.push(signal);
      begun.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    },
  });
  const agent = new Agent({ name: 'hanging', model: new ScriptedModel([[call('hang', {}, 'h')]]), tools: [hang] });
  return { agent, signals, begun: begun.promise };
}

test('a workflow that is cancelled aborts the tool that goes on and ends as cancelled; its state can still be asked for', async () => {
  const { agent, signals, begun } = hanging();
  const { taskQueue } = await worker({ agents: [agent] });
  const handle = await start('watched', { agent, input: 'go' }, taskQueue);
  await begun;
  await handle.cancel();
  const error = await handle.result().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const events = eventsOf(lastOf(handle));
  expect(events).toEqual(expect.arrayContaining(['ACTIVITY_TASK_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_CANCELED']));
  // It came to its end by itself, so that what it had cost is known.
  expect(events.indexOf('ACTIVITY_TASK_CANCELED')).toBe(-1);
  const { state, steps } = await handle.query(progress);
  expect(steps).toEqual([]);
  const taken = RunState.fromString(agent, state ?? '');
  expect(await Runner.run(agent, taken, { maxTurns: 1, signal: AbortSignal.abort() }).catch(() => 'taken up')).toBe(
    'taken up',
  );
});

test('a workflow that is cancelled while it waits for a person ends as cancelled; its questions were to be seen', async () => {
  const { taskQueue } = await worker({ agents: [assistant(witness.url)] });
  const input = script([{ tool: 'pay', id: 'p' }], 'never');
  const handle = await start('agentWorkflow', { agent: 'assistant', input }, taskQueue);
  await asked(handle, 1);
  await handle.cancel();
  const error = await handle.result().catch((caught: unknown) => caught);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(
    RunState.fromString(assistant(witness.url), (await handle.query(progress)).state ?? '').interruptions,
  ).toHaveLength(1);
});

test('a run is stopped by the scope that it runs in: a time limit is one of Temporal', async () => {
  const { agent, signals } = hanging();
  const { taskQueue } = await worker({ agents: [agent] });
  // Without heartbeats that come soon, the activity would hear of it only after ten seconds.
  const handle = await start('hurried', { agent, input: 'go', activity: { heartbeatTimeout: '1 second' } }, taskQueue);
  const error = await handle.result().catch((caught: unknown) => caught);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test('when the history grows, the run goes on as a new execution: nothing is done again, ids and keys stay', async () => {
  watchFromNow();
  const { taskQueue } = await worker({ agents: [assistant(witness.url)] });
  const turns = [1, 2, 3].map((at) => [{ tool: 'work', id: `w${at}`, name: `work ${at}` }]);
  const input = script(...turns, [{ tool: 'pay', id: 'p' }], 'at last');
  const handle = await start('agentWorkflow', { agent: 'assistant', input, maxHistoryEvents: 30 }, taskQueue);
  await server.until(() => server.executions(handle.workflowId).length > 1);
  await asked(handle, 1);
  await handle.signal(answer, { id: 'p', type: 'approved' });
  const { finalOutput } = (await handle.result()) as AgentReply<unknown>;
  expect(finalOutput).toBe('at last');
  const executions = server.executions(handle.workflowId);
  expect(executions.length).toBeGreaterThan(1);
  expect(executions.flatMap(({ taskFailures }) => taskFailures)).toEqual([]);
  expect(eventsOf(executions[0] ?? lastOf(handle)).at(-1)).toBe('WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
  expect(Object.values(counts())).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(new Set(witness.seen.slice(seenBefore).map(({ key }) => key.split('/')[0])).size).toBe(1);
});

test('a tool that opts to runs inside the workflow: its sleep is a timer, and a replay runs it again', async () => {
  const agent = new Agent({
    name: 'napper',
    model: new ScriptedModel([[call('nap', { ms: 30 }, 'n')], 'woke']),
    tools: [nap],
  });
  const { taskQueue } = await worker({ agents: [agent] });
  const handle = await start('napping', { agent, input: 'go' }, taskQueue);
  const reply = (await handle.result()) as AgentReply<unknown>;
  expect(reply.finalOutput).toBe('woke');
  expect(JSON.stringify(reply.newItems)).toContain('slept 30 ms');
  const execution = lastOf(handle);
  expect(stepsOf(execution)).not.toContain('1/n nap');
  expect(eventsOf(execution)).toContain('TIMER_FIRED');
  expect(execution.taskFailures).toEqual([]);
});

test('an error of the run fails the workflow under its own name, once', async () => {
  const agent = new Agent({ name: 'lost', model: new ScriptedModel([[call('none', {}, 'c')]]) });
  const { taskQueue } = await worker({ agents: [agent], options: { maxTurns: 1 } });
  const handle = await start('agentWorkflow', { agent, input: 'go' }, taskQueue);
  const { cause } = (await handle.result().catch((caught: unknown) => caught)) as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect(cause).toMatchObject({ type: 'MaxTurnsExceededError', nonRetryable: true });
  expect(lastOf(handle).taskFailures).toEqual([]);
});

test('hooks, session and limits are those of the worker', async () => {
  const session = new MemorySession();
  const ends: unknown[] = [];
  const hooks: Hooks<unknown> = {
    onRunEnd: (end) => void ends.push('result' in end ? end.result.finalOutput : end.error),
  };
  const agent = new Agent({ name: 'social', model: new ScriptedModel(['hello']) });
  const { taskQueue } = await worker({ agents: [agent], options: { session, hooks } });
  await execute({ agent, input: 'hi' }, taskQueue);
  expect(await session.getItems()).toHaveLength(2);
  expect(ends).toEqual(['hello']);
  const limited = await worker({ agents: [agent], options: { runConfig: { limits: { totalTokens: 0 } } } });
  const { cause } = (await execute({ agent, input: 'hi' }, limited.taskQueue).catch(
    (caught: unknown) => caught,
  )) as WorkflowFailedError;
  expect(cause).toMatchObject({ type: 'LimitReachedError' });
});

test('a worker whose agents differ performs no step of a run that others began; a worker that has them ends it', async () => {
  const { agent, begun } = hanging();
  const { taskQueue, stop } = await worker({ agents: [agent] });
  const handle = await start('watched', { agent, input: 'go' }, taskQueue);
  await begun;
  await stop();
  const other = new Agent({ name: 'hanging', model: new ScriptedModel(['never']), tools: [nap] });
  const changed = await worker({ agents: [other], taskQueue });
  const tries = () => [...lastOf(handle).activities.values()].map(({ lastFailure }) => lastFailure);
  await server.until(() => tries().some((failure) => failure?.includes('are not those that the run began with')));
  await changed.stop();
  const quick = tool({ name: 'hang', description: 'Ends.', parameters, execute: () => 'ended' });
  const same = new Agent({ name: 'hanging', model: new ScriptedModel(['ended']), tools: [quick] });
  await worker({ agents: [same], taskQueue });
  expect(await handle.result()).toMatchObject({ finalOutput: 'ended' });
});

test('recorded histories replay in the real core; a workflow that was changed, or a record that was, is caught', async () => {
  const { taskQueue } = await worker({ agents: [assistant(witness.url)] });
  const input = script(
    [
      { tool: 'work', id: 'a' },
      { tool: 'ask_inner', id: 'i', input: script('inner') },
    ],
    'end',
  );
  const { handle } = await execute({ agent: 'assistant', input }, taskQueue);
  const history = await handle.fetchHistory();
  await Worker.runReplayHistory({ workflowBundle }, history, handle.workflowId);
  const changed = await bundled('changed-workflows.ts');
  await expect(Worker.runReplayHistory({ workflowBundle: changed }, history, handle.workflowId)).rejects.toThrow(
    /[Nn]ondeterminism/,
  );
  // A step that the recorded run did not do in this place.
  const swapped = history.events?.map((event) => {
    const data = event.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data;
    const text = Buffer.from(data ?? []).toString();
    if (!text.includes('"finish') && !text.includes('2/finish')) return event;
    const result = { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"{}"') }] };
    return {
      ...event,
      activityTaskCompletedEventAttributes: { ...event.activityTaskCompletedEventAttributes, result },
    };
  });
  await expect(Worker.runReplayHistory({ workflowBundle }, { events: swapped }, handle.workflowId)).rejects.toThrow(
    /what was recorded is not what this program does/,
  );
}, 60_000);
