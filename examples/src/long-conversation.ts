// A conversation that may go on for ever: all of it is kept, but a model is shown only the newest messages.
//
//   node src/long-conversation.ts        (type, end with Ctrl-D)
import { createInterface } from 'node:readline/promises';
import { Agent, MemorySession, Runner } from '@polyrun/core';
import { runConfig } from './model.ts';

const agent = new Agent({ name: 'Friend', instructions: 'Chat. Be brief.' });

// In a server: SQLiteSession of @polyrun/node, or a store of your own with the same four methods.
const session = new MemorySession({ sessionId: 'conversation-1' });
const runner = new Runner({ ...runConfig, sessionSettings: { limit: 6 } });

for await (const line of createInterface({ input: process.stdin })) {
  const stream = runner.runStreamed(agent, line, { session });
  for await (const text of stream.toTextStream()) process.stdout.write(text);
  process.stdout.write('\n');
}
const items = await session.getItems();
console.log(`${items.length} messages are kept.`);
