import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { compileSchema, requireObject } from '../../src/agent/schema/compile.ts';
import type { MaybePromise } from '../../src/agent/maybe-promise.ts';
import {
  jsonSchema,
  type JsonSchema,
  type Schema,
  type StandardResult,
  type StandardSchema,
} from '../../src/agent/schema/standard-schema.ts';

/** What `tool` does: the type of the arguments comes from the schema. */
declare function argumentsOf<A = unknown>(options: { parameters: Schema<A>; execute: (args: A) => unknown }): A;
declare function outputOf<O = string>(outputType?: StandardSchema<O>): O;
type Place = { city: string; days?: number | undefined };

// Each library's schema gives its output type, defaults and transforms applied, also to the sibling callback.
const zod = z.object({ city: z.string(), unit: z.string().default('C'), n: z.string().transform(Number) });
expectTypeOf(
  argumentsOf({
    parameters: zod,
    execute: (args) => expectTypeOf(args).toEqualTypeOf<{ city: string; unit: string; n: number }>(),
  }),
).toEqualTypeOf<{ city: string; unit: string; n: number }>();

const valibot = v.object({ city: v.string(), unit: v.optional(v.string(), 'C') });
expectTypeOf(argumentsOf({ parameters: toStandardJsonSchema(valibot), execute: () => 0 })).toEqualTypeOf<{
  city: string;
  unit: string;
}>();
// Without its converter valibot is refused at run time; the type is there all the same.
expectTypeOf(argumentsOf({ parameters: valibot, execute: () => 0 })).toEqualTypeOf<{ city: string; unit: string }>();

const ark = type({ city: 'string', unit: "string = 'C'" });
expectTypeOf(argumentsOf({ parameters: ark, execute: () => 0 })).toEqualTypeOf<{ city: string; unit: string }>();

// A plain JSON Schema says nothing, `jsonSchema` what the caller claims.
const json = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
expectTypeOf(argumentsOf({ parameters: json, execute: (args) => expectTypeOf(args).toBeUnknown() })).toBeUnknown();
expectTypeOf(argumentsOf({ parameters: { type: 'object', properties: {} }, execute: () => 0 })).toBeUnknown();
expectTypeOf(argumentsOf({ parameters: jsonSchema<Place>(json), execute: () => 0 })).toEqualTypeOf<Place>();
expectTypeOf(json).toExtend<JsonSchema>();

// The output type of an agent; a string without one.
expectTypeOf(outputOf(zod)).toEqualTypeOf<{ city: string; unit: string; n: number }>();
expectTypeOf(outputOf(jsonSchema<Place>(json))).toEqualTypeOf<Place>();
expectTypeOf(outputOf()).toBeString();

expectTypeOf(compileSchema(zod, 'x').read(1)).toEqualTypeOf<
  MaybePromise<StandardResult<{ city: string; unit: string; n: number }>>
>();
expectTypeOf(requireObject(compileSchema(ark, 'x')).read).returns.toEqualTypeOf<
  MaybePromise<StandardResult<{ city: string; unit: string }>>
>();

// @ts-expect-error a string is no schema
argumentsOf({ parameters: 'object', execute: () => 0 });
// @ts-expect-error a claim of another type does not pass for the schema's own
expectTypeOf<StandardSchema<string>>().toExtend<StandardSchema<number>>();
