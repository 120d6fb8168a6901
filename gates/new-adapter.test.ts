import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BadRequest, newAdapter } from '../scripts/new-adapter.ts';
import { fillings, fixtures } from './made-up-wire.ts';
import { root } from './sources.ts';

const run = promisify(execFile);
const shared = ['package.json', 'tsconfig.base.json', 'tsconfig.node.json', 'oxlint.config.ts', '.oxfmtrc.json'];
/** What a new adapter does right: it refuses what it cannot do, and tells no secrets. */
const beforehand = ['hosted-tools', 'server-state', 'secrets'];
let place: string;

/** A repository with nothing in it but what the script reads and writes. */
beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), 'polyrun-new-adapter-'));
  for (const file of [...shared, 'docs/package.json', 'packages/core/package.json'])
    cpSync(path.join(root, file), path.join(place, file));
  mkdirSync(path.join(place, '.changeset'));
  symlinkSync(path.join(root, 'node_modules'), path.join(place, 'node_modules'));
});
afterEach(() => rmSync(place, { recursive: true }));

describe('a new adapter', { timeout: 120_000 }, () => {
  test('type-checks, lints and is formatted at once; its kit is red, and says what to write first', async () => {
    const folder = linked(newAdapter({ name: 'some-wire', root: place }));
    await checked(folder);
    await run('oxfmt', ['--check', 'packages/some-wire'], { cwd: place });
    const { passed, failed, messages } = await kit(folder);
    expect(passed).toEqual(beforehand);
    expect(failed.length).toBeGreaterThan(40);
    expect(messages).toContain(
      'Not written yet: src/messages.ts, userMessage: how the wire spells what the user says.',
    );
    expect(messages).toContain('expected a stream with characters beyond ASCII, got none');
    expect(read('docs/package.json')).toContain('"@polyrun/some-wire": "workspace:*"');
    expect(read('.changeset/some-wire-adapter.md')).toContain("'@polyrun/some-wire': minor");
    expect(read('packages/some-wire/README.md')).toContain('SOME_WIRE_API_KEY');
    expect(leftovers(folder)).toEqual([]);
  });

  test('has a green kit once each of its gaps is filled', async () => {
    const folder = linked(newAdapter({ name: 'made-up', root: place }));
    for (const { file, gap, code } of fillings) {
      const at = path.join(folder, file);
      const text = readFileSync(at, 'utf8');
      expect(text, file).toMatch(gap);
      writeFileSync(at, text.replace(gap, code));
    }
    const sources = globSync('src/*.ts', { cwd: folder }).map((file) => readFileSync(path.join(folder, file), 'utf8'));
    expect(sources.filter((text) => text.includes('return todo('))).toEqual([]);
    for (const [name, cassette] of Object.entries(fixtures()))
      writeFileSync(path.join(folder, `test/fixtures/${name}.json`), JSON.stringify(cassette));
    const { passed, messages } = await kit(folder);
    expect(messages).toBe('');
    expect(passed.length).toBeGreaterThan(40);
  });

  test('on a client of its vendor names it in the lint rule for imports, and type-checks', async () => {
    mkdirSync(path.join(place, 'packages/sdk'));
    writeFileSync(
      path.join(place, 'packages/sdk/package.json'),
      '{"name":"@some/sdk","types":"index.d.ts","main":"index.js"}',
    );
    writeFileSync(path.join(place, 'packages/sdk/index.d.ts'), 'export declare class Some {}\n');
    writeFileSync(path.join(place, 'packages/sdk/index.js'), 'exports.Some = class {};\n');
    const versionOf = () => '1.2.3';
    const folder = linked(newAdapter({ name: 'some-wire', root: place, client: '@some/sdk', versionOf }));
    mkdirSync(path.join(folder, 'node_modules/@some'));
    symlinkSync(path.join(place, 'packages/sdk'), path.join(folder, 'node_modules/@some/sdk'));
    await checked(folder);
    expect(JSON.parse(read('packages/some-wire/package.json'))).toMatchObject({
      dependencies: { '@some/sdk': '^1.2.3' },
    });
    expect(read('oxlint.config.ts')).toContain("'some-wire': ['@some/sdk'],");
    expect(leftovers(folder)).toEqual([]);
  });

  test('stands alone in a folder of its own, with nothing of this repository', async () => {
    const folder = linked(newAdapter({ name: 'some-wire', root: place, standalone: path.join(place, 'elsewhere') }));
    await run('tsc', ['-p', 'tsconfig.build.json', '--noEmit'], { cwd: folder });
    await run('tsc', ['-p', 'tsconfig.test.json'], { cwd: folder });
    const manifest = read('elsewhere/package.json');
    expect(manifest).not.toContain('workspace:');
    expect(manifest).not.toContain('../');
    expect(JSON.parse(manifest)).toMatchObject({
      name: 'polyrun-some-wire',
      peerDependencies: { '@polyrun/core': expect.stringMatching(/^\^\d/) },
    });
    expect(read('docs/package.json')).toBe(readFileSync(path.join(root, 'docs/package.json'), 'utf8'));
    expect((await kit(folder)).passed).toEqual(beforehand);
  });
});

