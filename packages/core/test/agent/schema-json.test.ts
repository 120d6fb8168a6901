import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/protocol/json.ts';
import { validateJson } from '../../src/agent/schema/json-schema.ts';
import { issuesText } from '../../src/agent/schema/parse-arguments.ts';
import { jsonValue, shapes } from './schema-shapes.ts';

const words = (schema: Json, value: unknown): string => issuesText(validateJson(schema, value));
const fits = (schema: Json, value: unknown): boolean => validateJson(schema, value).length === 0;

describe('messages', () => {
  test('name the path, what was expected and the kind of what came', () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'integer' } } },
      required: ['city', 'unit'],
      additionalProperties: false,
    };
    expect(validateJson(schema, { city: 5, days: [1, 1.5], other: 1 })).toEqual([
      { message: 'required, but missing', path: ['unit'] },
      { message: 'expected string, got a number', path: ['city'] },
      { message: 'expected integer, got a number', path: ['days', 1] },
      { message: 'not allowed', path: ['other'] },
    ]);
    expect(validateJson(schema, 'x')).toEqual([{ message: 'expected object, got a string' }]);
  });

  test('never hold a string of the value', () => {
    const secret = 'sk-secret';
    const schema = {
      properties: {
        a: { type: 'number' },
        b: { enum: ['x', 'y'] },
        c: { pattern: '^z$' },
        d: { anyOf: [{ type: 'number' }, { const: null }] },
        e: { maxLength: 1 },
      },
    };
    const text = words(schema, { a: secret, b: secret, c: secret, d: secret, e: secret });
    expect(text.split('; ')).toContain('b: expected "x" or "y"');
    expect(text).not.toContain(secret);
  });
});

describe('keywords', () => {
  test.for<[name: string, schema: Json, good: readonly unknown[], bad: readonly unknown[]]>([
    ['type', { type: 'string' }, ['', 'x'], [1, null, [], {}, true]],
    ['type list', { type: ['string', 'null'] }, ['x', null], [1]],
    ['integer', { type: 'integer' }, [1, 1.0, -3], [1.5, '1']],
    ['number', { type: 'number' }, [1, 1.5], ['1']],
    ['array is no object', { type: 'object' }, [{}], [[], null]],
    [
      'enum',
      { enum: ['a', 1, null, { k: [1] }] },
      ['a', 1, null, { k: [1] }],
      ['b', 2, { k: [2] }, { k: [1], l: 1 }, {}],
    ],
    ['const', { const: { a: 1, b: [2] } }, [{ b: [2], a: 1 }], [{ a: 1 }, { a: 1, b: { 0: 2 } }, null]],
    ['const null', { const: null }, [null], [0, '']],
    ['minimum, maximum', { minimum: 1, maximum: 3 }, [1, 3, 'x'], [0, 4]],
    ['lengths count characters, not code units', { minLength: 1, maxLength: 1 }, ['😀', 5], ['', 'ab']],
    ['minItems, maxItems', { minItems: 1, maxItems: 2 }, [[1], 'x'], [[], [1, 2, 3]]],
    ['pattern', { pattern: '^\\p{L}+$' }, ['é', 5], ['1']],
    ['pattern that is not Unicode', { pattern: '^[\\w-.]+$' }, ['a-b'], ['a b']],
    ['pattern that is none', { pattern: '(' }, ['x'], []],
    ['required', { required: ['a'] }, [{ a: null }, 'x'], [{}, { b: 1 }]],
    [
      'names of Object.prototype',
      { required: ['toString'], properties: { valueOf: { type: 'string' } } },
      [{ toString: 1 }],
      [{}],
    ],
    [
      'additionalProperties false',
      { properties: { a: true }, additionalProperties: false },
      [{}, { a: 1 }],
      [{ b: 1 }, { toString: 1 }],
    ],
    ['additionalProperties schema', { additionalProperties: { type: 'number' } }, [{ a: 1 }], [{ a: 'x' }]],
    ['items', { items: { type: 'number' } }, [[], [1, 2], 'x'], [[1, 'x']]],
    ['items false', { items: false }, [[]], [[1]]],
    [
      'prefixItems, with items for the rest',
      { prefixItems: [{ type: 'string' }, { type: 'number' }], items: false },
      [[], ['x'], ['x', 1]],
      [[1], ['x', 'y'], ['x', 1, 2]],
    ],
    [
      'patternProperties, with additionalProperties for the rest',
      { properties: { a: true }, patternProperties: { '^x-': { type: 'number' } }, additionalProperties: false },
      [{ a: 'y', 'x-b': 1 }],
      [{ 'x-b': 'y' }, { b: 1 }],
    ],
    ['anyOf', { anyOf: [{ type: 'string' }, { type: 'number' }] }, ['x', 1], [null, true]],
    ['oneOf', { oneOf: [{ type: 'number' }, { type: 'integer' }] }, [1.5], [1, 'x']],
    ['allOf', { allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [0, 3]],
    ['true and false', { properties: { a: true, b: false } }, [{ a: 1 }, {}], [{ b: 1 }]],
    ['unknown keywords', { format: 'email', if: { type: 'string' }, else: false, default: 1 }, ['x', 1], []],
    [
      'a property called __proto__',
      { properties: JSON.parse('{"__proto__":{"type":"number"}}') as Json },
      [{}, JSON.parse('{"__proto__":1}')],
      [JSON.parse('{"__proto__":"x"}')],
    ],
  ])('%s', ([, schema, good, bad]) => {
    for (const value of good) expect(validateJson(schema, value)).toEqual([]);
    for (const value of bad) expect(validateJson(schema, value), JSON.stringify(value)).not.toEqual([]);
  });
});

describe('$ref', () => {
  test('reaches $defs, definitions, the root and any other place, escaped or not', () => {
    const schema = {
      $defs: { 'a/b~c': { type: 'string' }, 'List<T>': { type: 'boolean' } },
      definitions: { n: { type: 'number' } },
      properties: {
        a: { $ref: '#/$defs/a~1b~0c' },
        b: { $ref: '#/$defs/List<T>' },
        c: { $ref: '#/definitions/n' },
        d: { $ref: '#/properties/e/anyOf/0' },
        e: { anyOf: [{ type: 'integer' }] },
        g: { $ref: '#' },
      },
    };
    expect(fits(schema, { a: 'x', b: true, c: 1, d: 1, g: { a: 'x' } })).toBe(true);
    const bad = { a: 1, b: 1, c: 'x', d: 1.5, g: { g: { a: 1 } } };
    expect(validateJson(schema, bad).map(({ path }) => path?.join('.'))).toEqual(['a', 'b', 'c', 'd', 'g.g.a']);
  });

  test('keywords beside it count too', () => {
    const schema = { $defs: { n: { type: 'number' } }, $ref: '#/$defs/n', minimum: 3 };
    expect([fits(schema, 3), fits(schema, 2), fits(schema, 'x')]).toEqual([true, false, false]);
  });

  test('one that leads nowhere, out of the document or in a circle says nothing', () => {
    for (const $ref of ['#/$defs/none', 'https://example.com/x.json', '#anchor', '#/$defs/toString', '#']) {
      expect(fits({ $ref }, 1)).toBe(true);
    }
    const circle = { $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { allOf: [{ $ref: '#/$defs/a' }] } } };
    expect(fits({ ...circle, $ref: '#/$defs/a' }, 1)).toBe(true);
  });

  test('a recursive schema checks every level', () => {
    const tree = { type: 'object', properties: { next: { $ref: '#' }, v: { type: 'number' } }, required: ['v'] };
    expect(fits(tree, { v: 1, next: { v: 2, next: { v: 3 } } })).toBe(true);
    expect(words(tree, { v: 1, next: { v: 2, next: {} } })).toBe('next.next.v: required, but missing');
  });
});

