import { Agent } from '@polyrun/core';
import { runSync } from '../../src/index.ts';
import { ownProvider } from './own-provider.ts';

/** Asks once and ends by itself: the thread that answered keeps nothing alive. */
const modelProvider = ownProvider({ delays: [] });
const { finalOutput } = runSync(new Agent({ name: 'A' }), 'hi', { runConfig: { modelProvider } });
process.stdout.write(`${finalOutput}\n`);
