import type { Node } from 'oxc-parser';
import { expect, test } from 'vitest';
import { at, lineOf, nodes, parse, type Source, sources } from './sources.ts';

const limit = 10;

test(`the core asserts types at most ${limit} times, each time with its reason`, () => {
  const found = sources('packages/core/src/**/*.ts').flatMap((source) => assertionsIn(source));
  console.log(`type assertions in the core: ${found.length} of at most ${limit}`);
  expect(found.filter(({ reason }) => !reason).map(({ where }) => `${where} has no reason beside or above it`)).toEqual(
    [],
  );
  expect(found.length, found.map(({ where }) => where).join('\n')).toBeLessThanOrEqual(limit);
});

test.for([
  ['const a = b as C;', 1, 0],
  ['const a = b as C; // a reason', 1, 1],
  ['// a reason\nconst a = b!;', 1, 1],
  ['const a = b as const;', 0, 0],
  ['const a = b satisfies C;', 0, 0],
  ['const a = b as unknown as C;', 2, 0],
  ['class A { a!: string }', 1, 0],
] as const)('the gate sees %j', ([text, assertions, reasons]) => {
  const found = assertionsIn(parse('sample.ts', text));
  expect([found.length, found.filter(({ reason }) => reason).length]).toEqual([assertions, reasons]);
});

function assertionsIn(source: Source): { where: string; reason: boolean }[] {
  const commented = new Set<number>();
  for (const { start, end } of source.comments) {
    for (let line = lineOf(source, start); line <= lineOf(source, end); line++) commented.add(line);
  }
  return [...nodes(source.program)].filter(isAssertion).map((node) => {
    const lines = [lineOf(source, node.start), lineOf(source, node.end)];
    return { where: at(source, node), reason: lines.some((line) => commented.has(line) || commented.has(line - 1)) };
  });
}

function isAssertion(node: Node): boolean {
  switch (node.type) {
    case 'TSAsExpression':
    case 'TSTypeAssertion':
      return !(
        node.typeAnnotation.type === 'TSTypeReference' &&
        node.typeAnnotation.typeName.type === 'Identifier' &&
        node.typeAnnotation.typeName.name === 'const'
      );
    case 'TSNonNullExpression':
      return true;
    case 'VariableDeclarator':
    case 'PropertyDefinition':
      return node.definite === true;
    default:
      return false;
  }
}
