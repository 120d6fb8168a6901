import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DBOSClient } from '@dbos-inc/dbos-sdk';
import { topics, type AgentReply, type AskedQuestion } from '@polyrun/dbos';
import { script } from '@polyrun/wires/assistant';
import { startWitness, type Witness } from '@polyrun/wires/witness';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { postgresPrograms, startPostgres, type Postgres } from './support/postgres.ts';
import type { Order } from './support/worker.ts';

const programs = postgresPrograms();
if (programs === undefined)
  console.warn('@polyrun/dbos: skipped, for PostgreSQL is not installed (apt-get install postgresql).');

let postgres: Postgres;
let client: DBOSClient;
let witness: Witness;
const workers: ChildProcess[] = [];

async function worker(executor: string, ...extra: string[]): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('support/worker.ts', import.meta.url));
  const more = extra.flatMap((name) => ['--extra', name]);
  const args = ['--url', postgres.url, '--witness', witness.url, '--executor', executor, ...more];
  const child = fork(file, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // A warning of the database driver about its next version.
    execArgv: ['--no-deprecation'],
  });
  workers.push(child);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the worker ended')));
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return child;
}

async function tell(child: ChildProcess, order: Order): Promise<void> {
  const done = once(child, 'message');
  child.send(order);
  await done;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function resultOf(id: string): Promise<AgentReply<unknown>> {
  return client.retrieveWorkflow<AgentReply<unknown>>(id).getResult();
}

/** How often each effect of a run was begun. */
function begunBy(id: string): { [step: string]: number } {
  const own = Object.entries(witness.counts()).filter(([key]) => key.startsWith(`${id}/`));
  return Object.fromEntries(own.map(([key, count]) => [key.slice(id.length + 1), count]));
}

async function stepsOf(id: string): Promise<string[]> {
  const steps = await client.listWorkflowSteps(id);
  return (steps ?? []).map(({ name }) => name).filter((name) => !name.startsWith('DBOS.'));
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 25));
}

/** The open questions of a run, once there are so many. */
async function questions(id: string, count: number): Promise<readonly AskedQuestion[]> {
  let open: readonly AskedQuestion[] = [];
  await until(async () => {
    open = (await client.getEvent<readonly AskedQuestion[]>(id, topics.questions, { timeoutSeconds: 1 })) ?? [];
    return open.length === count;
  });
  return open;
}

