import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** What is wrong with a command line, told in one sentence. */
export class BadRequest extends Error {}

/** A package to be written. */
export type NewAdapter = {
  /** In small letters, words joined by hyphens: `together-ai`. */
  readonly name: string;
  /** The repository whose `packages` gets it; also where versions of tools are looked up. */
  readonly root: string;
  /** The vendor's client on npm; without one the adapter posts with `fetch`. */
  readonly client?: string | undefined;
  /** A new folder for a package of its own, outside of the repository. */
  readonly standalone?: string | undefined;
  /** The newest version of a package. */
  readonly versionOf?: (npmPackage: string) => string;
};

type Manifest = {
  version: string;
  dependencies: { [name: string]: string };
  devDependencies: { [name: string]: string };
  [field: string]: unknown;
};

const usage = 'pnpm new-adapter <name> [--client <npm package>] [--standalone <new folder>]';
const template = path.join(import.meta.dirname, 'adapter-template');
const tools = ['@types/node', 'typescript', 'vitest'] as const;

/** Writes the package and tells where. Throws `BadRequest`, before anything is written, for what cannot be. */
export function newAdapter(asked: NewAdapter): string {
  const { name, root, client, standalone } = asked;
  checkName(name);
  const folder = standalone ?? path.join(root, 'packages', name);
  if (existsSync(folder)) throw new BadRequest(`${folder} exists already; choose another, or remove it.`);
  const version = client === undefined ? undefined : (asked.versionOf ?? newestVersion)(client);
  const manifest = fromTemplate(folder, asked, version);
  if (standalone === undefined) enrol(manifest, asked);
  else standAlone(manifest, folder, asked);
  return folder;
}

function checkName(name: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40)
    throw new BadRequest(
      `'${name}' is no name for an adapter: small letters and digits, words joined by hyphens, such as together-ai.`,
    );
  const identifier = camel(name);
  if (reserved.test(identifier))
    throw new BadRequest(`'${name}' is a word of the language, and the adapter's function is to be called so.`);
}

const reserved =
  /^(await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|import|in|instanceof|let|new|null|package|return|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|with|yield)$/;

function newestVersion(npmPackage: string): string {
  if (!/^(@[a-z0-9-~][\w.~-]*\/)?[a-z0-9-~][\w.~-]*$/.test(npmPackage))
    throw new BadRequest(`--client ${npmPackage}: that is no name of an npm package.`);
  try {
    const told = execFileSync('npm', ['view', npmPackage, 'version'], { encoding: 'utf8', stdio: 'pipe' }).trim();
    if (told !== '') return told;
  } catch {
    // Told below.
  }
  throw new BadRequest(`--client ${npmPackage}: npm knows no such package, or cannot be reached.`);
}

/** The package of the template under the new name; its manifest is still to be written. */
function fromTemplate(folder: string, { name, root, client }: NewAdapter, version: string | undefined): Manifest {
  const [kind, omitted] = client === undefined ? ['with-fetch', '| `client` |'] : ['with-client', '| `fetch` |'];
  for (const part of ['package', kind]) cpSync(path.join(template, part), folder, { recursive: true });
  deleteLine(path.join(folder, 'README.md'), omitted);
  rename(folder, [...spellings(name), ['the-client', client ?? '']]);
  const manifest = read(path.join(folder, 'package.json'));
  if (client !== undefined) manifest.dependencies[client] = `^${version}`;
  const { devDependencies } = read(path.join(root, 'package.json'));
  for (const tool of tools) manifest.devDependencies[tool] = devDependencies[tool] ?? '*';
  return manifest;
}

/** The name of the template in each of its spellings, and what stands in its place. */
function spellings(name: string): [string, string][] {
  const identifier = camel(name);
  return [
    ['new-wire', name],
    ['newWire', identifier],
    ['NEW_WIRE', name.replaceAll('-', '_').toUpperCase()],
  ];
}

