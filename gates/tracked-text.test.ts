import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, trackedFiles } from './sources.ts';

// Built from pieces: this file is tracked too, and must not hold what it looks for.
const hosts = [
  ['registry', '[a-z]+', '(?:org|com|io|dev)'],
  ['npm', 'pkg', 'github'],
  ['deb', '[a-z]+', 'org'],
];
const folders = ['work', 'farm', 'root', '(?:home|Users)/[a-z][\\w.-]*'];
const forbidden = new RegExp(
  [...hosts.map((host) => host.join('\\.')), ...folders.map((name) => `/${name}/`)].join('|'),
  'i',
);

test('no tracked file names a package registry or a path of the machine it was written on', () => {
  expect(trackedFiles().flatMap(violationsIn)).toEqual([]);
});

test('no tracked file sets a registry for npm or pnpm', () => {
  const settings = trackedFiles().filter((file) => /(?:^|\/)(?:\.npmrc|pnpm-workspace\.yaml)$/.test(file));
  expect(settings.filter((file) => /^\s*(?:@[\w-]+:)?registry\w*\s*[=:]/m.test(read(file)))).toEqual([]);
});

test.for([
  `https://${['registry', 'npmjs', 'org'].join('.')}/zod`,
  `see ${['', 'home', 'me', 'x'].join('/')}`,
  `"${['', 'work', 'x'].join('/')}"`,
])('the gate sees %j', (text) => {
  expect(text).toMatch(forbidden);
});

function violationsIn(file: string): string[] {
  const text = read(file);
  if (text.includes('\0') || !forbidden.test(text)) return [];
  return text
    .split('\n')
    .flatMap((line, index) => (forbidden.test(line) ? [`${file}:${index + 1} ${line.trim().slice(0, 120)}`] : []));
}

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}
