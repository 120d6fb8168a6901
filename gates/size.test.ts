import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { gzippedSize } from './gzipped-size.ts';
import { packageFolders, root } from './sources.ts';

/** What the core is to weigh; each program below may weigh what stands beside it until it does, which only ever goes down. */
const coreBudget = 20 * 1024;
const adapterLimit = 10 * 1024;
const core = path.join(root, 'packages/core');

test.for([
  ['agent-with-tool', 30 * 1024, ['Agent', 'Runner', 'tool']],
  ['agent-with-tool-and-model', 35 * 1024, ['Agent', 'Runner', 'tool', 'defineModel']],
] as const)('the core in a minimal program (%s) stays small', async ([name, held, needed], { skip }) => {
  const exported = await exportsOf(core);
  const missing = needed.filter((wanted) => !exported.includes(wanted));
  skip(missing.length > 0, `@polyrun/core exports no ${missing.join(', ')} yet`);
  const contents = readFileSync(path.join(root, `gates/fixtures/${name}.js`), 'utf8');
  const size = await gzippedSize({ stdin: { contents, resolveDir: core, sourcefile: `${name}.js` } });
  console.log(
    `size of ${name}: ${kilobytes(size)}; the budget is ${kilobytes(coreBudget)}, held at ${kilobytes(held)}`,
  );
  expect(size).toBeLessThanOrEqual(held);
});

test.for(packageFolders().filter((folder) => folder !== 'packages/core'))(
  '%s stays small without its vendor client',
  async (folder) => {
    const size = await gzippedSize({ entryPoints: [path.join(root, folder, 'dist/index.js')], packages: 'external' });
    console.log(`size of ${folder}: ${kilobytes(size)} of at most ${kilobytes(adapterLimit)}`);
    expect(size).toBeLessThanOrEqual(adapterLimit);
  },
);

async function exportsOf(folder: string): Promise<string[]> {
  const file = path.join(folder, 'dist/index.js');
  if (!existsSync(file)) throw new Error(`${file} is missing: build first.`);
  const module: unknown = await import(pathToFileURL(file).href);
  return Object.keys(Object(module));
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(2)} KB`;
}