function camel(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function rename(folder: string, names: readonly (readonly [string, string])[]): void {
  for (const file of globSync('**/*.{ts,md,json}', { cwd: folder })) {
    const at = path.join(folder, file);
    const text = readFileSync(at, 'utf8');
    writeFileSync(
      at,
      names.reduce((renamed, [from, to]) => renamed.replaceAll(from, to), text),
    );
  }
}

/** What else of the repository knows its packages: the lint rule for imports, the programs of the READMEs, the release notes. */
function enrol(manifest: Manifest, { name, root, client }: NewAdapter): void {
  write(path.join(root, 'packages', name, 'package.json'), manifest);
  if (client !== undefined) addToTable(path.join(root, 'oxlint.config.ts'), name, client);
  const docs = path.join(root, 'docs/package.json');
  const known = read(docs);
  const entries = Object.entries({ ...known.dependencies, [`@polyrun/${name}`]: 'workspace:*' });
  write(docs, { ...known, dependencies: Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) });
  const change = `---\n'@polyrun/${name}': minor\n---\n\nThe adapter for ${name}.\n`;
  writeFileSync(path.join(root, `.changeset/${name}-adapter.md`), change);
  execFileSync('oxfmt', [`packages/${name}`, 'oxlint.config.ts', 'docs/package.json'], { cwd: root });
}

function addToTable(config: string, name: string, client: string): void {
  const table = 'const clients: { readonly [folder: string]: readonly string[] } = {';
  const text = readFileSync(config, 'utf8');
  if (!text.includes(table)) throw new Error(`${config} has no '${table}' any more: correct this script.`);
  writeFileSync(config, text.replace(table, `${table}\n    '${name}': ['${client}'],`));
}

/** A package that stands in a repository of its own and gets the core from npm. */
function standAlone(
  { repository: _, license: __, ...manifest }: Manifest,
  folder: string,
  { name, root }: NewAdapter,
): void {
  const core = `^${read(path.join(root, 'packages/core/package.json')).version}`;
  for (const file of ['tsconfig.base.json', 'tsconfig.node.json'])
    cpSync(path.join(root, file), path.join(folder, file));
  write(path.join(folder, 'package.json'), {
    ...manifest,
    scripts: {
      build: 'tsc -p tsconfig.build.json',
      typecheck: 'tsc -p tsconfig.build.json --noEmit && tsc -p tsconfig.test.json',
      test: 'vitest run',
    },
    devDependencies: { ...manifest.devDependencies, '@polyrun/core': core },
    peerDependencies: { '@polyrun/core': core },
  });
  rename(folder, [
    ['../../tsconfig', './tsconfig'],
    [`@polyrun/${name}`, `polyrun-${name}`],
  ]);
  // Under which licence it stands is its author's to say.
  rmSync(path.join(folder, 'LICENSE'));
  writeFileSync(path.join(folder, '.gitignore'), 'node_modules/\ndist/\n');
}

function deleteLine(file: string, beginning: string): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, lines.filter((line) => !line.startsWith(beginning)).join('\n'));
}

function read(file: string): Manifest {
  const value: Manifest = JSON.parse(readFileSync(file, 'utf8'));
  return value;
}

function write(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

if (import.meta.main) {
  try {
    const { positionals, values } = parseArgs({
      options: { client: { type: 'string' }, standalone: { type: 'string' } },
      allowPositionals: true,
    });
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) throw new BadRequest('One name is wanted.');
    const root = path.resolve(import.meta.dirname, '..');
    const folder = newAdapter({ name, root, ...values });
    console.log(nextSteps(path.relative('', folder), values.standalone === undefined ? name : undefined));
  } catch (error) {
    const told = error instanceof BadRequest || (error instanceof TypeError && 'code' in error);
    if (!told) throw error;
    console.error(`${error.message}\nUsage: ${usage}`);
    process.exitCode = 1;
  }
}

function nextSteps(folder: string, name: string | undefined): string {
  const [install, kit] =
    name === undefined
      ? [`cd ${folder} && npm install`, 'npx vitest --bail 1']
      : ['npx -y pnpm@12 install', `npx -y pnpm@12 exec vitest --project @polyrun/${name} --bail 1`];
  return [
    `Wrote ${folder}. It type-checks, and its kit is red until the adapter works:`,
    `  ${install}`,
    `  ${kit}`,
    "What to do next stands in each failure, and in CONTRIBUTING.md under 'Write an adapter'.",
  ].join('\n');
}
