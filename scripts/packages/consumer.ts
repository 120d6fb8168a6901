import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { blocksOf } from '../../docs/check/blocks.ts';
import { newAdapter } from '../new-adapter.ts';
import { firstAgent } from './first-agent.ts';
import { pnpm, run } from './shell.ts';
import type { Tarball } from './tarball.ts';

/** An empty folder in which somebody installs packages. */
export async function consumer(folder: string, installer: 'npm' | 'pnpm', packed: readonly Tarball[]): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  // Or the folder would pass for a part of whatever stands above it.
  if (installer === 'pnpm') writeFileSync(path.join(folder, 'pnpm-workspace.yaml'), 'packages: []\n');
  const files = packed.map(({ file }) => file);
  if (installer === 'npm') await run('npm', ['install', ...files], { cwd: folder });
  else await pnpm(['add', ...files], { cwd: folder });
  return folder;
}

/** Runs the README's first agent in a folder where it is installed; gives what it prints. */
export async function printed(folder: string, server: string, command: readonly string[]): Promise<string> {
  const [program = '', ...args] = command;
  writeFileSync(path.join(folder, 'agent.js'), firstAgent(server));
  writeFileSync(path.join(folder, 'run.js'), "import { main } from './agent.js';\nconsole.log(await main());\n");
  const env = { MISTRAL_API_KEY: 'test-key', NO_COLOR: '1' };
  return (await run(program, [...args, 'run.js'], { cwd: folder, env })).trim();
}

/** Compiles that program as strictly as can be, the declarations of the packages included. */
export async function compiled(folder: string, tsc: string): Promise<string> {
  const [block] = blocksOf('README.md');
  writeFileSync(path.join(folder, 'agent.ts'), block?.code ?? '');
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--types', ''];
  const target = ['--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023,dom,dom.asynciterable'];
  return run(tsc, ['--noEmit', ...strict, ...target, 'agent.ts'], { cwd: folder });
}

/** Writes a new adapter outside of the repository; it builds, type-checks, and its kit is red for the right reason. */
export async function newcomer(folder: string, root: string, core: Tarball): Promise<string> {
  newAdapter({ name: 'some-wire', root, standalone: folder });
  await run('npm', ['install', '--save-dev', core.file], { cwd: folder });
  for (const script of ['build', 'typecheck']) await run('npm', ['run', script], { cwd: folder });
  const told = await run('npm', ['test'], { cwd: folder }).then(
    () => 'its kit is green',
    (error: unknown) => String(error),
  );
  if (told.includes('Not written yet: src/messages.ts')) return 'its kit is red';
  throw new Error(told);
}
