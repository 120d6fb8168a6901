import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { imports, programOf } from './programs.ts';
import type { Figure, Row } from './row.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What a minimal program ships, minified and gzipped. */
export async function size(): Promise<readonly Row[]> {
  return [
    {
      what: 'bundle',
      unit: 'KB',
      figures: await bundles('agent'),
      targets: [{ type: 'times', times: 8, than: 'the best peer' }],
    },
    { what: 'bundle, with chat completions', unit: 'KB', figures: await bundles('chat'), targets: [] },
  ];
}

async function bundles(kind: 'agent' | 'chat'): Promise<ReadonlyMap<string, Figure>> {
  const figures = new Map<string, Figure>();
  for (const name of Object.keys(imports))
    figures.set(name, { typical: (await gzippedSize(programOf(name, kind))) / 1024 });
  return figures;
}

/** Of the program and of all that it imports at once; what is loaded on demand, such as pi's other providers, does not count. */
async function gzippedSize(program: string): Promise<number> {
  const { metafile, outputFiles } = await build({
    entryPoints: { main: program },
    // Not installed: an optional part of what pi loads on demand.
    external: ['@opentelemetry/api'],
    bundle: true,
    format: 'esm',
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
    minify: true,
    outdir: 'out',
    platform: 'node',
    splitting: true,
    target: 'es2023',
    write: false,
    absWorkingDir: root,
  });
  const wanted = new Set(['out/main.js']);
  for (const chunk of wanted)
    for (const imported of metafile.outputs[chunk]?.imports ?? [])
      if (imported.kind === 'import-statement' && !imported.external) wanted.add(imported.path);
  return outputFiles
    .filter((file) => wanted.has(path.relative(root, file.path).replaceAll(path.sep, '/')))
    .reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).byteLength, 0);
}
