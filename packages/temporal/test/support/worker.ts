import { parseArgs } from 'node:util';
import { assistant } from '@polyrun/wires/assistant';
import { bundled, quietRuntime, runWorker } from './temporal.ts';

/** A worker process: performs runs until it is killed. */
const { values } = parseArgs({
  options: { address: { type: 'string' }, witness: { type: 'string' }, queue: { type: 'string' } },
});
const { address = '', witness = '', queue = '' } = values;
quietRuntime();
await runWorker(address, { agents: [assistant(witness)], workflowBundle: await bundled(), taskQueue: queue });
process.stdout.write('ready\n');
