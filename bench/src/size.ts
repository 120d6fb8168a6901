import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzippedSize } from '../../gates/gzipped-size.ts';
import type { Row } from './measure.ts';

const resolveDir = fileURLToPath(new URL('..', import.meta.url));

const programs = [
  ['agent-with-tool', 'size: one agent with a tool'],
  ['agent-with-tool-and-model', 'size: the same with defineModel'],
] as const;

/** What a program that uses the core ships, minified and gzipped: the programs that the size gate looks at. */
export async function size(): Promise<readonly Row[]> {
  return Promise.all(
    programs.map(async ([name, what]): Promise<Row> => {
      const contents = readFileSync(new URL(`../../gates/fixtures/${name}.js`, import.meta.url), 'utf8');
      const over = (await gzippedSize({ stdin: { contents, resolveDir } })) / 1024;
      return { what, unit: 'KB', polyrun: over, over, target: 20 };
    }),
  );
}
