import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Row } from './measure.ts';

const programs = [
  ['agent-with-tool', 'size: one agent with a tool'],
  ['agent-with-tool-and-model', 'size: the same with defineModel'],
] as const;

/** What a program that uses the core ships, minified and gzipped: the programs that the size gate looks at. */
export async function size(): Promise<readonly Row[]> {
  return Promise.all(
    programs.map(async ([name, what]): Promise<Row> => {
      const contents = readFileSync(new URL(`../../gates/fixtures/${name}.js`, import.meta.url), 'utf8');
      const over = (await gzipped(contents)) / 1024;
      return { what, unit: 'KB', polyrun: over, over, target: 20 };
    }),
  );
}

async function gzipped(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
    bundle: true,
    format: 'esm',
    legalComments: 'none',
    logLevel: 'silent',
    minify: true,
    platform: 'neutral',
    target: 'es2023',
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).byteLength;
}
