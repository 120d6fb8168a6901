import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
const checked = documents().map((document) => ({
  document,
  blocks: blocksOf(document).map((block) => ({
    ...block,
    file: path.join(folder, `${block.where.replace(/\W+/g, '-')}.ts`),
  })),
}));
const running = checked
  .map(({ document, blocks }) => ({ document, files: blocks.flatMap(({ runs, file }) => (runs ? [file] : [])) }))
  .filter(({ files }) => files.length > 0);
const run = promisify(execFile);

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { file, code } of checked.flatMap(({ blocks }) => blocks)) writeFileSync(file, code);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the programs in the documentation', () => {
  let server: LLMock;
  let home: string;

  beforeAll(async () => {
    server = await startModelServer();
    home = mkdtempSync(path.join(tmpdir(), 'polyrun-docs-'));
  });
  afterAll(async () => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  });

  test('compile', { timeout: 120_000 }, async () => {
    const told = await run('tsc', ['-p', path.join(docs, 'check/tsconfig.blocks.json')], { cwd: docs }).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(told).toBe('');
  });

  test.concurrent.each(running)('those of $document run to their end', { timeout: 120_000 }, async ({ files }) => {
    const env = { ...process.env, ...Object.fromEntries(keys), MODEL_SERVER: server.url, NODE_NO_WARNINGS: '1' };
    const [preload, runner] = ['preload.ts', 'run-blocks.ts'].map((file) => path.join(docs, 'check', file));
    const args = ['--import', `${preload}`, `${runner}`, ...files];
    const program = run(process.execPath, args, { cwd: home, env, timeout: 100_000 });
    program.child.stdin?.end();
    const told = await program.then(
      ({ stderr }) => stderr,
      (error: { stderr: string; message: string }) => error.stderr || error.message,
    );
    expect(told).toBe('');
  });
});

describe('the reader of documents', () => {
  test('finds blocks, what stands before them, and where they are', () => {
    const before =
      "<!-- before each:\nimport { b } from 'x';\n-->\n<!-- before:\nimport { a } from 'x';\nconst c = 1;\n-->\n\n";
    const text = `# T\n\n${before}\`\`\`ts\nimport { a } from 'x';\na(b, c);\n\`\`\`\n\n\`\`\`ts no-run\nd();\n\`\`\`\n\`\`\`sh\nls\n\`\`\`\n`;
    expect(blocksOf('t.md', text)).toEqual([
      { where: 't.md:11', code: "import { b, a } from 'x';\n\nconst c = 1;\na(b, c);\nexport {};\n", runs: true },
      { where: 't.md:16', code: "import { b } from 'x';\n\nd();\nexport {};\n", runs: false },
    ]);
  });
});
