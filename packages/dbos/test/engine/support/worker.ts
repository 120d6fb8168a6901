import { parseArgs } from 'node:util';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { agentWorkflow, recoverWorkflowsOf } from '@polyrun/dbos';
import { assistant } from '@polyrun/wires/assistant';

/** A worker process: goes on with the workflows of its executor until it is killed. */
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    witness: { type: 'string' },
    executor: { type: 'string' },
    extra: { type: 'string', multiple: true },
  },
});
const { url = '', witness = '', executor = '', extra = [] } = values;

export type Order =
  | { readonly type: 'start'; readonly id: string; readonly input: string; readonly answerWithinMs?: number }
  | { readonly type: 'recover'; readonly executor: string };
type Request = { readonly input: string; readonly answerWithinMs: number | undefined };

DBOS.setConfig({
  name: 'polyrun',
  systemDatabaseUrl: url,
  executorID: executor,
  applicationVersion: 'test',
  logLevel: 'error',
});
const agent = assistant(witness, extra);
const workflow = agentWorkflow({
  name: 'assistant',
  agent,
  run: ({ answerWithinMs }: Request) => ({ answerWithinMs, progress: true }),
});
await DBOS.launch();
process.on('message', (order: Order) => void obey(order));
process.send?.('ready');

async function obey(order: Order): Promise<void> {
  if (order.type === 'recover') await recoverWorkflowsOf(order.executor);
  else {
    const { id, input, answerWithinMs } = order;
    await DBOS.startWorkflow(workflow, { workflowID: id })({ input, answerWithinMs });
  }
  process.send?.('done');
}
