import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** A link of a document to another place in the repository. */
export type Link = { readonly target: string; readonly line: number };

/** The links of a document that stay in the repository; those in code are none. */
export function linksOf(text: string): Link[] {
  const blank = (code: string) => code.replaceAll(/[^\n]/g, ' ');
  const prose = text.replaceAll(/^```[\s\S]*?^```$|<!--[\s\S]*?-->|`[^`\n]*`/gm, (code) =>
    code.startsWith('`') && !code.startsWith('```') ? code.replaceAll(/[[\]()]/g, ' ') : blank(code),
  );
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].flatMap(({ 1: target = '', index }) =>
    /^[a-z]+:/.test(target) ? [] : [{ target, line: prose.slice(0, index).split('\n').length }],
  );
}

/** The anchors of a document's headings, as GitHub and the site make them. */
export function anchorsOf(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const seen = new Map<string, number>();
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(({ 1: heading = '' }) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** What is wrong with the links of a document, one line for each. */
export function deadLinks(document: string): string[] {
  const text = readFileSync(path.join(root, document), 'utf8');
  return linksOf(text).flatMap(({ target, line }) => {
    const [file = '', anchor] = target.split('#');
    const at = file === '' ? document : path.join(path.dirname(document), file);
    const place = path.join(root, at);
    if (!existsSync(place)) return [`${document}:${line}: ${target}: there is no ${at}`];
    if (anchor === undefined) return [];
    const known = statSync(place).isFile() ? anchorsOf(readFileSync(place, 'utf8')) : [];
    return known.includes(anchor) ? [] : [`${document}:${line}: ${target}: ${at} has no heading for it`];
  });
}
