import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Declarations } from '../scripts/declarations.ts';
import { packageFolders, root } from './sources.ts';

/** What users see in a signature without a need to name it: parts of a state, of the kits for tests, and of what processes tell each other. */
const opaque = [
  'core/dist/loop/',
  'core/dist/testing/',
  'node/dist/sqlite/database.d.ts',
  'temporal/dist/outline.d.ts',
];

test.for(packageFolders())('%s exports every type that its exported declarations are made of', (folder) => {
  const packaged = path.join(root, folder);
  const { exports }: { exports: { [door: string]: { types?: string } } } = JSON.parse(
    readFileSync(path.join(packaged, 'package.json'), 'utf8'),
  );
  const doors = Object.values(exports).flatMap(({ types }) => (types ? [path.join(packaged, types)] : []));
  for (const door of doors) if (!existsSync(door)) throw new Error(`${door} is missing: build first.`);
  const modules = new Declarations();
  const shown = new Set(doors.flatMap((door) => modules.exportsOf(door).map(({ code }) => code)));
  // What its module keeps to itself is written out where users meet it; what it exports can only be named.
  const hidden = modules
    .reached()
    .filter(
      ({ code, file }) => code.startsWith('export') && !shown.has(code) && !opaque.some((at) => file.includes(at)),
    );
  expect(hidden.map(({ name, file }) => `${name} of ${path.relative(packaged, file)}`)).toEqual([]);
});
