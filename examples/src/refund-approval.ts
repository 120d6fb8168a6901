// A refund waits for a person, in a file, for as long as it takes: the program that asks and the program that goes on are two.
//
//   node src/refund-approval.ts ask "Please refund order 1001, it was broken."
//   node src/refund-approval.ts approve        (or: reject "Too old.")
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, Runner, RunState, tool, type RunResult } from '@polyrun/core';
import { z } from 'zod';
import { runConfig } from './model.ts';

const stateFile = process.env['STATE_FILE'] ?? 'refund.json';

const refund = tool({
  name: 'refund',
  description: 'Pays the price of an order back.',
  parameters: z.object({ order: z.string(), amount: z.number() }),
  needsApproval: ({ arguments: { amount } }) => amount > 20,
  // The key is the same should the program die here and the call be made again: the bank pays once.
  execute: ({ order, amount }, { idempotencyKey }) => {
    console.log(`paid ${amount} for order ${order}, as ${idempotencyKey}`);
    return 'paid';
  },
});

const agent = new Agent({
  name: 'Refunds',
  instructions: 'Refund broken goods: an order costs 59. Tell the customer what was done.',
  tools: [refund],
});

const [command = 'ask', words = 'Please refund order 1001, it was broken.'] = process.argv.slice(2);
if (command === 'ask') {
  await report(await Runner.run(agent, words, { runConfig }));
} else {
  const state = RunState.fromString(agent, await readFile(stateFile, 'utf8'));
  for (const item of state.interruptions) {
    if (command === 'approve') state.approve(item);
    else state.reject(item, { message: `The refund was refused: ${words}` });
  }
  await report(await Runner.run(agent, state, { runConfig }));
}

async function report({ interruptions, state, finalOutput }: RunResult<unknown, string>): Promise<void> {
  if (interruptions.length === 0) {
    await rm(stateFile, { force: true });
    console.log(finalOutput);
    return;
  }
  await writeFile(stateFile, state.toString());
  for (const item of interruptions) console.log(`waiting for approval: ${item.toolName} ${item.arguments}`);
}
