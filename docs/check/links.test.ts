import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { documents } from './blocks.ts';
import { anchorsOf, deadLinks, linksOf } from './links.ts';

const root = path.resolve(import.meta.dirname, '../..');
const others = ['ARCHITECTURE.md', 'examples/README.md', 'apps/chat/README.md'];

describe('the documentation', () => {
  test.each([...documents(), ...others])('%s links to what there is', (document) => {
    expect(deadLinks(document)).toEqual([]);
  });
});

describe('the README of the repository', () => {
  const linked = linksOf(readFileSync(path.join(root, 'README.md'), 'utf8')).map(({ target }) => target);

  const packages = globSync('packages/*/README.md', { cwd: root }).map((file) => path.dirname(file));

  test.each([...globSync('docs/guides/*.md', { cwd: root }), ...packages])('leads to %s', (place) => {
    expect(linked).toContain(place);
  });
});

describe('the reader of links', () => {
  test('finds links to files, not those in code or to other sites', () => {
    const text = '[a](a.md#b) [`c`](../c)\n[d](https://d.example) `[e](e.md)`\n\n```md\n[f](f.md)\n```\n[g](#g)\n';
    expect(linksOf(text)).toEqual([
      { target: 'a.md#b', line: 1 },
      { target: '../c', line: 1 },
      { target: '#g', line: 7 },
    ]);
  });

  test('makes anchors of headings', () => {
    const text = '# The `a` & [b](c.md)!\n```sh\n# none\n```\n## Twice\n## Twice\n';
    expect(anchorsOf(text)).toEqual(['the-a--b', 'twice', 'twice-1']);
  });
});