describe.skipIf(programs === undefined)('on PostgreSQL', () => {
  beforeAll(async () => {
    [postgres, witness] = await Promise.all([startPostgres(programs ?? ''), startWitness()]);
    // The first worker makes DBOS's tables.
    await kill(await worker('first'));
    client = await DBOSClient.create({ systemDatabaseUrl: postgres.url });
  }, 120_000);

  afterEach(async () => {
    await Promise.all(workers.splice(0).map(kill));
  });

  afterAll(async () => {
    await client?.destroy();
    await witness?.close();
    await postgres?.stop();
  });

  test('each effect of a run is a step under its own id; parallel tools run at the same time', async () => {
    const held = witness.hold('parallel');
    const one = await worker('a');
    const work = (id: string) => ({ tool: 'work', id, name: 'parallel' });
    await tell(one, { type: 'start', id: 'plain', input: script([work('a'), work('b')], 'all done') });
    await held.begun(2);
    held.release();
    expect(await resultOf('plain')).toMatchObject({ finalOutput: 'all done', lastAgent: 'assistant' });
    const steps = ['start', '1/prepare', '1/model', '1/a', '1/b', 'settled', '2/prepare', '2/model', '2/finish'];
    expect(await stepsOf('plain')).toEqual(steps);
    expect(begunBy('plain')).toEqual({ '1/model': 1, '1/a': 1, '1/b': 1, '2/model': 1 });
    expect(await client.getEvent('plain', topics.progress, 1)).toEqual({ settled: '2/finish', steps: [] });
  });

  test('a worker killed in the middle of a turn: what had finished is not done again, what was in flight is, under the same key', async () => {
    const held = witness.hold('in flight');
    const input = script(
      [
        { tool: 'work', id: 'quick', name: 'quick' },
        { tool: 'work', id: 'slow', name: 'in flight' },
        { tool: 'ask_inner', id: 'inner', input: script('inner done') },
      ],
      'recovered',
    );
    const one = await worker('a');
    await tell(one, { type: 'start', id: 'killed', input });
    await held.begun();
    await until(async () => (await stepsOf('killed')).includes('1/inner/ended'));
    await kill(one);
    held.release();
    const two = await worker('a');
    expect(await resultOf('killed')).toMatchObject({ finalOutput: 'recovered' });
    expect(begunBy('killed')).toEqual({ '1/model': 1, '1/quick': 1, '1/slow': 2, '1/inner/1/model': 1, '2/model': 1 });
    await kill(two);
  });

  test('the runs of a dead worker are taken over by another that is up, which goes on with its own', async () => {
    const held = witness.hold('taken over');
    const [dying, living] = await Promise.all([worker('dying'), worker('living')]);
    const input = script([{ tool: 'work', id: 'w', name: 'taken over' }], 'taken over');
    const ids = Array.from({ length: 5 }, (_, at) => `over-${at}`);
    for (const id of ids) await tell(dying, { type: 'start', id, input });
    await held.begun(5);
    await tell(living, { type: 'start', id: 'own', input: script([{ tool: 'work', id: 'w', name: 'own' }], 'own') });
    await kill(dying);
    held.release();
    expect(await resultOf('own')).toMatchObject({ finalOutput: 'own' });
    await tell(living, { type: 'recover', executor: 'dying' });
    for (const id of ids) {
      expect(await resultOf(id)).toMatchObject({ finalOutput: 'taken over' });
      expect(begunBy(id)).toEqual({ '1/model': 1, '1/w': 2, '2/model': 1 });
    }
    expect(begunBy('own')).toEqual({ '1/model': 1, '1/w': 1, '2/model': 1 });
  });

  test('approvals at any depth, answered one by one, also while no worker is up; what is no answer is dropped', async () => {
    const one = await worker('a');
    const inner = script([{ tool: 'pay', id: 'deep' }], 'inner done');
    const turn = [
      { tool: 'ask_inner', id: 'i', input: inner },
      { tool: 'pay', id: 'p' },
    ];
    await tell(one, { type: 'start', id: 'asking', input: script(turn, 'settled') });
    const open = await questions('asking', 2);
    expect(open.map(({ id, agent }) => ({ id, agent }))).toEqual([
      { id: 'i/deep', agent: 'inner' },
      { id: 'p', agent: 'assistant' },
    ]);
    await kill(one);
    await client.send('asking', { id: 'p', type: 'perhaps' }, topics.answer);
    await client.send('asking', 'nonsense', topics.answer);
    await client.send('asking', { id: 'i/deep', type: 'approved' }, topics.answer);
    await worker('a');
    await witness.ended('pay', 1);
    await questions('asking', 1);
    await client.send('asking', { id: 'p', type: 'rejected', message: 'Too much.' }, topics.answer);
    const reply = await resultOf('asking');
    expect(reply.finalOutput).toBe('settled');
    expect(JSON.stringify(reply.newItems)).toContain('Too much.');
    expect(begunBy('asking')).toMatchObject({ '1/i/1/deep': 1, '2/model': 1 });
    expect(begunBy('asking')).not.toHaveProperty('1/p');
  });

  test('a call that nobody answers in time is rejected', async () => {
    const one = await worker('a');
    const input = script([{ tool: 'pay', id: 'p' }], 'not paid');
    await tell(one, { type: 'start', id: 'late', input, answerWithinMs: 200 });
    expect(JSON.stringify(await resultOf('late'))).toContain('Nobody answered within 200 ms.');
  });

  test('a run that is cancelled aborts what goes on; resumed, it goes on where it was', async () => {
    const held = witness.hold('cancelled');
    const one = await worker('a');
    const input = script([{ tool: 'work', id: 'w', name: 'cancelled' }], 'after all');
    await tell(one, { type: 'start', id: 'stopped', input });
    await held.begun();
    await client.cancelWorkflow('stopped');
    await held.givenUp();
    await expect(resultOf('stopped')).rejects.toThrow(/cancel/i);
    expect(await stepsOf('stopped')).not.toContain('1/w');
    held.release();
    await client.resumeWorkflow('stopped');
    expect(await resultOf('stopped')).toMatchObject({ finalOutput: 'after all' });
    expect(begunBy('stopped')).toEqual({ '1/model': 1, '1/w': 2, '2/model': 1 });
  });

  test('a program that has changed is named when it takes up a run that another began', async () => {
    const held = witness.hold('changed');
    const one = await worker('a');
    await tell(one, {
      type: 'start',
      id: 'changed',
      input: script([{ tool: 'work', id: 'w', name: 'changed' }], 'end'),
    });
    await held.begun();
    await kill(one);
    held.release();
    await worker('a', 'another_tool');
    await expect(resultOf('changed')).rejects.toThrow(/the agents or the version of @polyrun\/core have changed/);
  });

  test('200 runs at once on two workers: each effect once', async () => {
    const [one, two] = await Promise.all([worker('a'), worker('b')]);
    const ids = Array.from({ length: 200 }, (_, at) => `many-${at}`);
    const input = script([{ tool: 'work', id: 'w' }], 'done');
    await Promise.all(
      [one, two].map(async (each, at) => {
        for (const id of ids.filter((_, index) => index % 2 === at)) await tell(each, { type: 'start', id, input });
      }),
    );
    for (const id of ids) {
      expect(await resultOf(id)).toMatchObject({ finalOutput: 'done' });
      expect(begunBy(id)).toEqual({ '1/model': 1, '1/w': 1, '2/model': 1 });
    }
  });
});
