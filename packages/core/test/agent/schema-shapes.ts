import * as fc from 'fast-check';
import type { Json } from '../../src/protocol/json.ts';

/** A schema with values that fit it, each as it is and as a model in strict mode sends it, and values that do not. */
export type Shape = {
  readonly schema: { readonly [key: string]: Json };
  readonly nullable: boolean;
  readonly value: fc.Arbitrary<{ readonly plain: Json; readonly sent: Json }>;
  readonly wrong: fc.Arbitrary<Json>;
};

const keywords =
  'a type properties required items enum const anyOf oneOf allOf not $ref $defs definitions additionalProperties patternProperties prefixItems minimum maxLength pattern'.split(
    ' ',
  );

/** Any JSON, with keys that schemas use among its keys. */
export const jsonValue: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, false, 0, 1.5, '', 'a', 'string', 'object', 'array', '#', '#/$defs/a', '#/items'),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...keywords), tie('json'), { maxKeys: 4 }),
  ),
})).json;

/** Random small schemas of the kinds that schema libraries write. */
export function shapes(depth: number): fc.Arbitrary<Shape> {
  const leaves = fc.constantFrom(...leafShapes);
  if (depth === 0) return leaves;
  const child = shapes(depth - 1);
  return fc.oneof(leaves, child.map(arrayOf), child.map(orNull), objects(child));
}

/** Random schemas of objects. */
export function objects(child: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  const property = fc.record({ shape: child, required: fc.boolean() });
  return fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'toString'), property, { maxKeys: 4 }).map(objectOf);
}

type Members = { readonly plain: readonly [string, Json][]; readonly sent: readonly [string, Json][] };
const same = (value: fc.Arbitrary<Json>): Shape['value'] => value.map((plain) => ({ plain, sent: plain }));
const leafShapes: readonly Shape[] = [
  leaf({ type: 'string' }, fc.string(), fc.integer()),
  leaf({ type: 'integer', minimum: 0 }, fc.nat(), fc.constantFrom<Json>(-1, 0.5, '1')),
  leaf({ type: 'boolean' }, fc.boolean(), fc.constant('true')),
  leaf({ enum: ['x', 'y', 3] }, fc.constantFrom('x', 'y', 3), fc.constant('z')),
  leaf({ const: 'k' }, fc.constant('k'), fc.constant('l')),
  leaf({ type: 'string', minLength: 2 }, fc.string({ minLength: 4 }), fc.constant('x')),
];

function leaf(schema: Shape['schema'], value: fc.Arbitrary<Json>, wrong: fc.Arbitrary<Json>): Shape {
  return { schema, nullable: false, value: same(value), wrong };
}

function arrayOf(items: Shape): Shape {
  return {
    schema: { type: 'array', items: items.schema },
    nullable: false,
    value: fc.array(items.value, { maxLength: 3 }).map((all) => ({
      plain: all.map(({ plain }) => plain),
      sent: all.map(({ sent }) => sent),
    })),
    wrong: fc.oneof(
      fc.constant('x'),
      items.wrong.map((wrong) => [wrong]),
    ),
  };
}

function orNull(shape: Shape): Shape {
  return {
    schema: { anyOf: [shape.schema, { type: 'null' }] },
    nullable: true,
    value: fc.oneof(shape.value, same(fc.constant(null))),
    wrong: shape.wrong,
  };
}

function objectOf(properties: {
  readonly [name: string]: { readonly shape: Shape; readonly required: boolean };
}): Shape {
  const all = Object.entries(properties);
  const required = all.filter(([, property]) => property.required).map(([name]) => name);
  const members = all.map(([name, { shape, required }]) => {
    const present = shape.value.map<Members>(({ plain, sent }) => ({ plain: [[name, plain]], sent: [[name, sent]] }));
    // In strict mode a null says "absent", so that an absent nullable property cannot be told from null.
    const absent = fc.constant<Members>({ plain: [], sent: [[name, null]] });
    return required || shape.nullable ? present : fc.oneof(present, absent);
  });
  const value = fc.tuple(...members).map((entries) => ({
    plain: Object.fromEntries(entries.flatMap(({ plain }) => plain)) as Json,
    sent: Object.fromEntries(entries.flatMap(({ sent }) => sent)) as Json,
  }));
  const spoiled = all.map(([name, { shape }]) =>
    fc
      .tuple(value, shape.wrong)
      .map(([{ plain }, wrong]) => Object.fromEntries([...Object.entries(plain ?? {}), [name, wrong]]) as Json),
  );
  const missing = required.map((name) =>
    value.map(({ plain }) => Object.fromEntries(Object.entries(plain ?? {}).filter(([key]) => key !== name)) as Json),
  );
  const extra = value.map(({ plain }) => Object.fromEntries([...Object.entries(plain ?? {}), ['extra', 1]]) as Json);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(all.map(([name, { shape }]) => [name, shape.schema])),
      required,
      additionalProperties: false,
    },
    nullable: false,
    value,
    wrong: fc.oneof(...spoiled, ...missing, extra, fc.constant([])),
  };
}
