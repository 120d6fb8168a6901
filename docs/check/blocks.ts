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

/** The documents of the repository: those whose programs and links are checked, and those that the site is made of. */
export function documents(): string[] {
  return globSync(['README.md', 'CONTRIBUTING.md', 'packages/*/README.md', 'docs/guides/*.md'], {
    cwd: root,
  }).toSorted();
}

/**
 * The TypeScript blocks of a document. What a reader is to imagine before a block (where `agent` comes from) stands in a comment right
 * above it: `<!-- before: … -->`; before all blocks of the document: `<!-- before each: … -->`. A block marked `ts no-run` is only compiled.
 */
export function blocksOf(document: string, text: string = readFileSync(path.join(root, document), 'utf8')): Block[] {
  const fence = /(?:^<!-- before:((?:(?!-->)[\s\S])*)-->\n+)?^```ts( no-run)?\n([\s\S]*?)^```$/gm;
  const [, beforeEach = ''] = /^<!-- before each:([\s\S]*?)-->$/m.exec(text) ?? [];
  return [...text.matchAll(fence)].map((match) => {
    const [, before = '', noRun, code = ''] = match;
    const line = text.slice(0, match.index + match[0].indexOf('```ts')).split('\n').length;
    return { where: `${document}:${line}`, code: merged([beforeEach, before, code]), runs: noRun === undefined };
  });
}

/** One module of all parts: names that several of them import are imported once. */
function merged(parts: readonly string[]): string {
  const imports = new Map<string, Set<string>>();
  const named = /^import \{([^}]*)\} from ('[^']*');.*\n?/gm;
  const rest = parts.map((part) =>
    part.replaceAll(named, (_, names: string, from: string) => {
      const known = imports.get(from) ?? new Set();
      for (const name of names.split(',')) if (name.trim() !== '') known.add(name.trim());
      imports.set(from, known);
      return '';
    }),
  );
  const head = [...imports].map(([from, names]) => `import { ${[...names].join(', ')} } from ${from};\n`);
  const body = rest.map((part) => part.trim()).filter((part) => part !== '');
  return `${[head.join(''), ...body].join('\n').trim()}\nexport {};\n`;
}
