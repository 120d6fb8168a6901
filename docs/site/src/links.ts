// Fails when the built site links to a page, a heading or a file of the repository that is not there, or has a page that nothing leads to.
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { base, repository, root } from './places.ts';

const dist = path.join(root, 'docs/site/dist');

type Page = { readonly file: string; readonly links: readonly string[]; readonly ids: ReadonlySet<string> };

const pages = new Map(globSync('**/*.html', { cwd: dist }).map((file) => [`/${file}`, pageIn(file)]));
const dead = [...pages.values()].flatMap(({ file, links }) =>
  links.flatMap((link) => (leads(link, file) ? [] : [`${file}: ${link}`])),
);
if (pages.size === 0) throw new Error('There is no site; build it first.');
if (dead.length > 0) throw new Error(`${dead.length} dead links:\n${dead.join('\n')}`);
const led = new Set([...pages.values()].flatMap(({ links, file }) => links.map((link) => placeOf(link, file).place)));
const lost = [...pages.keys()].filter((page) => page !== '/404.html' && !led.has(page));
if (lost.length > 0) throw new Error(`Nothing leads to ${lost.join(', ')}`);
process.stdout.write(`${pages.size} pages, no dead links\n`);

function pageIn(file: string): Page {
  const html = readFileSync(path.join(dist, file), 'utf8');
  const values = (attribute: string) =>
    [...html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value = '']) =>
      value.replaceAll('&amp;', '&'),
    );
  return { file: `/${file}`, links: [...new Set([...values('href'), ...values('src')])], ids: new Set(values('id')) };
}

function leads(link: string, from: string): boolean {
  if (link.startsWith(`${repository}/`))
    return existsSync(path.join(root, link.slice(repository.length).split('#')[0] ?? ''));
  if (/^(?:[a-z]+:|\/\/)/i.test(link)) return true;
  const { place, anchor } = placeOf(link, from);
  const page = pages.get(place);
  return page === undefined ? existsSync(path.join(dist, place)) : anchor === '' || page.ids.has(anchor);
}

/** The file of the site that a link means, and the anchor in it. */
function placeOf(link: string, from: string): { place: string; anchor: string } {
  const { pathname, hash, host } = new URL(link, `http://site${base}${from}`);
  const place = host === 'site' ? decodeURIComponent(pathname).slice(base.length) : '';
  return { place: place.endsWith('/') ? `${place}index.html` : place, anchor: decodeURIComponent(hash.slice(1)) };
}
