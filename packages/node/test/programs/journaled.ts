import { chatCompletions } from '@polyrun/chat-completions';
import { Agent, Runner, tool, type Journal } from '@polyrun/core';
import { SQLiteJournal, SQLiteSession, SQLiteStore } from '../../src/index.ts';

/** Books a trip, telling a witness of each tool call and of each entry of the journal, before and after it is written. */
const [file = '', baseURL = '', witness = '', runId = ''] = process.argv.slice(2);

async function tell(what: string, facts: object): Promise<string> {
  return (await fetch(`${witness}/${what}`, { method: 'POST', body: JSON.stringify(facts) })).text();
}

const step = (name: string) =>
  tool({
    name,
    description: `Does the step ${name}.`,
    parameters: { type: 'object' },
    execute: (_, { idempotencyKey }) => tell('tool', { name, key: idempotencyKey }),
  });
const agent = new Agent({ name: 'Travel', model: 'm', tools: ['reserve', 'pay', 'confirm'].map(step) });
const store = new SQLiteStore(file);
const inner = new SQLiteJournal(store);
const journal: Journal = {
  acquire: (request) => inner.acquire(request),
  read: (id) => inner.read(id),
  append: async (id, entry) => {
    await tell('before', { effectId: entry.effectId });
    await inner.append(id, entry);
    await tell('after', { effectId: entry.effectId });
  },
};
const result = await Runner.run(agent, 'Book it.', {
  runConfig: { modelProvider: chatCompletions({ baseURL, apiKey: 'test-key' }), retry: { maxRetries: 0 } },
  session: new SQLiteSession('trip', store),
  journal,
  runId,
});
process.stdout.write(`${JSON.stringify({ finalOutput: result.finalOutput, items: result.toInputList().length })}\n`);
store.close();
