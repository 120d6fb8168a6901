import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { ours, peers } from './contenders/index.ts';
import { concurrency, deltas, history, longRun, turns } from './in-process.ts';
import { overHttp } from './over-http.ts';
import type { Group, Row } from './row.ts';
import { size } from './size.ts';
import { startup } from './startup.ts';
import { shortTable, wholeTable } from './table.ts';

const groups: { readonly [name: string]: Group } = {
  turns,
  run: longRun,
  deltas,
  concurrency,
  history,
  http: overHttp,
  startup,
  size,
};
const chatPackages = ['@polyrun/chat-completions', '@openai/agents-openai', '@ai-sdk/openai-compatible'];
const marker = 'peers';

await main();

/** Measures the groups that `--only=turns,size` names, all by default; `--write` puts a whole table into both READMEs. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const chosen = values.only?.split(',') ?? Object.keys(groups);
  const unknown = chosen.filter((name) => !Object.hasOwn(groups, name));
  if (unknown.length > 0 || (values.write && (values.quick || values.only))) {
    console.error(
      unknown.length > 0
        ? `--only: there is no ${unknown.join(', ')}; choose from ${Object.keys(groups).join(', ')}.`
        : '--write takes a whole run: leave --quick and --only out.',
    );
    process.exitCode = 2;
    return;
  }
  const before = load();
  const rows: Row[] = [];
  for (const name of chosen) {
    console.error(`${name} …`);
    rows.push(...((await groups[name]?.({ quick: values.quick })) ?? []));
  }
  const made = conditions({ before, after: load() });
  const whole = `${made}\n\n${wholeTable(rows)}`;
  console.log(whole);
  if (!values.write) return;
  insert(new URL('../README.md', import.meta.url), whole);
  insert(new URL('../../../README.md', import.meta.url), `${shortTable(rows)}\n\n${made}`);
}

/** What one has to know to believe the figures. */
function conditions({ before, after }: { before: string; after: string }): string {
  const versions = [ours, ...peers, ...chatPackages];
  return [
    `Node ${process.versions.node}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown processor'}, ${os.platform()};`,
    `load ${before} before, ${after} after; ${new Date().toISOString().slice(0, 10)}.`,
    `By \`npx -y pnpm@12 bench:peers --write\`, with ${versions.map((name) => `${name} ${versionOf(name)}`).join(', ')}.`,
  ].join('\n');
}

function versionOf(name: string): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  );
  return version;
}

function load(): string {
  return (os.loadavg()[0] ?? 0).toFixed(1);
}

/** Replaces what stands between the markers. */
function insert(file: URL, text: string): void {
  const [start, end] = [`<!-- ${marker}:start -->`, `<!-- ${marker}:end -->`];
  const old = readFileSync(file, 'utf8');
  const [from, to] = [old.indexOf(start), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file.pathname} needs the lines ${start} and ${end}.`);
  writeFileSync(file, `${old.slice(0, from + start.length)}\n${text}\n${old.slice(to)}`);
}
