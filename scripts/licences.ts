import path from 'node:path';
import { pnpm } from './packages/shell.ts';

/** What users of our packages may be asked to agree to. */
const allowed: readonly string[] = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
];

type Listed = { readonly name: string; readonly versions: readonly string[]; readonly homepage?: string };

/*
 * Lists what a user of each published package installs beside it, with its licence; fails where one is not among the allowed.
 */
const root = path.resolve(import.meta.dirname, '..');
const told = await pnpm(['licenses', 'list', '--prod', '--json', '--filter', './packages/*'], { cwd: root });
const byLicence: { readonly [licence: string]: readonly Listed[] } = JSON.parse(told);
const rows = Object.entries(byLicence).flatMap(([licence, packages]) =>
  packages.map(({ name, versions, homepage = '' }) => ({ name, version: versions.join(', '), licence, homepage })),
);
console.log('| package | version | licence | home |\n| --- | --- | --- | --- |');
for (const { name, version, licence, homepage } of rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
  console.log(`| ${name} | ${version} | ${licence} | ${homepage} |`);
const refused = rows.filter(({ licence }) => !allowed.includes(licence));
for (const { name, licence } of refused)
  console.error(`${name} has the licence ${licence}, which is not among ${allowed.join(', ')}.`);
process.exitCode = refused.length === 0 ? 0 : 1;
