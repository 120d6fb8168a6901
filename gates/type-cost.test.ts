import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './sources.ts';

const count = 200;
/** Inside the package, so that the programs find its build and zod as a user's program would. */
const folder = path.join(root, 'packages/core/node_modules/.type-cost');

beforeAll(() => mkdir(folder, { recursive: true }));
afterAll(() => rm(folder, { recursive: true }));

test.for([
  ['a schema of zod', zodTool, 60],
  ['a JSON Schema', jsonTool, 30],
] as const)(
  'a tool with %s costs the type checker little more than a bare generic function',
  async ([name, of, limit]) => {
    const cost = await Promise.all([checked(`${limit}-tool`, imported, of), checked(`${limit}-bare`, bare, of)]);
    const [withTool, withBare] = cost;
    const perTool = (withTool.instantiations - withBare.instantiations) / count;
    console.log(`type cost of tool() with ${name}: ${perTool.toFixed(1)} instantiations of at most ${limit}`);
    console.log(`${count} tools with ${name}: checked in ${withTool.seconds} s`);
    expect(perTool).toBeLessThanOrEqual(limit);
  },
);

const imported = `import { tool } from '../../dist/index.js';`;
const bare = `import type { JsonSchema, StandardSchema } from '../../dist/index.js';
declare function tool<A>(options: {
  name: string;
  description: string;
  parameters: StandardSchema<A> | JsonSchema;
  execute: (args: A) => unknown;
}): unknown;`;

function zodTool(n: number): string {
  const schema = `z.object({ city${n}: z.string(), days: z.number() })`;
  return `export const t${n} = tool({ name: 't', description: 'd', parameters: ${schema}, execute: (a) => a.city${n} + a.days });`;
}

function jsonTool(n: number): string {
  const schema = `{ type: 'object', properties: { a${n}: { type: 'string' } } }`;
  return `export const t${n} = tool({ name: 't', description: 'd', parameters: ${schema}, execute: (a: { a${n}: string }) => a.a${n} });`;
}

async function checked(name: string, head: string, of: (n: number) => string) {
  const file = path.join(folder, `${name}.ts`);
  const tools = Array.from({ length: count }, (_, n) => of(n));
  await writeFile(file, [`import { z } from 'zod';`, head, ...tools, 'export { z };'].join('\n'));
  const flags = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
  ];
  const target = [
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    '',
    '--extendedDiagnostics',
  ];
  const tsc = path.join(root, 'node_modules/.bin/tsc');
  const { stdout } = await promisify(execFile)(tsc, [...flags, ...target, file]);
  const figure = (label: string) => Number(new RegExp(`^${label}:\\s+([\\d.]+)`, 'm').exec(stdout)?.[1]);
  const instantiations = figure('Instantiations');
  expect(instantiations).toBeGreaterThan(0);
  return { instantiations, seconds: figure('Check time') };
}
