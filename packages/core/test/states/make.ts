import { writeFileSync } from 'node:fs';
import { cases } from './cases.ts';

// Writes one state per case, in the format of today. What is there stays for ever: a new format gets new files beside the old ones.
const version = 'v1';
for (const [name, { agent, stop }] of Object.entries(cases)) {
  const text = (await stop(agent())).toString();
  const file = new URL(`${version}-${name}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(JSON.parse(text), null, 1)}\n`, { flag: 'wx' });
}
