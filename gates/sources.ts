import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Comment, type Node, type Program, parseSync, visitorKeys } from 'oxc-parser';

export const root: string = path.resolve(import.meta.dirname, '..');

export type Source = { file: string; text: string; program: Program; comments: readonly Comment[] };

/** Every TypeScript file that matches a glob below the root, parsed. */
export function sources(glob: string): Source[] {
  const files = globSync(glob, { cwd: root }).filter((file) => file.endsWith('.ts'));
  return files.toSorted().map((file) => parse(file, readFileSync(path.join(root, file), 'utf8')));
}

export function parse(file: string, text: string): Source {
  const { program, comments, errors } = parseSync(file, text);
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0]?.message}`);
  return { file, text, program, comments };
}

/** Every node of a tree, parents before children. */
export function* nodes(node: Node): Generator<Node> {
  yield node;
  for (const key of visitorKeys[node.type] ?? []) {
    const value: unknown = Reflect.get(node, key);
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodes(child);
  }
}

export function lineOf(source: Source, offset: number): number {
  return source.text.slice(0, offset).split('\n').length;
}

export function at(source: Source, node: Node): string {
  return `${source.file}:${lineOf(source, node.start)}`;
}

/** The folders below `packages/` that hold a package. */
export function packageFolders(): string[] {
  return globSync('packages/*', { cwd: root })
    .filter((folder) => existsSync(path.join(root, folder, 'package.json')))
    .toSorted();
}

/** What git tracks or would track: no ignored file. */
export function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file)));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
