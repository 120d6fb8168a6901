import * as fc from 'fast-check';
import { type } from 'arktype';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Json } from '../../src/protocol/json.ts';
import { compileSchema } from '../../src/agent/schema/compile.ts';
import { validateJson } from '../../src/agent/schema/json-schema.ts';
import { strictSchema } from '../../src/agent/schema/strict.ts';
import { undoStrict } from '../../src/agent/schema/compile.ts';
import { jsonValue, objects, shapes } from './schema-shapes.ts';

const object = (properties: { [name: string]: Json }, required = Object.keys(properties)): { [key: string]: Json } => ({
  type: 'object',
  properties,
  required,
});
const strictOf = (property: Json): Json => {
  const result = strictSchema(object({ p: property }));
  if (!result.strict) throw new Error(result.reason);
  return Object(result.schema).properties.p;
};
const reasonOf = (schema: Json): string | undefined => {
  const result = strictSchema(schema);
  if (!result.strict) expect(result.schema).toBe(schema);
  return result.strict ? undefined : result.reason;
};

describe('a strict schema', () => {
  test('closes objects, requires all, makes optional properties nullable, drops defaults and annotations', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      ...object(
        {
          city: { type: 'string', description: 'Where', examples: ['Paris'] },
          unit: { enum: ['C', 'F'], default: 'C' },
          note: { type: ['string', 'null'] },
          days: { type: 'array', items: object({ at: { type: 'string' } }, []) },
        },
        ['city'],
      ),
    };
    const before = structuredClone(schema);
    expect(strictSchema(schema)).toEqual({
      strict: true,
      dropped: [],
      schema: {
        type: 'object',
        properties: {
          city: { type: 'string', description: 'Where' },
          unit: { anyOf: [{ type: 'string', enum: ['C', 'F'] }, { type: 'null' }] },
          note: { type: ['string', 'null'] },
          days: {
            anyOf: [
              {
                type: 'array',
                items: {
                  type: 'object',
                  properties: { at: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
                  required: ['at'],
                  additionalProperties: false,
                },
              },
              { type: 'null' },
            ],
          },
        },
        required: ['city', 'unit', 'note', 'days'],
        additionalProperties: false,
      },
    });
    expect(schema).toEqual(before);
  });

  test('has anyOf for oneOf, and a type for every enum and const', () => {
    expect(strictOf({ oneOf: [{ const: 'a' }, { enum: [1, null] }, { const: true, description: 'd' }] })).toEqual({
      anyOf: [
        { type: 'string', const: 'a' },
        { type: ['number', 'null'], enum: [1, null] },
        { type: 'boolean', const: true, description: 'd' },
      ],
    });
  });

  test('reports the constraints that it cannot hold', () => {
    const result = strictSchema(
      object({
        a: { type: 'string', minLength: 2, maxLength: 9, format: 'uri', pattern: '^(?!x)' },
        b: { type: 'array', items: { type: 'number', minimum: 1, multipleOf: 2 }, minItems: 1, uniqueItems: true },
        c: { type: 'string', format: 'date', pattern: '^2' },
      }),
    );
    expect(result).toMatchObject({
      strict: true,
      dropped: ['minLength', 'maxLength', 'format', 'pattern', 'uniqueItems'],
      schema: {
        properties: {
          a: { type: 'string' },
          b: { type: 'array', items: { type: 'number', minimum: 1, multipleOf: 2 }, minItems: 1 },
          c: { type: 'string', format: 'date', pattern: '^2' },
        },
      },
    });
  });

  test('keeps definitions and bare references', () => {
    const node = object({ value: { type: 'string' }, next: { $ref: '#/$defs/node', description: 'tail' } }, ['value']);
    const result = strictSchema({
      ...object({ list: { $ref: '#/$defs/node' }, me: { $ref: '#' } }, ['list']),
      $defs: { node },
    });
    expect(result).toMatchObject({
      strict: true,
      schema: {
        properties: { list: { $ref: '#/$defs/node' }, me: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
        required: ['list', 'me'],
        $defs: {
          node: {
            properties: { value: { type: 'string' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
            required: ['value', 'next'],
            additionalProperties: false,
          },
        },
      },
    });
    expect(JSON.stringify(result.schema)).not.toContain('tail');
  });
});

test.for<[reason: string, property: Json]>([
  ['properties that are not described', { type: 'object' }],
  ['properties that are not described', { type: 'object', properties: {}, additionalProperties: true }],
  ['properties that are not described', { type: 'object', additionalProperties: { type: 'string' } }],
  ['properties that are not described', { type: 'object', properties: {}, additionalProperties: {} }],
  ['properties that are not described', { type: 'object', properties: { a: { type: 'null' } }, required: ['b'] }],
  ['patternProperties', { type: 'object', properties: {}, patternProperties: { x: { type: 'null' } } }],
  ['allOf', { allOf: [{ type: 'string' }] }],
  ['dependentSchemas', { type: 'object', properties: {}, dependentSchemas: {} }],
  ['dependencies', { type: 'object', properties: {}, dependencies: {} }],
  ['prefixItems', { type: 'array', prefixItems: [{ type: 'string' }] }],
  ['a schema that is true or false', { type: 'array' }],
  ['a schema that is true or false', true],
  ['a schema without a type', {}],
  ['a schema without a type', { description: 'anything' }],
  ['a schema without a type', { anyOf: [{ type: 'string' }], oneOf: [{ type: 'string' }] }],
  ['a type beside anyOf or oneOf', { type: 'object', properties: {}, oneOf: [{ required: ['a'] }] }],
  ['$ref', { $ref: '#/properties/p' }],
  ['$ref', { $ref: '#/$defs/none' }],
  ['$ref', { $ref: 'https://example.com/x.json' }],
])('no strict form: %s %j', ([reason, property]) => {
  expect(reasonOf(object({ p: property }))).toBe(reason);
});

test('the root of a strict schema is an object', () => {
  for (const schema of [
    { type: 'array', items: { type: 'string' } },
    { type: ['object', 'null'], properties: {} },
    { anyOf: [object({})] },
  ])
    expect(reasonOf(schema)).toBe('a root that is not an object');
  expect(reasonOf({ type: 'object', properties: {} })).toBeUndefined();
  expect(reasonOf({ type: 'object', additionalProperties: false })).toBeUndefined();
});

describe('undoStrict', () => {
  test('takes out the nulls of optional properties, only where the schema does not allow them', () => {
    const schema = object({ a: { type: 'string' }, b: { type: 'string' }, c: { type: ['string', 'null'] }, d: {} }, [
      'a',
    ]);
    expect(undoStrict(schema, { a: null, b: null, c: null, d: null, e: null })).toEqual({
      a: null,
      c: null,
      d: null,
      e: null,
    });
  });

  test('reaches into items, references and the alternative that fits', () => {
    const node = object(
      { kind: { const: 'node' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { $ref: '#/$defs/end' }] } },
      ['kind'],
    );
    const end = object({ kind: { const: 'end' }, note: { type: 'string' } }, ['kind']);
    const schema = { ...object({ list: { type: 'array', items: { $ref: '#/$defs/node' } } }), $defs: { node, end } };
    const value = {
      list: [
        { kind: 'node', next: { kind: 'node', next: { kind: 'end', note: null } } },
        { kind: 'node', next: null },
      ],
    };
    expect(undoStrict(schema, value)).toEqual({
      list: [{ kind: 'node', next: { kind: 'node', next: { kind: 'end' } } }, { kind: 'node' }],
    });
  });

  test('gives the same value back when there is nothing to undo', () => {
    const value = { a: 'x', list: [{ b: 1 }] };
    expect(
      undoStrict(object({ a: { type: 'string' }, list: { type: 'array', items: object({ b: {} }) } }, []), value),
    ).toBe(value);
  });

  test('a recursive union takes linear time', () => {
    const branch = (op: string): Json =>
      object({ op: { const: op }, of: { $ref: '#/$defs/e' }, note: { type: 'string' } }, ['op']);
    const schema = {
      $defs: { e: { anyOf: ['a', 'b', 'c', 'd'].map(branch) } },
      ...object({ e: { $ref: '#/$defs/e' } }),
    };
    let value: Json = { op: 'd', note: null };
    for (let depth = 0; depth < 60; depth++) value = { op: 'd', note: null, of: value };
    expect(JSON.stringify(undoStrict(schema, { e: value }))).not.toContain('null');
  });
});

test('every generated schema has a strict form, and an answer to it is read as one to the schema', () => {
  const cases = objects(shapes(2)).chain(({ schema, value }) => fc.record({ schema: fc.constant(schema), value }));
  fc.assert(
    fc.property(cases, ({ schema, value }) => {
      const strict = strictSchema(schema);
      expect(strict.strict).toBe(true);
      expect(validateJson(strict.schema, value.sent)).toEqual([]);
      expect(undoStrict(schema, value.sent)).toEqual(value.plain);
      expect(undoStrict(schema, value.plain)).toEqual(value.plain);
    }),
  );
});

test('whatever JSON is given as schema and value, nothing throws, and a schema that is strict allows no other keys', () => {
  fc.assert(
    fc.property(jsonValue, jsonValue, (schema, value) => {
      const result = strictSchema(schema);
      undoStrict(schema, value);
      if (result.strict) expect(validateJson(result.schema, { unheardOf: 1 })).not.toEqual([]);
    }),
  );
});

describe('schemas of libraries', () => {
  test('zod: optional, default and nullish properties', async () => {
    const schema = compileSchema(
      z.object({
        city: z.string(),
        unit: z.enum(['C', 'F']).default('C'),
        note: z.string().nullish(),
        n: z.coerce.number().optional(),
      }),
      'x',
    );
    expect(strictSchema(schema.json)).toMatchObject({ strict: true, dropped: [] });
    expect(schema.read({ city: 'Paris', unit: null, note: null, n: null })).toEqual({
      value: { city: 'Paris', unit: 'C', note: null },
    });
  });

  test('zod: what OpenAI refuses is left out', () => {
    const schema = z.object({ mail: z.email({ pattern: z.regexes.rfc5322Email }), url: z.url(), s: z.string().min(2) });
    const result = strictSchema(compileSchema(schema, 'x').json);
    expect(result).toMatchObject({ strict: true });
    expect(JSON.stringify(result.schema)).not.toMatch(/uri|minLength|\(\?!/);
  });

  test('zod: a discriminated union and a recursive object', () => {
    const union = z.discriminatedUnion('k', [
      z.object({ k: z.literal('a') }),
      z.object({ k: z.literal('b'), n: z.number().optional() }),
    ]);
    const Node = z.object({
      v: union,
      get next() {
        return Node.optional();
      },
    });
    const schema = compileSchema(Node, 'x');
    expect(strictSchema(schema.json)).toMatchObject({ strict: true });
    expect(schema.read({ v: { k: 'a' }, next: { v: { k: 'b', n: null }, next: null } })).toEqual({
      value: { v: { k: 'a' }, next: { v: { k: 'b' } } },
    });
  });

  test('zod: records and anything stay as they are', () => {
    for (const schema of [
      z.object({ r: z.record(z.string(), z.number()) }),
      z.object({ a: z.any() }),
      z.looseObject({}),
    ])
      expect(strictSchema(compileSchema(schema, 'x').json).strict).toBe(false);
  });

  test('arktype: enums, unions and optional keys', () => {
    const schema = compileSchema(
      type({ unit: "'C'|'F'", 'note?': 'string', u: [{ k: "'a'" }, '|', { k: "'b'", x: 'number' }] }),
      'x',
    );
    expect(strictSchema(schema.json)).toMatchObject({ strict: true });
    expect(schema.read({ unit: 'C', note: null, u: { k: 'a' } })).toEqual({ value: { unit: 'C', u: { k: 'a' } } });
  });
});
