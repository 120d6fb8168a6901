import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A program in the documentation. */
export type Block = {
  /** Where it stands: `docs/guides/tools.md:12`. */
  readonly where: string;
  readonly code: string;
  /** False for those that wait for a person or run on. */
  readonly runs: boolean;
};

const root = path.resolve(import.meta.dirname, '../..');

/** The documents whose programs are checked. */
export function documents(): string[] {
  return globSync(['README.md', 'CONTRIBUTING.md', 'packages/*/README.md', 'docs/guides/*.md'], {
    cwd: root,
  }).toSorted();
}

/**
 * The TypeScript blocks of a document. What a reader is to imagine before a block (where `agent` comes from) stands in a comment right
 * above it: `<!-- before: … -->`. A block marked `ts no-run` is only compiled.
 */
export function blocksOf(document: string, text: string = readFileSync(path.join(root, document), 'utf8')): Block[] {
  const fence = /(?:^<!-- before:([\s\S]*?)-->\n+)?^```ts( no-run)?\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fence)].map((match) => {
    const [, before = '', noRun, code = ''] = match;
    const line = text.slice(0, match.index + match[0].indexOf('```ts')).split('\n').length;
    return { where: `${document}:${line}`, code: merged(before.trim(), code), runs: noRun === undefined };
  });
}

/** One module of both: imports that both have stand once. */
function merged(before: string, code: string): string {
  const own = new Set(code.split('\n'));
  const rest = before.split('\n').filter((line) => !(line.startsWith('import ') && own.has(line)));
  return `${[...rest, code].join('\n').trim()}\nexport {};\n`;
}
