// Triage hands a customer to the agent who can help; guardrails keep out what is not our business, and keep in what is secret.
//
//   node src/customer-service.ts "Where is my order 1001?"
import {
  Agent,
  InputGuardrailTripwireTriggered,
  OutputGuardrailTripwireTriggered,
  Runner,
  textOf,
  tool,
  type InputGuardrail,
  type OutputGuardrail,
} from '@polyrun/core';
import { z } from 'zod';
import { runConfig } from './model.ts';

/** Who is asking: known from the login, and out of the model's reach. */
type Customer = { id: string; name: string };

const orders = [
  { number: '1001', customer: 'c-1', item: 'a kettle', status: 'on its way, due tomorrow' },
  { number: '1002', customer: 'c-2', item: 'a lamp', status: 'delivered' },
];

const findOrder = tool<Customer, { number: string }>({
  name: 'find_order',
  description: "Finds one of the customer's orders.",
  parameters: z.object({ number: z.string() }),
  execute: ({ number }, { context }) =>
    orders.find((order) => order.number === number && order.customer === context.id) ?? 'No such order.',
});

const screener = new Agent({
  name: 'Screener',
  instructions: 'Decide whether the message is for the customer service of a shop for household goods.',
  outputType: z.object({ isForUs: z.boolean() }),
});

// While it runs, the triage agent already thinks; nothing of that takes effect before the verdict.
const onTopic: InputGuardrail<Customer> = {
  name: 'on topic',
  execute: async ({ input }) => {
    const question = input.map(textOf).join('\n');
    const { finalOutput } = await Runner.run(screener, question, { runConfig });
    return { tripwireTriggered: finalOutput?.isForUs === false };
  },
};

const noCardNumbers: OutputGuardrail<Customer> = {
  name: 'no card numbers',
  execute: ({ output }) => ({ tripwireTriggered: /\b(\d[ -]?){13,16}\b/.test(String(output)) }),
};

const deliveries = new Agent<Customer>({
  name: 'Deliveries',
  handoffDescription: 'Knows where orders are.',
  instructions: ({ runContext }) => `Help ${runContext.context.name} to find out where an order is. Be brief.`,
  tools: [findOrder],
  outputGuardrails: [noCardNumbers],
});

const returns = new Agent<Customer>({
  name: 'Returns',
  handoffDescription: 'Takes goods back.',
  instructions: 'Explain how to return goods within 30 days.',
  outputGuardrails: [noCardNumbers],
});

const triage = new Agent<Customer>({
  name: 'Triage',
  instructions: 'Hand the customer over to the agent who can help.',
  handoffs: [deliveries, returns],
  inputGuardrails: [onTopic],
});

const question = process.argv[2] ?? 'Where is my order 1001?';
try {
  const { lastAgent, finalOutput } = await Runner.run(triage, question, {
    context: { id: 'c-1', name: 'Ada' },
    runConfig,
  });
  console.log(`${lastAgent.name}: ${finalOutput}`);
} catch (error) {
  if (error instanceof InputGuardrailTripwireTriggered) console.log('Sorry, I can only help with our shop.');
  else if (error instanceof OutputGuardrailTripwireTriggered) console.log('A colleague will write to you.');
  else throw error;
}
