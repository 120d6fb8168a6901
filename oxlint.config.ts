import { defineConfig } from 'oxlint';

type Override = NonNullable<Parameters<typeof defineConfig>[0]['overrides']>[number];
type Rules = NonNullable<Override['rules']>;

/** The arrows between the folders of `packages/core/src`: what each may import besides itself and `errors.ts`. */
const arrows: { readonly [folder: string]: readonly string[] } = {
  protocol: [],
  transcript: ['protocol'],
  model: ['transcript', 'protocol'],
  agent: ['model', 'transcript', 'protocol'],
  http: ['protocol'],
  loop: ['protocol'],
  session: ['protocol'],
  tracing: ['protocol'],
  run: ['agent', 'model', 'transcript', 'loop', 'session', 'tracing', 'protocol'],
  durable: ['run', 'agent', 'loop', 'session', 'protocol'],
  testing: ['run', 'agent', 'model', 'transcript', 'loop', 'session', 'tracing', 'protocol'],
};
/** The files at the top that a folder may import, where that is not just `errors.ts` (which itself imports protocol). */
const shared: { readonly [folder: string]: readonly string[] } = { protocol: [], testing: ['errors.ts', 'index.ts'] };
/**
 * Types that the public surface ties in a knot: an agent's hooks are shown results of runs, an error carries a run's data. Arrows bind
 * values; what is named here may be imported as a type.
 */
const typesOnly: { readonly [folder: string]: readonly string[] } = { agent: ['run', 'tracing'] };
const folders = Object.keys(arrows);

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise'],
  categories: { correctness: 'error', suspicious: 'error' },
  options: { typeAware: true },
  ignorePatterns: [
    '**/dist/**',
    '**/node_modules/**',
    '**/corpus/**',
    'gates/fixtures/**',
    'scripts/adapter-template/**',
    '**/test/types/programs.ts',
  ],
  rules: {
    complexity: ['error', { max: 12, variant: 'modified' }],
    'max-depth': ['error', 3],
    'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
    'max-lines-per-function': ['error', { max: 60, skipBlankLines: false, skipComments: false, IIFEs: true }],
    'max-params': ['error', 3],
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    'object-shorthand': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-mutable-exports': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/consistent-type-assertions': [
      'error',
      { assertionStyle: 'as', objectLiteralTypeAssertions: 'never', arrayLiteralTypeAssertions: 'never' },
    ],
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    // The compiler's noImplicitReturns knows exhaustive switches, this rule does not.
    'typescript/consistent-return': 'off',
    'promise/no-callback-in-promise': 'off',
    // A function may be declared below its use: the main export stands on top.
    'no-use-before-define': 'off',
    'no-shadow': 'off',
    'no-await-in-loop': 'off',
    'no-underscore-dangle': 'off',
    'import/no-unassigned-import': 'off',
    'unicorn/require-module-specifiers': 'off',
    // Not everything with an `onclose` is an EventTarget.
    'unicorn/prefer-add-event-listener': 'off',
    'promise/always-return': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
  },
  overrides: [
    { files: ['**/*.config.ts'], rules: { 'import/no-default-export': 'off' } },
    { files: ['packages/*/src/**/*.ts'], rules: { 'no-console': 'error' } },
    {
      files: ['**/test/**/*.ts', 'wires/**/*.ts', 'matrix/**/*.ts', 'gates/**/*.ts'],
      rules: { 'max-lines-per-function': 'off' },
    },
    {
      files: ['**/test/**/*.ts', 'wires/**/*.ts', 'matrix/**/*.ts'],
      rules: {
        // Tests cut corners with values that they have just made; the shipped sources may not.
        'typescript/no-unsafe-type-assertion': 'off',
        'typescript/consistent-type-assertions': 'off',
      },
    },
    ...adapters(),
    ...core(),
  ],
});

/** An adapter sees the core through its public door, its own files, and its vendor's client. */
function adapters(): Override[] {
  const clients: { readonly [folder: string]: readonly string[] } = {
    'chat-completions': ['openai'],
    'openai-responses': ['openai'],
    anthropic: ['@anthropic-ai/sdk'],
    mistral: ['@mistralai/mistralai'],
    mcp: ['@modelcontextprotocol/client'],
    node: ['node:*', 'node:*/**'],
    otel: ['@opentelemetry/api'],
    restate: ['@restatedev/restate-sdk'],
    dbos: ['@dbos-inc/dbos-sdk'],
    temporal: ['@temporalio/activity', '@temporalio/common', '@temporalio/workflow', 'node:crypto'],
    cli: ['commander', 'node:*', 'node:*/**'],
  };
  const rules = (vendor: readonly string[]): Rules =>
    onlyImports(
      [
        './**',
        '../**',
        '!../**/core/src/**',
        '@polyrun/core',
        '@polyrun/core/durable',
        '@polyrun/core/http',
        '@polyrun/core/testing',
        ...vendor.flatMap((name) => [name, `${name}/**`]),
      ],
      'An adapter imports @polyrun/core, its own files and its one vendor client.',
    );
  return [
    { files: ['packages/*/src/**/*.ts'], rules: rules([]) },
    ...Object.entries(clients).map(([folder, vendor]) => ({
      files: [`packages/${folder}/src/**/*.ts`],
      rules: rules(vendor),
    })),
  ];
}