describe('unions', () => {
  const shape = {
    oneOf: [
      { properties: { kind: { const: 'circle' }, radius: { type: 'number' } }, required: ['kind', 'radius'] },
      { properties: { kind: { const: 'square' }, side: { type: 'number' } }, required: ['kind', 'side'] },
    ],
  };

  test('the issues of the closest alternative are told', () => {
    expect(words(shape, { kind: 'square', side: 'x' })).toBe('side: expected number, got a string');
    expect(words({ anyOf: [{ type: 'object', required: ['a'] }, { type: 'null' }] }, {})).toBe(
      'a: required, but missing',
    );
  });

  test('without one, what each alternative expects', () => {
    const schema = { anyOf: [{ type: 'string' }, { type: 'null' }] };
    expect(words(schema, 1)).toBe('expected string, got a number; or expected null, got a number');
    expect(words({ oneOf: [true, {}] }, 1)).toBe('expected to fit one alternative, fits 2');
  });

  test('a recursive union takes linear time', () => {
    const operations = ['add', 'sub', 'mul', 'div', 'neg', 'abs'];
    const branch = (op: string): Json => ({
      type: 'object',
      properties: { op: { const: op }, of: { $ref: '#/$defs/e' } },
      required: ['op'],
    });
    const schema = { $defs: { e: { anyOf: operations.map(branch) } }, $ref: '#/$defs/e' };
    let value: Json = { op: 'abs' };
    for (let depth = 0; depth < 200; depth++) value = { op: operations[depth % operations.length] ?? '', of: value };
    expect(fits(schema, value)).toBe(true);
    expect(fits(schema, { op: 'add', of: { op: 'add', of: { op: 'none' } } })).toBe(false);
  });
});

test('values made for a schema fit it, and none of the wrong ones do', () => {
  const cases = shapes(3).chain(({ schema, value, wrong }) => fc.record({ schema: fc.constant(schema), value, wrong }));
  fc.assert(
    fc.property(cases, ({ schema, value, wrong }) => {
      expect(validateJson(schema, value.plain)).toEqual([]);
      expect(validateJson(schema, wrong)).not.toEqual([]);
    }),
  );
});

test('any JSON may be a schema and any JSON a value: nothing throws, and every issue has a message', () => {
  fc.assert(
    fc.property(jsonValue, jsonValue, (schema, value) => {
      for (const issue of validateJson(schema, value)) expect(issue.message).not.toBe('');
    }),
  );
});