describe('what cannot be is refused before anything is written', () => {
  test.for([
    ['Acme', "'Acme' is no name for an adapter"],
    ['../acme', 'is no name for an adapter'],
    ['acme--two', 'is no name for an adapter'],
    ['a'.repeat(41), 'is no name for an adapter'],
    ['class', 'is a word of the language'],
    ['core', 'exists already'],
  ] as const)('%s', ([name, words]) => {
    const before = globSync('**/*', { cwd: place, exclude: ['node_modules'] });
    expect(() => newAdapter({ name, root: place })).toThrow(BadRequest);
    expect(() => newAdapter({ name, root: place })).toThrow(words);
    expect(globSync('**/*', { cwd: place, exclude: ['node_modules'] })).toEqual(before);
  });

  test('what is no name of an npm package', () => {
    expect(() => newAdapter({ name: 'acme', root: place, client: 'no package' })).toThrow('--client no package');
    expect(existsSync(path.join(place, 'packages/acme'))).toBe(false);
  });
});

/** Gives a package the core, as an installation would. */
function linked(folder: string): string {
  mkdirSync(path.join(folder, 'node_modules/@polyrun'), { recursive: true });
  symlinkSync(path.join(root, 'packages/core'), path.join(folder, 'node_modules/@polyrun/core'));
  return folder;
}

async function checked(folder: string): Promise<void> {
  const tsc = (config: string) => run('tsc', ['-p', config, '--noEmit'], { cwd: folder });
  await Promise.all([tsc('tsconfig.build.json'), tsc('tsconfig.test.json')]);
  await run('oxlint', ['--deny-warnings', path.relative(place, folder)], { cwd: place });
}

type Results = { testResults: { assertionResults: { status: string; title: string; failureMessages: string[] }[] }[] };

async function kit(folder: string): Promise<{ passed: string[]; failed: string[]; messages: string }> {
  const file = path.join(folder, 'results.json');
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  // Red or green, what counts stands in the file.
  await run(process.execPath, [vitest, 'run', '--reporter=json', `--outputFile=${file}`], { cwd: folder }).catch(
    () => undefined,
  );
  const { testResults }: Results = JSON.parse(readFileSync(file, 'utf8'));
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const titles = (status: string) =>
    results.filter((result) => result.status === status).map(({ title }) => title.slice(0, title.indexOf(':')));
  return {
    passed: titles('passed'),
    failed: titles('failed'),
    messages: results.flatMap(({ failureMessages }) => failureMessages).join('\n'),
  };
}

function read(file: string): string {
  return readFileSync(path.join(place, file), 'utf8');
}

/** Files that still speak of the template. */
function leftovers(folder: string): string[] {
  const files = globSync(['*.*', 'src/**', 'test/**'], { cwd: folder }).filter((file) => /\.\w+$/.test(file));
  return files.filter((file) => /new-?wire|the-client/i.test(readFileSync(path.join(folder, file), 'utf8')));
}
