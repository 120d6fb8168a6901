import { chatCompletions } from '@polyrun/chat-completions';
import { Agent, tool } from '@polyrun/core';
import { runDemoLoop, SQLiteSession } from '../../src/index.ts';

/** The demo loop around agents that can do a little, on the model at the address given. */
const [baseURL = '', mode = 'stream', file] = process.argv.slice(2);
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weather = tool({ name: 'weather', description: 'Tells it.', parameters, execute: () => 'Sunny.' });
const refund = tool({
  name: 'refund',
  description: 'Pays back.',
  parameters: { type: 'object' },
  needsApproval: true,
  execute: () => 'paid back',
});
const spanish = new Agent({ name: 'Spanish', handoffDescription: 'Speaks Spanish.' });
const agent = new Agent({ name: 'English', tools: [weather, refund], handoffs: [spanish] });
await runDemoLoop(agent, {
  stream: mode === 'stream',
  runConfig: {
    modelProvider: chatCompletions({ baseURL, apiKey: 'test-key', name: 'here', defaultModel: 'm' }),
    retry: { maxRetries: 0 },
  },
  session: file === undefined ? undefined : new SQLiteSession('chat', file),
});
process.stdout.write('[the program goes on]\n');
