import { DBOS } from '@dbos-inc/dbos-sdk';
import { Agent, tool } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { agentWorkflow } from '@polyrun/dbos';
import { postgresPrograms, startPostgres } from '../test/engine/support/postgres.ts';

/** What a step of an agent's run costs on DBOS beside a step of a workflow without one. Needs PostgreSQL. */
const runs = 200;
const steps = 10;

const programs = postgresPrograms();
if (programs === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
const postgres = await startPostgres(programs);
DBOS.setConfig({ name: 'measured', systemDatabaseUrl: postgres.url, logLevel: 'error', applicationVersion: '1' });

const bare = DBOS.registerWorkflow(
  async () => {
    for (let step = 0; step < steps; step++) await DBOS.runStep(async () => ({ step }), { name: `step ${step}` });
  },
  { name: 'bare' },
);
const work = tool({ name: 'work', description: 'Works.', parameters: { type: 'object' }, execute: () => 'worked' });
/** Three model calls and two tools: start, three plans, three answers, two calls, finish. */
const model = {
  provider: 'scripted',
  name: 'by-turn',
  capabilities: {},
  getResponse: (request: Parameters<ScriptedModel['getResponse']>[0]) => {
    const calls = request.input.filter(({ type }) => type === 'function_call').length;
    return new ScriptedModel([calls < 2 ? [call('work', {}, `c${calls}`)] : 'done']).getResponse(request);
  },
  streamResponse: () => {
    throw new Error('Nobody listens.');
  },
};
const agent = new Agent({ name: 'measured', model, tools: [work] });
const agentRun = agentWorkflow({ name: 'agent', agent });

await DBOS.launch();
try {
  const targets: [string, () => Promise<unknown>][] = [
    ['bare', bare],
    ['agent', () => agentRun({ input: 'go' })],
  ];
  for (const [, run] of targets) await together(run, 50);
  for (let round = 0; round < 3; round++) {
    for (const [name, run] of targets) {
      const alone = await oneByOne(run, 40);
      const wall = await together(run, runs);
      console.log(
        `${name.padEnd(5)} one after the other: ${(alone / steps).toFixed(2)} ms a step; ` +
          `${runs} at once: ${wall.toFixed(0)} ms in all, ${((wall * 1000) / runs / steps).toFixed(0)} µs a step`,
      );
    }
  }
} finally {
  await DBOS.shutdown();
  await postgres.stop();
}

/** Milliseconds of one run, the middle of many. */
async function oneByOne(run: () => Promise<unknown>, count: number): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return times.sort((one, other) => one - other)[Math.floor(count / 2)] ?? 0;
}

async function together(run: () => Promise<unknown>, count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, run));
  return performance.now() - began;
}
