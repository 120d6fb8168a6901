import { wireOf } from './src/wires.ts';
import { recordingsOf } from './src/recorded.ts';
import { journey, newTally } from './src/journey.ts';
const from = wireOf('chat-completions'), to = from; const r = await recordingsOf(from);
const log = r.logs.find(l => l.name.includes('zai_reasoning_replayed'))!;
for (const [i, reply] of r.replies.entries()) { const tally = newTally();
 await journey({ ...log, settings: {} }, { home: { wire: from, place: log.home }, away: { wire: to, place: to.places[1]! }, reply }, tally);
 if (tally.violations.length) { console.log(i, tally.violations.join('\n').slice(0,300), (await reply.response().text()).slice(0, 1500)); break; } }
