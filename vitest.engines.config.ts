import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './scripts/closing-line-reporter.ts';

/** Tests against real durable engines, which `pnpm test:engines` installs first. */
export default defineConfig({
  test: {
    reporters: ['default', new ClosingLineReporter()],
    include: ['packages/*/test/engine/**/*.engine.ts'],
    testTimeout: 60_000,
  },
});
