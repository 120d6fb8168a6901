import { jsonSchema, tool } from '@polyrun/core';
import { sleep } from '@temporalio/workflow';

/** A tool for workflows: its sleep is a timer of Temporal's. The agent has it too, so that the model is told of it. */
export const nap = tool({
  name: 'nap',
  description: 'Sleeps.',
  parameters: jsonSchema<{ ms: number }>({ type: 'object', properties: { ms: { type: 'number' } }, required: ['ms'] }),
  execute: async ({ ms }) => {
    await sleep(ms);
    return `slept ${ms} ms`;
  },
});
