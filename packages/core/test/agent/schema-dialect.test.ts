import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agent, jsonSchema, Runner, toDialect, tool, type JsonSchema, type SchemaDialect } from '../../src/index.ts';
import { validateJson } from '../../src/agent/schema/json-schema.ts';
import { undoStrict } from '../../src/agent/schema/compile.ts';
import type { Json } from '../../src/protocol/json.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { outputsIn } from '../run/scripts.ts';
import { jsonValue, objects, shapes } from './schema-shapes.ts';

const object = (properties: { [name: string]: Json }, required = Object.keys(properties)): JsonSchema => ({
  type: 'object',
  properties,
  required,
});
const text = { type: 'string' } as const;
const cat = { ...object({ kind: { const: 'cat' }, lives: { type: 'integer' } }), additionalProperties: false };
const dog = { ...object({ kind: { const: 'dog' }, name: text }), additionalProperties: false };

/** What each dialect makes of a property: the verdict, and the keywords that are lost with their place below it. */
type Row = { name: string; schema: Json; strict: string; basic: string; $defs?: Json };
const rows: Row[] = [
  { name: 'a plain type', schema: text, strict: 'lossless', basic: 'lossless' },
  {
    name: 'annotations and a default',
    schema: { ...text, title: 'T', examples: ['a'], default: 'a', 'x-y': 1 },
    strict: 'lossless',
    basic: 'lossless',
  },
  { name: 'const', schema: { const: 'a' }, strict: 'lossless', basic: 'lossless' },
  { name: 'enum', schema: { enum: ['a', 'b'] }, strict: 'lossless', basic: 'lossless' },
  { name: 'nullable by a list of types', schema: { type: ['string', 'null'] }, strict: 'lossless', basic: 'lossless' },
  { name: 'nullable by anyOf', schema: { anyOf: [text, { type: 'null' }] }, strict: 'lossless', basic: 'lossless' },
  { name: 'a known format', schema: { ...text, format: 'date-time' }, strict: 'lossless', basic: 'lossless' },
  { name: 'another format', schema: { ...text, format: 'uri' }, strict: 'weakened format', basic: 'weakened format' },
  {
    name: 'limits of a number',
    schema: { type: 'number', minimum: 0, maximum: 9 },
    strict: 'lossless',
    basic: 'lossless',
  },
  {
    name: 'open limits',
    schema: { type: 'number', exclusiveMinimum: 0, multipleOf: 2 },
    strict: 'lossless',
    basic: 'weakened exclusiveMinimum multipleOf',
  },
  {
    name: 'limits of a text',
    schema: { ...text, minLength: 1, maxLength: 9 },
    strict: 'weakened minLength maxLength',
    basic: 'lossless',
  },
  { name: 'a pattern', schema: { ...text, pattern: '^a' }, strict: 'lossless', basic: 'lossless' },
  {
    name: 'a pattern that looks around',
    schema: { ...text, pattern: '^(?!a)' },
    strict: 'weakened pattern',
    basic: 'lossless',
  },
  {
    name: 'a list',
    schema: { type: 'array', items: text, minItems: 1, uniqueItems: true },
    strict: 'weakened uniqueItems',
    basic: 'weakened uniqueItems',
  },
  {
    name: 'a tuple',
    schema: { type: 'array', prefixItems: [text, { type: 'number' }], items: false },
    strict: 'rejected prefixItems',
    basic: 'weakened prefixItems',
  },
  { name: 'a closed object', schema: cat, strict: 'lossless', basic: 'weakened additionalProperties' },
  {
    name: 'an open object',
    schema: { ...object({ a: text }), additionalProperties: true },
    strict: 'rejected properties that are not described',
    basic: 'lossless',
  },
  {
    name: 'a map',
    schema: { type: 'object', additionalProperties: { type: 'number' } },
    strict: 'rejected properties that are not described',
    basic: 'weakened additionalProperties',
  },
  {
    name: 'named by pattern',
    schema: { type: 'object', patternProperties: { '^x': text } },
    strict: 'rejected patternProperties',
    basic: 'weakened patternProperties',
  },
  {
    name: 'alternatives that exclude each other',
    schema: { oneOf: [cat, dog] },
    strict: 'lossless',
    basic: 'weakened /oneOf/0 additionalProperties /oneOf/1 additionalProperties',
  },
  {
    name: 'alternatives of other types',
    schema: { oneOf: [text, { type: 'number' }] },
    strict: 'lossless',
    basic: 'lossless',
  },
  {
    name: 'alternatives that overlap',
    schema: { oneOf: [text, { ...text, pattern: '^a' }] },
    strict: 'weakened oneOf',
    basic: 'weakened oneOf',
  },
  {
    name: 'parts that add up',
    schema: { allOf: [object({ a: text }), object({ b: text })] },
    strict: 'rejected allOf',
    basic: 'lossless',
  },
  {
    name: 'parts that contradict',
    schema: { allOf: [text, { type: 'number' }] },
    strict: 'rejected allOf',
    basic: 'rejected allOf',
  },
  {
    name: 'a reference',
    schema: { $ref: '#/$defs/cat' },
    strict: 'lossless',
    basic: 'weakened additionalProperties',
    $defs: { cat },
  },
  {
    name: 'a reference with a description',
    schema: { $ref: '#/$defs/a', description: 'D' },
    strict: 'lossless',
    basic: 'lossless',
    $defs: { a: text },
  },
  {
    name: 'a tree',
    schema: { $ref: '#/$defs/tree' },
    strict: 'lossless',
    basic: 'rejected /items a schema that contains itself',
    $defs: { tree: { type: 'array', items: { $ref: '#/$defs/tree' } } },
  },
  {
    name: 'a part that is itself',
    schema: { $ref: '#/$defs/a' },
    strict: 'rejected /$defs/a allOf',
    basic: 'rejected allOf',
    $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } },
  },
  {
    name: 'a reference into the void',
    schema: { $ref: '#/$defs/none' },
    strict: 'rejected $ref',
    basic: 'rejected $ref',
  },
  { name: 'not', schema: { ...text, not: { const: 'a' } }, strict: 'weakened not', basic: 'weakened not' },
  {
    name: 'conditions',
    schema: { ...object({ a: text }), if: {}, else: {} },
    strict: 'rejected if',
    basic: 'weakened if else',
  },
  { name: 'anything', schema: true, strict: 'rejected a schema that is true or false', basic: 'lossless' },
];

