import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CallExpression, Node } from 'oxc-parser';
import { expect, test } from 'vitest';
import { at, nodes, parse, root, type Source, sources } from './sources.ts';

type Rules = { requirements: Readonly<Record<string, string>>; pending: Readonly<Record<string, string>> };
type Citation = { id: string; where: string };

const file = path.join(root, 'packages/core/test/requirements.ts');
const idShape = /^[A-Z]+\d+[a-z]?$/;

test('every rule of requirements.ts is proved by a test or pending, never both', async ({ skip }) => {
  skip(!existsSync(file), 'packages/core/test/requirements.ts does not exist yet');
  const rules = await load();
  const cited = sources('packages/*/test/**/*.ts').flatMap(citationsIn);
  const ids = Object.keys(rules.requirements);
  const pending = ids.filter((id) => Object.hasOwn(rules.pending, id));
  console.log(`rules: ${ids.length}, cited: ${new Set(cited.map(({ id }) => id)).size}, pending: ${pending.length}`);
  expect(violationsOf(rules, cited)).toEqual([]);
});

test('the gate sees unknown, uncited and needlessly pending rules', () => {
  const rules = {
    requirements: { L1: 'a', L2: 'b', L3: 'c', L4: 'd' },
    pending: { L2: '@polyrun/x', L3: '@polyrun/x', L9: '' },
  };
  const text =
    "verifies('L1', 'L3'); verifies(['L8']); test('x', verifies(`L1`)); verifies(id); f.verifies('L5', 'L1 says');";
  expect(violationsOf(rules, citationsIn(parse('a.test.ts', text)))).toEqual([
    'a.test.ts:1 cites L8, which requirements.ts does not have',
    'a.test.ts:1 cites (no literal), which requirements.ts does not have',
    'a.test.ts:1 cites L5, which requirements.ts does not have',
    'L3 is cited, so it may not be pending',
    'L4 is neither cited by a test nor pending',
    'L9 is pending, but requirements.ts does not have it',
  ]);
});

function violationsOf({ requirements, pending }: Rules, citations: readonly Citation[]): string[] {
  const cited = new Set(citations.map(({ id }) => id));
  const unknown = citations.filter(({ id }) => !Object.hasOwn(requirements, id));
  const ids = Object.keys(requirements);
  return [
    ...unknown.map(({ id, where }) => `${where} cites ${id}, which requirements.ts does not have`),
    ...ids
      .filter((id) => cited.has(id) && Object.hasOwn(pending, id))
      .map((id) => `${id} is cited, so it may not be pending`),
    ...ids
      .filter((id) => !cited.has(id) && !Object.hasOwn(pending, id))
      .map((id) => `${id} is neither cited by a test nor pending`),
    ...Object.keys(pending)
      .filter((id) => !Object.hasOwn(requirements, id))
      .map((id) => `${id} is pending, but requirements.ts does not have it`),
  ];
}

/** The ids in `verifies('L3', 'T1')`, also in a list: the first argument always, further ones when they look like an id. */
function citationsIn(source: Source): Citation[] {
  return [...nodes(source.program)].filter(isVerifies).flatMap((call) => {
    const literals = call.arguments.flatMap((argument) => literalsIn(argument));
    const ids = literals.filter((text, index) => index === 0 || idShape.test(text));
    return (ids.length > 0 ? ids : ['(no literal)']).map((id) => ({ id, where: at(source, call) }));
  });
}

function literalsIn(node: Node): string[] {
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value];
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return [node.quasis[0]?.value.cooked ?? ''];
  if (node.type === 'ArrayExpression')
    return node.elements.flatMap((element) => (element === null ? [] : literalsIn(element)));
  return [];
}

function isVerifies(node: Node): node is CallExpression {
  if (node.type !== 'CallExpression') return false;
  const { callee } = node;
  if (callee.type === 'Identifier') return callee.name === 'verifies';
  return (
    callee.type === 'MemberExpression' && callee.property.type === 'Identifier' && callee.property.name === 'verifies'
  );
}

async function load(): Promise<Rules> {
  const module: unknown = await import(pathToFileURL(file).href);
  const rules: Partial<Rules> = Object(module);
  if (rules.requirements === undefined || rules.pending === undefined) {
    throw new Error('requirements.ts exports `requirements` and `pending`.');
  }
  return { requirements: rules.requirements, pending: rules.pending };
}