function core(): Override[] {
  const top = (allowed: readonly string[]): Rules =>
    onlyImports([...allowed.map((folder) => `./${folder}/**`), './errors.ts'], `Here: ${allowed.join(', ')}.`);
  return [
    // A gate counts the core's assertions and wants a reason for each.
    {
      files: ['packages/core/src/**/*.ts'],
      rules: { 'no-restricted-globals': ['error', ...hostGlobals()], 'typescript/no-unsafe-type-assertion': 'off' },
    },
    {
      files: ['packages/core/src/*.ts'],
      rules: top(folders.filter((folder) => folder !== 'testing' && folder !== 'http' && folder !== 'durable')),
    },
    {
      files: ['packages/core/src/errors.ts'],
      rules: onlyImports(['./protocol/**'], 'Here: protocol, and types of run.', ['./run/**']),
    },
    ...folders.flatMap((folder) => [1, 2, 3].map((depth) => layer(folder, depth))),
    ...loop(),
  ];
}

/** The rule for the files that lie `depth` folders below `packages/core/src`, in `folder`. */
function layer(folder: string, depth: number): Override {
  const allowed = arrows[folder] ?? [];
  const files = shared[folder] ?? ['errors.ts'];
  const up = '../'.repeat(depth);
  const inside = Array.from({ length: depth - 1 }, (_, index) => `${'../'.repeat(index + 1)}**`);
  return {
    files: [`packages/core/src/${folder}/${'*/'.repeat(depth - 1)}*.ts`],
    rules: onlyImports(
      // Files of the folder itself, in whatever depth; then the doors that the arrows open.
      ['./**', ...inside, `!${up}**`, ...allowed.map((name) => `${up}${name}/**`), ...files.map((name) => up + name)],
      `Arrows point one way: ${folder} may import ${[...allowed, ...files].join(', ') || 'nothing'}.`,
      (typesOnly[folder] ?? []).map((name) => `${up}${name}/**`),
    ),
  };
}

/** Forbids every import but those that `allowed` names; a later entry beats an earlier one, `!` takes back. */
function onlyImports(allowed: readonly string[], message: string, types: readonly string[] = []): Rules {
  const open = [...allowed, ...types].map((glob) => (glob.startsWith('!') ? glob.slice(1) : `!${glob}`));
  const patterns = [{ group: ['**', ...open, './**/../**'], message }];
  const asTypes = { group: [...types], allowTypeImports: true, message: `${message} From here only types.` };
  return { 'no-restricted-imports': ['error', { patterns: types.length === 0 ? patterns : [...patterns, asTypes] }] };
}

function hostGlobals(): { name: string; message: string }[] {
  const message = 'The core runs wherever fetch runs: no Node global.';
  const names = [
    'process',
    'Buffer',
    'require',
    'module',
    'exports',
    'global',
    '__dirname',
    '__filename',
    'setImmediate',
  ];
  return names.map((name) => ({ name, message }));
}

/** The loop is pure: no clock, randomness, input or output. Only `drive.ts` awaits. */
function loop(): Override[] {
  const message = 'The loop is pure: JSON in, JSON out.';
  const impure = [
    'Date',
    'performance',
    'setTimeout',
    'setInterval',
    'clearTimeout',
    'clearInterval',
    'queueMicrotask',
  ];
  const outside = [
    'fetch',
    'crypto',
    'console',
    'structuredClone',
    'localStorage',
    'navigator',
    'globalThis',
    'window',
    'self',
  ];
  const waiting = ['AbortController', 'AbortSignal', 'Promise', 'EventTarget'];
  const forbid = (names: readonly string[]): Rules => ({
    'no-restricted-globals': ['error', ...hostGlobals(), ...names.map((name) => ({ name, message }))],
  });
  return [
    {
      files: ['packages/core/src/loop/**/*.ts'],
      rules: {
        ...forbid([...impure, ...outside, ...waiting]),
        'no-restricted-properties': ['error', { object: 'Math', property: 'random', message }],
      },
    },
    { files: ['packages/core/src/loop/drive.ts'], rules: forbid([...impure, ...outside]) },
  ];
}
