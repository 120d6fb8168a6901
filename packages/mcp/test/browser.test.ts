import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import type { mcpServer as McpServerFunction } from '../src/index.ts';
import { atEnd, folder } from './support/fixtures.ts';
import { httpFixture } from './support/http-fixture.ts';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

test.each(['browser', 'workerd'])('runs over HTTP without anything of Node, bundled for a %s', async (condition) => {
  const bundle = await build({
    stdin: { contents: "export { mcpServer } from './index.js';", resolveDir: dist },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: [condition],
    logLevel: 'silent',
  });
  const imported = Object.values(bundle.metafile.outputs).flatMap(({ imports }) => imports.map((each) => each.path));
  expect(imported).toEqual([]);
  const file = path.join(await folder(), 'bundle.mjs');
  await writeFile(file, bundle.outputFiles[0]?.text ?? '');
  const { mcpServer } = (await import(pathToFileURL(file).href)) as { mcpServer: typeof McpServerFunction };
  const server = mcpServer({ name: 'web', transport: { type: 'http', url: (await httpFixture()).url } });
  atEnd(() => server.close());
  await expect(server.callTool({ name: 'echo', arguments: { a: 1 } })).resolves.toMatchObject({
    content: [{ text: '{"a":1}' }],
  });
  const program = mcpServer({ name: 'files', transport: { type: 'stdio', command: 'x' } });
  await expect(program.connect()).rejects.toThrow("'stdio' starts a program, which a browser cannot; use 'http'");
});
