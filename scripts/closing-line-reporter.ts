import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** Prints, as the very last line of a run, how many tests passed and failed: a line alone that machines can read. */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const failedBefore = count.failed;
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file (or a suite) that broke without a failed test is a failure too.
      if (module.state() === 'failed' && count.failed === failedBefore) count.failed++;
    }
    const line = addCounts({ ...count, skipped: count.skipped + count.pending });
    // At exit, so that no other reporter prints after it.
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}

/** The closing line: of this run and of those before it that wrote to the same file, which `CLOSING_COUNTS` names. */
export function addCounts(counts: Counts): string {
  const file = process.env['CLOSING_COUNTS'];
  const before = file && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  if (file) appendFileSync(file, `${JSON.stringify(counts)}\n`);
  const all = [counts, ...before.map((line): Counts => JSON.parse(line))];
  const sum = (name: keyof Counts) => all.reduce((total, each) => total + each[name], 0);
  const skipped = sum('skipped');
  return `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
