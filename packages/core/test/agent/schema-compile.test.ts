import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { compileSchema, requireObject } from '../../src/agent/schema/compile.ts';
import { issuesText } from '../../src/agent/schema/parse-arguments.ts';
import { isStandardSchema, jsonSchema, type Schema } from '../../src/agent/schema/standard-schema.ts';
import { UserError } from '../../src/errors.ts';

const field = "tool 'weather' parameters";
const plain = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
const libraries: readonly [name: string, schema: Schema<{ city: string }>][] = [
  ['zod', z.object({ city: z.string() })],
  ['valibot', toStandardJsonSchema(v.object({ city: v.string() }))],
  ['arktype', type({ city: 'string' })],
  ['jsonSchema()', jsonSchema<{ city: string }>(plain)],
  ['a plain JSON Schema', plain],
];
const words = (read: unknown): string => issuesText(Object(read).issues);
const failure = (act: () => unknown): Error => {
  try {
    act();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('expected a UserError');
};

describe.for(libraries)('%s', ([name, schema]) => {
  test('has its JSON Schema', () => {
    const compiled = compileSchema(schema, field);
    expect(compiled.field).toBe(field);
    expect(compiled.json).toMatchObject(plain);
    expect(requireObject(compiled)).toBe(compiled);
  });

  test('reads synchronously, with the path of what is wrong', () => {
    const { read } = compileSchema(schema, field);
    expect(read({ city: 'Paris' })).toMatchObject({ value: { city: 'Paris' } });
    expect(words(read({ city: 5 }))).toMatch(/^city: /);
    expect(words(read('x'))).not.toMatch(/^city|^: /);
  });

  test('is a Standard Schema or not', () => {
    expect(isStandardSchema(schema)).toBe(name !== 'a plain JSON Schema');
  });
});

test('defaults and transforms of the library are applied', () => {
  const schema = z.object({ n: z.string().transform(Number), unit: z.string().default('C') });
  expect(compileSchema(schema, field).read({ n: '5' })).toEqual({ value: { n: 5, unit: 'C' } });
});

test('a schema that validates asynchronously is read asynchronously', async () => {
  const read = compileSchema(z.object({ a: z.string().refine(async (text) => text === 'x', 'no x') }), field).read;
  expect(read({ a: 'x' })).toBeInstanceOf(Promise);
  await expect(read({ a: 'x' })).resolves.toEqual({ value: { a: 'x' } });
  await expect(read({ a: 'y' })).resolves.toMatchObject({ issues: [{ message: 'no x', path: ['a'] }] });
});

test('a null that stands for an absent property never reaches the library', () => {
  expect(compileSchema(plain, field).read({ city: 'x', other: null })).toEqual({ value: { city: 'x', other: null } });
  const optional = { type: 'object', properties: { n: { type: 'number' } } };
  expect(compileSchema(optional, field).read({ n: null })).toEqual({ value: {} });
  expect(compileSchema(z.object({ n: z.coerce.number().optional() }), field).read({ n: null })).toEqual({ value: {} });
});

test('a schema that only refers at its root shows the object itself', () => {
  const Node: v.GenericSchema<{ next?: unknown }> = v.object({ next: v.optional(v.lazy(() => Node)) });
  const compiled = compileSchema(toStandardJsonSchema(v.lazy(() => Node)), field);
  expect(compiled.json['type']).toBe('object');
  expect(words(requireObject(compiled).read({ next: { next: 5 } }))).toMatch(/^next\.next: /);
});

test('later changes to a JSON Schema do not change what is shown', () => {
  const schema = { type: 'object', properties: {} };
  const { json } = compileSchema(schema, field);
  schema.type = 'array';
  expect(json).toEqual({ type: 'object', properties: {} });
});

describe('a UserError names the field and the fix', () => {
  const bare = (vendor: string): Schema => ({ '~standard': { version: 1, vendor, validate: (value) => ({ value }) } });

  test.for(['zod', 'effect'])('%s without JSON Schema', (vendor) => {
    const { message } = failure(() => compileSchema(bare(vendor), field));
    expect(message).toContain(`${field}: this ${vendor} schema has no JSON Schema; use zod 4.2`);
  });

  test('valibot without its converter', () => {
    const { message } = failure(() => compileSchema(v.object({ city: v.string() }), field));
    expect(message).toContain(field);
    expect(message).toContain("toStandardJsonSchema() of '@valibot/to-json-schema'");
  });

  test('a schema of what JSON has not', () => {
    const error = failure(() => compileSchema(z.object({ at: z.date() }), field));
    expect(error.message).toContain(`${field}: zod cannot write this as JSON Schema; use JSON types.`);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test.for([
    ['a string', 'x', 'a string'],
    ['null', null, 'null'],
    ['an array', [], 'an array'],
    ['undefined', undefined, 'undefined'],
    ['a function', () => undefined, 'a function'],
  ] as const)('%s for a schema', ([, schema, words]) => {
    const { message } = failure(() => compileSchema(schema as unknown as Schema, field));
    expect(message).toBe(`${field}: expected a Standard Schema or a JSON Schema object, got ${words}.`);
  });

  test('parameters that are not an object', () => {
    const schemas: readonly Schema[] = [
      z.string(),
      z.union([z.object({}), z.null()]),
      { type: ['object', 'null'] },
      {},
    ];
    for (const schema of schemas) {
      const { message } = failure(() => requireObject(compileSchema(schema, field)));
      expect(message).toBe(`${field}: expected a schema of type 'object'; make the value a property of an object.`);
    }
  });
});