/** The verdict, and what is lost where: places are told from the property `p` on. */
function told(schema: Json, dialect: SchemaDialect): string {
  const { verdict, lost } = toDialect(schema, dialect);
  const gaps = lost.map(({ path, keyword }) => [path.replace('/properties/p', ''), keyword].filter(Boolean).join(' '));
  return [verdict, ...gaps].join(' ');
}

describe.each(rows)('$name', ({ schema, strict, basic, $defs }) => {
  const whole = { ...object({ p: schema }), additionalProperties: false, ...($defs !== undefined && { $defs }) };
  const open = { ...object({ p: schema }), ...($defs !== undefined && { $defs }) };

  test.each([
    ['openai_strict', whole, strict],
    ['basic', open, basic],
    ['full', whole, 'lossless'],
  ] as const)('in %s', (dialect, given, expected) => {
    const before = structuredClone(given);
    expect(told(given, dialect)).toBe(expected);
    expect(given).toEqual(before);
    const made = toDialect(given, dialect);
    if (made.verdict === 'rejected' || dialect === 'full') expect(made.schema).toBe(given);
  });
});

test('what is in the way is told with its place', () => {
  const schema = object({
    a: { type: 'array', items: { allOf: [text] } },
    'b/c': { type: 'object', propertyNames: {} },
  });
  expect(toDialect({ ...schema, additionalProperties: false }, 'openai_strict')).toMatchObject({
    verdict: 'rejected',
    lost: [
      { path: '/properties/a/items', keyword: 'allOf', checked: true },
      { path: '/properties/b~1c', keyword: 'properties that are not described', checked: false },
    ],
  });
});

