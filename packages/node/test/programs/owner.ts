import { setTimeout } from 'node:timers/promises';
import { SQLiteSession } from '../../src/index.ts';

/** Owns the session until it is killed. */
const [file = ''] = process.argv.slice(2);
const session = new SQLiteSession('shared', file);
await session.acquire({ runId: 'theirs', wait: false });
process.stdout.write('owned\n');
await setTimeout(600_000);
