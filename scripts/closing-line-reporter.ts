import type { Reporter, TestModule } from 'vitest/node';

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
    const skipped = count.skipped + count.pending;
    const line = `${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    // At exit, so that no other reporter prints after it.
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}
