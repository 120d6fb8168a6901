import { Agent, tool } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { answer, checkedAnswer, progress, questions, type AgentReply } from '@polyrun/temporal';
import { assistant, script } from '@polyrun/wires/assistant';
import { startWitness, type Witness } from '@polyrun/wires/witness';
import { WorkflowUpdateFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { standInServer, type StandIn } from '../support/stand-in-server.ts';
import { begin, bundled, clientOf, quietRuntime, runWorker, startWorker, type Running } from '../support/temporal.ts';

const address = process.env['TEMPORAL_ADDRESS'];
if (address === undefined)
  console.warn('@polyrun/temporal: not run against a real server, for TEMPORAL_ADDRESS names none.');

let witness: Witness;
let client: Client;
let workflowBundle: WorkflowBundleWithSourceMap;
const workers: Running[] = [];

beforeAll(async () => {
  quietRuntime();
  [witness, workflowBundle] = await Promise.all([startWitness(), bundled()]);
});

afterAll(() => witness.close());

/** How often each effect of a run was begun, by its id. */
function countsSince(before: number): { [id: string]: number } {
  const found: { [id: string]: number } = {};
  for (const { phase, key } of witness.seen.slice(before)) {
    const id = key.slice(key.indexOf('/') + 1);
    if (phase === 'began') found[id] = (found[id] ?? 0) + 1;
  }
  return found;
}

/** A worker is killed with a tool in flight, and the run goes on in another. */
async function survivesAKill(at: string, asking: Client): Promise<void> {
  const before = witness.seen.length;
  const held = witness.hold('in flight');
  const taskQueue = crypto.randomUUID();
  const args = ['--address', at, '--witness', witness.url, '--queue', taskQueue];
  const first = await startWorker(args);
  const input = script(
    [
      { tool: 'work', id: 'quick', name: 'quick' },
      { tool: 'work', id: 'slow', name: 'in flight' },
      { tool: 'ask_inner', id: 'inner', input: script('inner done') },
    ],
    'recovered',
  );
  const handle = await asking.workflow.start('watched', begin({ agent: 'assistant', input }, taskQueue));
  await held.begun();
  await until(async () => {
    const { events = [] } = await handle.fetchHistory();
    // The outline, start, prepare, model, quick, and all steps of the inner run.
    return (events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).length >= 10;
  });
  await first.kill();
  held.release();
  const second = await startWorker(args);
  expect(await handle.result()).toMatchObject({ finalOutput: 'recovered' });
  await second.kill();
  expect(countsSince(before)).toEqual({ '1/model': 1, '1/quick': 1, '1/slow': 2, '1/inner/1/model': 1, '2/model': 1 });
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('with a stand-in for the server', () => {
  let server: StandIn;

  beforeAll(async () => {
    server = await standInServer();
    client = await clientOf(server.address);
  });

  afterAll(async () => {
    await client.connection.close();
    server.close();
  });

  test('a worker killed in the middle of a turn: what had finished is not done again, what was in flight is, under the same key', () =>
    survivesAKill(server.address, client));
});

describe.skipIf(address === undefined)('with the server at TEMPORAL_ADDRESS', () => {
  const at = address ?? '';

  beforeAll(async () => {
    client = await clientOf(at);
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  });

  afterAll(() => client.connection.close());

  async function worker(agents: readonly Agent<unknown, unknown>[], taskQueue: string = crypto.randomUUID()) {
    const running = await runWorker(at, { agents, workflowBundle, taskQueue });
    workers.push(running);
    return { taskQueue, stop: () => running.stop() };
  }

  function start(workflow: string, ...args: Parameters<typeof begin>) {
    return client.workflow.start(workflow, begin(...args));
  }

  async function asked(handle: WorkflowHandle, count: number) {
    await until(async () => (await handle.query(questions)).length >= count);
    return handle.query(questions);
  }

  test('a run ends, its state can be asked for, and its history replays', async () => {
    const { taskQueue } = await worker([assistant(witness.url)]);
    const turn = [
      { tool: 'work', id: 'a' },
      { tool: 'work', id: 'b' },
    ];
    const handle = await start('agentWorkflow', { agent: 'assistant', input: script(turn, 'all done') }, taskQueue);
    expect(await handle.result()).toMatchObject({ finalOutput: 'all done', lastAgent: 'assistant' });
    expect((await handle.query(progress)).state).toContain('all done');
    await Worker.runReplayHistory({ workflowBundle }, await handle.fetchHistory(), handle.workflowId);
  });

  test('a worker killed in the middle of a turn: what had finished is not done again, what was in flight is, under the same key', () =>
    survivesAKill(at, client));

  test('approvals by signal while no worker is up, and by an update that says what is wrong', async () => {
    const { taskQueue, stop } = await worker([assistant(witness.url)]);
    const turn = [
      { tool: 'pay', id: 'p' },
      { tool: 'pay', id: 'q' },
    ];
    const handle = await start('watched', { agent: 'assistant', input: script(turn, 'settled') }, taskQueue);
    await asked(handle, 2);
    const wrong = handle.executeUpdate(checkedAnswer, { args: [{ id: 'p', type: 'perhaps' } as never] });
    await expect(wrong).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    await stop();
    await handle.signal(answer, { id: 'p', type: 'approved' });
    await worker([assistant(witness.url)], taskQueue);
    await until(async () => (await handle.query(questions)).length === 1);
    await handle.executeUpdate(checkedAnswer, { args: [{ id: 'q', type: 'rejected', message: 'Too much.' }] });
    const reply = (await handle.result()) as AgentReply<unknown>;
    expect(reply.finalOutput).toBe('settled');
    expect(JSON.stringify(reply.newItems)).toContain('Too much.');
  });

  test('a workflow that is cancelled aborts the tool that goes on', async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    const hang = tool({
      name: 'hang',
      description: 'Hangs.',
      parameters: { type: 'object' },
      execute: (_args, { signal }) => {
        begun.resolve(signal);
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      },
    });
    const agent = new Agent({ name: 'hanging', model: new ScriptedModel([[call('hang', {}, 'h')]]), tools: [hang] });
    const { taskQueue } = await worker([agent]);
    const handle = await start('watched', { agent, input: 'go' }, taskQueue);
    const signal = await begun.promise;
    await handle.cancel();
    const error = await handle.result().catch((caught: unknown) => caught);
    expect((error as { cause: unknown }).cause).toBeInstanceOf(CancelledFailure);
    expect(signal.aborted).toBe(true);
  });

  test('when the history grows, the run goes on as a new execution', async () => {
    const before = witness.seen.length;
    const { taskQueue } = await worker([assistant(witness.url)]);
    const turns = [1, 2, 3].map((each) => [{ tool: 'work', id: `w${each}`, name: `work ${each}` }]);
    const input = script(...turns, 'at last');
    const handle = await start('agentWorkflow', { agent: 'assistant', input, maxHistoryEvents: 30 }, taskQueue);
    expect(await handle.result()).toMatchObject({ finalOutput: 'at last' });
    const { events } = await client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId).fetchHistory();
    expect(events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    expect(Object.values(countsSince(before))).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });
});
