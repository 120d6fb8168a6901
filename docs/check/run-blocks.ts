// Runs programs of a document one after the other, each in a folder of its own, and tells which failed. What they leave open keeps this
// process alive, which its caller finds out.
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';

const limitMs = 20_000;
const home = process.cwd();

for (const file of process.argv.slice(2)) {
  process.chdir(mkdtempSync(path.join(home, 'block-')));
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`It did not end within ${limitMs} ms.`)), limitMs);
  try {
    await Promise.race([import(file), late]);
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${path.basename(file)}: ${inspect(error)}\n\n`);
  } finally {
    clearTimeout(timer);
  }
}
