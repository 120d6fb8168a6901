import type { Expression, Node, TSType } from 'oxc-parser';
import { expect, test } from 'vitest';
import { at, nodes, parse, type Source, sources } from './sources.ts';

const collections = new Set(['Array', 'Map', 'Set', 'WeakMap', 'WeakSet']);
const mutableTypes = new Set([...collections, 'Record']);

test('packages hold no any, no export *, no default export and no mutable module state', () => {
  expect(sources('packages/*/src/**/*.ts').flatMap(violationsIn)).toEqual([]);
});

test('the core imports nothing lazily, where the lint rule for imports would not see it', () => {
  const lazy = (source: Source): string[] =>
    [...nodes(source.program)]
      .filter((node) => node.type === 'ImportExpression' || node.type === 'TSImportType')
      .map((node) => `${at(source, node)} import()`);
  expect(sources('packages/core/src/**/*.ts').flatMap(lazy)).toEqual([]);
});

test('one file of the core asks its host for built-in modules: the kit for adapters needs a server and a folder', () => {
  const asking = sources('packages/core/src/**/*.ts').filter(({ text }) => text.includes('getBuiltinModule'));
  expect(asking.map(({ file }) => file)).toEqual(['packages/core/src/testing/model-kit/host.ts']);
});

test('the loop awaits in drive.ts only', () => {
  const loop = sources('packages/core/src/loop/**/*.ts').filter(({ file }) => !file.endsWith('/drive.ts'));
  expect(loop.flatMap((source) => [...nodes(source.program)].filter(isAsync).map((node) => at(source, node)))).toEqual(
    [],
  );
});

test.for([
  ['export const a: any = 1;', 'any'],
  ["export * from './a.ts';", 'export *'],
  ["export * as a from './a.ts';", 'export *'],
  ['export default 1;', 'default export'],
  ['const a = 1; export { a as default };', 'default export'],
  ['let a = 1;', 'module-level let'],
  ['export let a = 1;', 'module-level let'],
  ['const a = new Map();', 'mutable module state'],
  ['const a: string[] = [];', 'mutable module state'],
  ['const a: Record<string, number> = {};', 'mutable module state'],
  ['const a = { b: 1 };', 'mutable module state'],
  ['class A { static a = 1; }', 'mutable static'],
  ['class A { static readonly a = new Set(); }', 'mutable static'],
] as const)('the gate sees %j', ([text, kind]) => {
  expect(violationsIn(parse('sample.ts', text))).toEqual([`sample.ts:1 ${kind}`]);
});

test.for([
  'const a: ReadonlyMap<string, number> = new Map();',
  'const a: readonly string[] = [];',
  'const a: Readonly<Record<string, number>> = {};',
  'const a: { readonly [key: string]: number } = {};',
  'const a: Capabilities = {};',
  'const a = { b: 1 } as const;',
  'const a = Object.freeze({ b: 1 });',
  'const a = { b: 1 } satisfies B as const;',
  'function f() { let a = new Map(); return a; }',
  'class A { static readonly a = 1; b = []; }',
])('the gate lets %j pass', (text) => {
  expect(violationsIn(parse('sample.ts', text))).toEqual([]);
});

function violationsIn(source: Source): string[] {
  const found: string[] = [];
  const report = (node: Node, kind: string): void => void found.push(`${at(source, node)} ${kind}`);
  for (const statement of source.program.body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration?.type !== 'VariableDeclaration' || declaration.declare === true) continue;
    if (declaration.kind !== 'const') report(declaration, `module-level ${declaration.kind}`);
    else if (declaration.declarations.some(({ id, init }) => isMutable(init, id.typeAnnotation?.typeAnnotation))) {
      report(declaration, 'mutable module state');
    }
  }
  for (const node of nodes(source.program)) {
    const kind = kindOf(node);
    if (kind !== undefined) report(node, kind);
  }
  return found;
}

function kindOf(node: Node): string | undefined {
  switch (node.type) {
    case 'TSAnyKeyword':
      return 'any';
    case 'ExportAllDeclaration':
      return 'export *';
    case 'ExportDefaultDeclaration':
      return 'default export';
    case 'ExportSpecifier':
      return node.exported.type === 'Identifier' && node.exported.name === 'default' ? 'default export' : undefined;
    case 'PropertyDefinition': {
      const mutable = node.readonly !== true || isMutable(node.value, node.typeAnnotation?.typeAnnotation);
      return node.static && mutable && node.declare !== true ? 'mutable static' : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether a constant is a collection that its type lets anybody change. A named type is taken to know what it does. */
function isMutable(value: Expression | null | undefined, type: TSType | null | undefined): boolean {
  return isCollection(value) && (type === null || type === undefined || allowsChange(type));
}

function isCollection(value: Expression | null | undefined): boolean {
  if (value?.type === 'ArrayExpression' || value?.type === 'ObjectExpression') return true;
  return value?.type === 'NewExpression' && value.callee.type === 'Identifier' && collections.has(value.callee.name);
}

function allowsChange(type: TSType): boolean {
  if (type.type === 'TSArrayType') return true;
  if (type.type === 'TSTypeLiteral') return type.members.some((member) => 'readonly' in member && !member.readonly);
  return type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && mutableTypes.has(type.typeName.name);
}

function isAsync(node: Node): boolean {
  const isFunction = node.type.endsWith('FunctionExpression') || node.type === 'FunctionDeclaration';
  return node.type === 'AwaitExpression' || (isFunction && 'async' in node && node.async);
}
