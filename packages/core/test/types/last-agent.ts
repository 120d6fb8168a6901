/** Programs that must compile: a conversation goes on with the agent that had the last word. */
import { Agent, MemorySession, Runner } from '../../src/index.ts';

const runner = new Runner();
const session = new MemorySession();
const agent = new Agent({ name: 'A' });
const first = await runner.run(agent, 'Hello', { session });
await runner.run(first.lastAgent, 'And?', { session });
await Runner.run(first.lastAgent, [...first.toInputList(), { role: 'user', content: 'And?' }]);
const stream = Runner.runStreamed(first.lastAgent, 'And?', { session, maxTurns: 3 });
await stream.completed;

type User = { name: string };
const typed = new Agent<User>({ name: 'B' });
await Runner.run(typed, 'Hello', { context: { name: 'Ann' } });
// @ts-expect-error the context of an agent whose type asks for one is still required
await Runner.run(typed, 'Hello');
