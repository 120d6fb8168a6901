import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tables, withTable } from '../scripts/settings-table.ts';
import { root } from './sources.ts';

test.each(tables)('the table of settings in the README of $folder is what its requests say', async (table) => {
  const { file, text } = await withTable(root, table);
  expect(readFileSync(file, 'utf8'), 'run: node scripts/settings-table.ts').toBe(text);
});
