import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The repository, on this machine and where it is read on the web. */
export const root: string = path.resolve(import.meta.dirname, '../../..');
export const repository = 'https://github.com/polyrun/polyrun/blob/main';
/** Where the site will stand, without a slash at its end: `/polyrun` on project pages. Default: at the root of its host. */
export const base: string = (process.env['DOCS_BASE'] ?? '').replace(/\/$/, '');
/** What is written for the generator to read; ignored by git. */
export const pagesFolder: string = path.join(root, 'docs/site/src/content/docs');

/** A door of a public package: the name one imports, and the file behind it. */
export type Door = { readonly name: string; readonly source: string };

/** The folders of the packages that are ready to be told of: those with a README. */
export function packageFolders(): string[] {
  return globSync('packages/*/README.md', { cwd: root })
    .map((file) => path.dirname(file))
    .toSorted();
}

/** The doors of all packages, as their package.json tell them. */
export function doors(): Door[] {
  return packageFolders().flatMap((folder) => {
    const { name, exports } = packageIn(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
    return Object.entries(exports).flatMap(([door, { default: built }]) => {
      const source = built?.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts');
      return source === undefined ? [] : [{ name: path.join(name, door), source: path.join(folder, source) }];
    });
  });
}

type Package = { readonly name: string; readonly exports: { readonly [door: string]: { readonly default?: string } } };

function packageIn(text: string): Package {
  const { name, exports }: Package = JSON.parse(text);
  const built = Object.entries(exports).filter(([, target]) => typeof target === 'object');
  return { name, exports: Object.fromEntries(built) };
}
