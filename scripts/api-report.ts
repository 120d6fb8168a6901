import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Declarations, type Declared } from './declarations.ts';

/*
 * What each package promises, as its built declarations tell it: `packages/<name>/api.md` holds every exported declaration, and every one
 * that those are made of. `--check` fails where a report is not what the build says; a wanted change comes with the new report.
 */
const root = path.resolve(import.meta.dirname, '..');
const check = process.argv.includes('--check');

for (const manifest of globSync('packages/*/package.json', { cwd: root }).toSorted()) {
  const folder = path.join(root, path.dirname(manifest));
  const file = path.join(folder, 'api.md');
  if (!existsSync(path.join(folder, 'dist'))) {
    console.error(`${folder} is not built.`);
    process.exitCode = 1;
    continue;
  }
  const made = reportOf(folder);
  const known = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (made === known) continue;
  if (!check) writeFileSync(file, made);
  else {
    console.error(`${path.relative(root, file)} is not what the build promises: ${firstDifference(known, made)}`);
    process.exitCode = 1;
  }
}
if (process.exitCode === 1) console.error('Is that meant? Then run `npx -y pnpm@12 api` and commit the reports.');

function reportOf(folder: string): string {
  const { name, exports }: { name: string; exports: { [door: string]: { types?: string } } } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  const doors = Object.entries(exports).flatMap(([door, { types }]) =>
    types === undefined ? [] : [{ title: path.posix.join(name, door), file: path.join(folder, types) }],
  );
  const modules = new Declarations();
  const sections = doors.map(({ title, file }) => section(title, modules.exportsOf(file)));
  const shown = new Set(doors.flatMap(({ file }) => modules.exportsOf(file).map(({ code }) => code)));
  const behind = modules.reached().filter(({ code }) => !shown.has(code));
  return [`# What ${name} promises\n`, ...sections, section('Behind them', behind)].join('\n');
}

function section(title: string, declared: readonly Declared[]): string {
  if (declared.length === 0) return '';
  const sorted = declared.map(({ name, code }) => `// ${name}\n${code}`).toSorted();
  return `## ${title}\n\n\`\`\`ts\n${sorted.join('\n\n')}\n\`\`\`\n`;
}

function firstDifference(known: string, made: string): string {
  const [before, after] = [known.split('\n'), made.split('\n')];
  const at = after.findIndex((line, index) => line !== before[index]);
  return `line ${at + 1} was '${before[at] ?? ''}', is '${after[at] ?? ''}'`;
}
