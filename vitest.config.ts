import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './scripts/closing-line-reporter.ts';

export default defineConfig({
  test: {
    reporters: ['default', new ClosingLineReporter()],
    projects: [
      'packages/*',
      'apps/*',
      'examples',
      'matrix',
      { test: { name: 'docs', root: 'docs', include: ['check/**/*.test.ts'] } },
      { test: { name: 'gates', root: 'gates', include: ['**/*.test.ts'], testTimeout: 30_000 } },
    ],
  },
});
