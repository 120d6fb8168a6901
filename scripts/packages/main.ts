import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startModelServer } from '../../docs/check/server.ts';
import { addCounts } from '../closing-line-reporter.ts';
import { compiled, consumer, newcomer, printed } from './consumer.ts';
import { answer } from './first-agent.ts';
import { chromium, inChromium, inWorkerd } from './hosts.ts';
import { run } from './shell.ts';
import { tarball, type Tarball } from './tarball.ts';
import { toolFolder } from './tools.ts';

/** One thing to be tried; it throws, or gives what it found. `undefined` instead of a trial: it cannot be tried here. */
type Trial = readonly [what: string, trial: (() => Promise<string>) | undefined];

/*
 * Tries the packages as their users get them: packed, checked, installed in empty folders by npm and pnpm, and run on every host that is
 * promised. A line for each trial, and at the end how many passed.
 */
const root = path.resolve(import.meta.dirname, '../..');
const publint = path.join(root, 'node_modules/.bin/publint');
const place = mkdtempSync(path.join(tmpdir(), 'polyrun-packages-'));
const server = await startModelServer();
const count = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const trial of await trials()) await tried(trial);
} finally {
  await server.stop();
  rmSync(place, { recursive: true, force: true });
}
console.log(addCounts(count));
process.exitCode = count.failed === 0 ? 0 : 1;

async function trials(): Promise<Trial[]> {
  const tools = await toolFolder();
  const folders = globSync('packages/*/package.json', { cwd: root }).map((file) => path.join(root, path.dirname(file)));
  return [...folders.toSorted().flatMap((folder) => checks(folder, tools)), ...(await hosts(tools))];
}

/** Each package as it would be uploaded: what it says of itself is true, and its types are found. */
function checks(folder: string, tools: string): Trial[] {
  const name = path.basename(folder);
  let made: ReturnType<typeof tarball> | undefined;
  const packed = () => (made ??= tarball(folder, path.join(place, 'tarballs')));
  const attw = path.join(tools, 'node_modules/.bin/attw');
  return [
    [`publint of ${name}`, async () => run(publint, ['run', (await packed()).file, '--strict'], { cwd: folder })],
    [
      `types of ${name}`,
      async () => run(attw, [(await packed()).file, '--profile', 'esm-only', '--no-emoji'], { cwd: folder }),
    ],
  ];
}

/** What the README tells a new user to install, and its first agent, on every host. */
async function hosts(tools: string): Promise<Trial[]> {
  const packages = ['core', 'chat-completions'].map((name) => path.join(root, 'packages', name));
  const packed = await Promise.all(packages.map((folder) => tarball(folder, path.join(place, 'installed'))));
  const byNpm = await consumer(path.join(place, 'by-npm'), 'npm', packed);
  const byPnpm = await consumer(path.join(place, 'by-pnpm'), 'pnpm', packed);
  const bin = (name: string) => path.join(tools, 'node_modules', name);
  const agent = (folder: string, command: readonly string[]) => () => expected(printed(folder, server.url, command));
  const browser = chromium();
  const inBrowser = browser === undefined ? undefined : () => expected(inChromium(byNpm, server.url, browser));
  const [core] = packed;
  return [
    ['first agent compiled, declarations included', () => compiled(byNpm, path.join(root, 'node_modules/.bin/tsc'))],
    ...(core ? [newcomers(core)] : []),
    ...['22', '24', '26'].flatMap((version): Trial[] => [
      [`first agent by npm on Node ${version}`, agent(byNpm, [bin(`node-${version}/bin/node`)])],
      [`first agent by pnpm on Node ${version}`, agent(byPnpm, [bin(`node-${version}/bin/node`)])],
    ]),
    ['first agent on Bun', agent(byNpm, [bin('.bin/bun')])],
    ['first agent on Deno', agent(byNpm, [bin('.bin/deno'), 'run', '--quiet', '-A'])],
    ['first agent in workerd', () => expected(inWorkerd(byNpm, server.url, tools))],
    ['first agent in Chromium', inBrowser],
  ];
}

function newcomers(core: Tarball): Trial {
  return [
    'new adapter of its own, outside of the repository',
    () => newcomer(path.join(place, 'newcomer'), root, core),
  ];
}

async function expected(text: Promise<string>): Promise<string> {
  const got = await text;
  if (got !== answer) throw new Error(`expected '${answer}', got '${got}'`);
  return got;
}

async function tried([what, trial]: Trial): Promise<void> {
  if (!trial) {
    count.skipped++;
    return console.log(`- ${what}: there is none here`);
  }
  const started = performance.now();
  try {
    await trial();
    count.passed++;
    console.log(`✓ ${what} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    count.failed++;
    console.log(`✗ ${what}\n${error instanceof Error ? error.message : String(error)}`);
  }
}