test('the basic form holds nothing but what it is named for', () => {
  const schema = {
    ...object({
      pet: { oneOf: [{ $ref: '#/$defs/cat' }, { $ref: '#/$defs/dog' }], description: 'A pet' },
      at: { type: ['string', 'null'], format: 'date-time', description: 'When' },
      size: {
        allOf: [
          { type: 'integer', minimum: 1 },
          { maximum: 9, description: 'Size' },
        ],
      },
      pair: { type: 'array', prefixItems: [text, { type: 'number' }], minItems: 2 },
    }),
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $defs: { cat, dog },
  };
  expect(toDialect(schema, 'basic').schema).toEqual({
    type: 'object',
    properties: {
      pet: {
        description: 'A pet',
        anyOf: [
          {
            type: 'object',
            properties: { kind: { type: 'string', enum: ['cat'] }, lives: { type: 'integer' } },
            required: ['kind', 'lives'],
          },
          {
            type: 'object',
            properties: { kind: { type: 'string', enum: ['dog'] }, name: text },
            required: ['kind', 'name'],
          },
        ],
      },
      at: { description: 'When', anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      size: { type: 'integer', minimum: 1, maximum: 9, description: 'Size' },
      pair: { type: 'array', minItems: 2, items: { anyOf: [text, { type: 'number' }] } },
    },
    required: ['pet', 'at', 'size', 'pair'],
  });
});

test('nothing that fitted is shut out; what is lossless shuts out the same', () => {
  fc.assert(
    fc.property(
      objects(shapes(2)).chain(({ schema, value, wrong }) => fc.record({ schema: fc.constant(schema), value, wrong })),
      ({ schema, value, wrong }) => {
        for (const dialect of ['openai_strict', 'basic'] as const) {
          const made = toDialect(schema, dialect);
          expect(validateJson(made.schema, dialect === 'basic' ? value.plain : value.sent)).toEqual([]);
          const back = undoStrict(schema, wrong);
          if (made.verdict === 'lossless') expect(validateJson(made.schema, back)).not.toEqual([]);
        }
      },
    ),
  );
});

test('whatever passes for a schema has a verdict', () => {
  fc.assert(
    fc.property(jsonValue, fc.constantFrom<SchemaDialect>('openai_strict', 'basic', 'full'), (schema, dialect) => {
      const { verdict, lost, schema: made } = toDialect(schema, dialect);
      expect(lost.length > 0).toBe(verdict !== 'lossless');
      if (verdict === 'rejected') expect(made).toBe(schema);
    }),
    { numRuns: 1_000 },
  );
});

describe('the tools of MCP servers', () => {
  const file = new URL('../fixtures/mcp-tool-schemas.json', import.meta.url);
  const servers = JSON.parse(readFileSync(file, 'utf8')) as { [server: string]: { [tool: string]: JsonSchema } };
  const tools = Object.entries(servers).flatMap(([server, own]) =>
    Object.entries(own).map(([name, schema]) => ({ name: `${server} ${name}`, schema })),
  );

  test.each(tools)('$name has a form in each dialect', ({ schema }) => {
    for (const dialect of ['openai_strict', 'basic', 'full'] as const)
      expect(toDialect(schema, dialect).verdict).not.toBe('rejected');
  });

  test('nearly all of them lose nothing', () => {
    const weakened = tools.filter(({ schema }) => toDialect(schema, 'openai_strict').verdict === 'weakened');
    expect([tools.length, weakened.length]).toEqual([39, 1]);
    expect(weakened.map(({ name, schema }) => [name, told(schema, 'openai_strict')])).toEqual([
      ['@modelcontextprotocol/server-everything@2026.8.31 gzip-file-as-resource', 'weakened /properties/data format'],
    ]);
  });
});

test(verifies('T1', 'what a dialect lost is still checked, by the schema as it was'), async () => {
  const parameters = { ...object({ p: { ...text, minLength: 3 } }), additionalProperties: false };
  expect(toDialect(parameters, 'openai_strict').lost).toEqual([
    { path: '/properties/p', keyword: 'minLength', checked: true },
  ]);
  const act = tool({ name: 'act', description: '', parameters: jsonSchema(parameters), execute: () => 'ran' });
  const model = new ScriptedModel([[call('act', { p: 'ab' }, 'short'), call('act', { p: 'abc' }, 'long')], 'done']);
  await Runner.run(new Agent({ name: 'A', model, tools: [act] }), 'go');
  const outputs = outputsIn(model.requests[1]?.input ?? []);
  expect(outputs).toMatchObject({
    short: expect.stringContaining('p: expected at least 3 characters') as string,
    long: 'ran',
  });
});
