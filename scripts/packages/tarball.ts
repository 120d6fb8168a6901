import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pnpm } from './shell.ts';

/** A published package as it would be uploaded. */
export type Tarball = { readonly name: string; readonly file: string };

/** Packs a package of the repository, which was built before, into a folder. */
export async function tarball(folder: string, into: string): Promise<Tarball> {
  mkdirSync(into, { recursive: true });
  const { name }: { name: string } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  if (!existsSync(path.join(folder, 'dist'))) throw new Error(`${name} is not built.`);
  const file = path.join(into, `${name.replace(/^@/, '').replace('/', '-')}.tgz`);
  await pnpm(['pack', '--out', file], { cwd: folder });
  return { name, file };
}
