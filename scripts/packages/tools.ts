import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { run } from './shell.ts';

const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** Runtimes and checkers, far too big for everybody's installation. */
const versions: { readonly [name: string]: string } = {
  'node-22': `npm:node-${platform}@22.23.3`,
  'node-24': `npm:node-${platform}@24.9.0`,
  'node-26': `npm:node-${platform}@26.10.0`,
  bun: '1.4.5',
  deno: '2.9.6',
  miniflare: '4.20260730.0',
  '@arethetypeswrong/cli': '0.18.5',
};

/** Outside the workspace, so that `pnpm install` has nothing of it. `POLYRUN_TOOLS` names another folder. */
const folder = process.env['POLYRUN_TOOLS'] ?? path.join(homedir(), '.cache/polyrun-tools');

/** Installs the tools, once for each set of versions, and tells where. */
export async function toolFolder(): Promise<string> {
  const manifest = JSON.stringify({ private: true, dependencies: versions }, null, 2);
  const done = path.join(folder, 'installed.json');
  if (existsSync(done) && readFileSync(done, 'utf8') === manifest) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), manifest);
  await run('npm', ['install'], { cwd: folder });
  writeFileSync(done, manifest);
  return folder;
}
