import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { base, pagesFolder, repository, root } from './places.ts';

/** A page of the site: where it stands in it, and the document that it is made of. */
type Page = { readonly route: string; readonly document: string; readonly title?: string };

/** Writes the documents of the repository, and the reference that TypeDoc has written to `reference`, as pages for the generator. */
export function writePages(reference: string): void {
  const pages = [...documentPages(), ...referencePages(reference)];
  const routes = new Map(pages.map(({ document, route }) => [document, route]));
  for (const page of pages) {
    const file = path.join(pagesFolder, `${page.route || 'index'}.md`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, pageOf(page, routes));
  }
}

function documentPages(): Page[] {
  const named = (pattern: string, route: (file: string) => string) =>
    globSync(pattern, { cwd: root }).map((document) => ({ document, route: route(document) }));
  return [
    { route: '', document: 'README.md' },
    ...named('docs/guides/*.md', (file) => `guides/${path.basename(file, '.md')}`),
    ...named('packages/*/README.md', (file) => path.dirname(file)),
    { route: 'examples', document: 'examples/README.md' },
    { route: 'architecture', document: 'ARCHITECTURE.md' },
    { route: 'contributing', document: 'CONTRIBUTING.md' },
  ];
}

function referencePages(reference: string): Page[] {
  return globSync('**/*.md', { cwd: reference }).map((file) => {
    const place = file.replace('@polyrun/', '').replace(/(^|\/)index\.md$|\.md$/, '');
    return {
      route: path.join('reference', place.toLowerCase()),
      document: path.relative(root, path.join(reference, file)),
      ...(place === '' && { title: 'API reference' }),
    };
  });
}

/** A document as the generator wants it: its title apart, without what is only for the check, links leading to pages. */
function pageOf({ route, document, title }: Page, routes: ReadonlyMap<string, string>): string {
  const text = readFileSync(path.join(root, document), 'utf8');
  const [heading = '', own = route] = /^# (.+)$/m.exec(text) ?? [];
  const body = text
    .replace(heading, '')
    .replaceAll(/^<!-- [\s\S]*?-->\n/gm, '')
    .replaceAll('```ts no-run', '```ts')
    .replaceAll(/^```[\s\S]*?^```$|`[^`\n]*`|\]\(([^()\s:]+)\)/gm, (link, target: string = '') => {
      const [file = '', anchor] = target.split('#');
      return file === '' ? link : `](${addressOf(path.join(path.dirname(document), file), anchor, routes)})`;
    });
  const fields = { title: title ?? own.replaceAll(/[\\`]/g, ''), slug: route || 'index' };
  const front = Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return `---\n${front.join('\n')}\n---\n${body}`;
}

/** Where a link to a place in the repository leads: to its page, else to the repository. */
function addressOf(place: string, anchor: string | undefined, routes: ReadonlyMap<string, string>): string {
  const at = path.normalize(place).replace(/\/$/, '');
  const route = routes.get(at) ?? routes.get(path.join(at, 'README.md'));
  const end = anchor === undefined ? '' : `#${anchor}`;
  if (route !== undefined) return `${base}/${route === '' ? '' : `${route}/`}${end}`;
  if (!existsSync(path.join(root, at))) throw new Error(`A document links to ${at}, which is not there.`);
  return `${repository}/${at}${end}`;
}
