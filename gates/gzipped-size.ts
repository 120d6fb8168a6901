import { gzipSync } from 'node:zlib';
import { build, type BuildOptions } from 'esbuild';

/** What a program weighs for those who load it: bundled, minified, gzipped; in bytes. */
export async function gzippedSize(options: BuildOptions): Promise<number> {
  const { outputFiles } = await build({
    ...options,
    bundle: true,
    format: 'esm',
    legalComments: 'none',
    logLevel: 'silent',
    minify: true,
    platform: 'neutral',
    target: 'es2023',
    write: false,
  });
  return gzipSync(outputFiles?.[0]?.contents ?? '', { level: 9 }).byteLength;
}
