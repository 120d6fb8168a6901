import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, documents } from './blocks.ts';
import { startModelServer } from './server.ts';

const docs = path.resolve(import.meta.dirname, '..');
const folder = path.join(docs, '.blocks');
const keys = ['OPENAI', 'ANTHROPIC', 'MISTRAL', 'GROQ', 'DEEPSEEK', 'OPENROUTER'].map((name) => [
  `${name}_API_KEY`,
  'test-key',
]);
const blocks = documents()
  .flatMap((document) => blocksOf(document))
  .map((block) => ({ ...block, file: path.join(folder, `${block.where.replace(/\W+/g, '-')}.ts`) }));
const run = promisify(execFile);

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { file, code } of blocks) writeFileSync(file, code);
});

describe('the programs in the documentation', () => {
  let server: LLMock;
  let home: string;

  beforeAll(async () => {
    server = await startModelServer();
    home = mkdtempSync(path.join(tmpdir(), 'polyrun-docs-'));
  });
  afterAll(async () => {
    await server.stop();
    rmSync(home, { recursive: true });
    rmSync(folder, { recursive: true });
  });

  test('compile', { timeout: 120_000 }, async () => {
    const told = await run('tsc', ['-p', path.join(docs, 'check/tsconfig.blocks.json')], { cwd: docs }).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(told).toBe('');
  });

  test.concurrent.each(blocks.filter(({ runs }) => runs))(
    '$where runs to its end',
    { timeout: 60_000 },
    async ({ file }) => {
      const env = { ...process.env, ...Object.fromEntries(keys), MODEL_SERVER: server.url, NODE_NO_WARNINGS: '1' };
      const preload = path.join(docs, 'check/preload.ts');
      const told = await run(process.execPath, ['--import', preload, file], { cwd: home, env, timeout: 30_000 }).then(
        () => '',
        (error: { stderr: string; message: string }) => error.stderr || error.message,
      );
      expect(told).toBe('');
    },
  );
});

describe('the reader of documents', () => {
  test('finds blocks, what stands before them, and where they are', () => {
    const text =
      "# T\n\n<!-- before:\nimport { a } from 'x';\nconst b = 1;\n-->\n\n```ts\nimport { a } from 'x';\na(b);\n```\n\n```ts no-run\nc();\n```\n```sh\nls\n```\n";
    expect(blocksOf('t.md', text)).toEqual([
      { where: 't.md:8', code: "const b = 1;\nimport { a } from 'x';\na(b);\nexport {};\n", runs: true },
      { where: 't.md:13', code: 'c();\nexport {};\n', runs: false },
    ]);
  });
});
