import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Declarations } from '../scripts/declarations.ts';

test('an API report holds what is exported, and what that is made of, without comments', () => {
  const modules = written({
    'index.d.ts': "export { f as run, type A } from './a.ts';\nexport declare const limit: number;\n",
    'a.d.ts':
      "import type { B } from './b.js';\n/** Told. */\nexport type A = {\n    /** Why. */\n    b: B;\n};\n" +
      'export declare function f(a: A): void;\nexport declare function f(a: string): void;\ntype Unused = 1;\n',
    'b.d.ts': 'type Deep = 7;\nexport interface B { deep: Deep }\nexport type Other = 2;\n',
  });
  expect(modules.exportsOf('index.d.ts')).toEqual([
    { name: 'run', code: 'export declare function f(a: A): void;\nexport declare function f(a: string): void;' },
    { name: 'A', code: 'export type A = {\n    b: B;\n};' },
    { name: 'limit', code: 'export declare const limit: number;' },
  ]);
  expect(new Set(modules.reached().map(({ name }) => name))).toEqual(new Set(['f', 'A', 'B', 'Deep', 'limit']));
});

function written(files: { [name: string]: string }): Pick<Declarations, 'exportsOf' | 'reached'> {
  const folder = mkdtempSync(path.join(tmpdir(), 'polyrun-declarations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const modules = new Declarations();
  return { exportsOf: (file) => modules.exportsOf(path.join(folder, file)), reached: () => modules.reached() };
}
