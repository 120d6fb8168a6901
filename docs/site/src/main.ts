// Writes the pages of the site: the documents of the repository, and the reference of all public packages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writePages } from './pages.ts';
import { pagesFolder } from './places.ts';
import { writeReference } from './reference.ts';

const reference = mkdtempSync(path.join(tmpdir(), 'polyrun-reference-'));
try {
  await writeReference(reference);
  rmSync(pagesFolder, { recursive: true, force: true });
  writePages(reference);
} finally {
  rmSync(reference, { recursive: true, force: true });
}
