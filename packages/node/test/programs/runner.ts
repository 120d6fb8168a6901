import { Agent, Runner, tool } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { SQLiteJournal } from '../../src/index.ts';

/** Goes on with the run of a journal. Its tool tells that it has begun, and works for ever unless it is told to be quick. */
const [file = '', how = ''] = process.argv.slice(2);
const work = tool({
  name: 'work',
  description: 'Works.',
  parameters: { type: 'object' },
  timeoutMs: 600_000,
  execute: (_, { idempotencyKey }) => {
    process.stdout.write(`${idempotencyKey}\n`);
    return how === 'quick' ? 'worked' : new Promise(() => undefined);
  },
});
const agent = new Agent({
  name: 'A',
  model: new ScriptedModel([[call('work')], 'done'].slice(how === 'quick' ? 1 : 0)),
  tools: [work],
});
try {
  const result = await Runner.run(agent, 'go', { journal: new SQLiteJournal(file), runId: 'r' });
  process.stdout.write(`${result.finalOutput}\n`);
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
process.exit();
