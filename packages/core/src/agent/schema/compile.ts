import { UserError } from '../../errors.ts';
import { isFields, toJson } from '../../protocol/json.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { nameOf } from '../../protocol/validate.ts';
import { referred, scopeOf, type Issue } from './json-schema.ts';
import { isStandardSchema, jsonSchema } from './standard-schema.ts';
import type { JsonSchema, Schema, StandardResult, StandardSchema } from './standard-schema.ts';
import { undoStrict } from './strict.ts';

/** A value as its schema's library gives it (defaults and transforms applied), or what is wrong with it. */
export type ReadResult<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** A schema ready for use: what a model is shown, and how its answer is read. */
export type CompiledSchema<T> = {
  /** What the schema is for, as error messages name it. */
  readonly field: string;
  readonly json: JsonSchema;
  /** Synchronous when the library validates synchronously. A `null` for an optional property that does not allow null counts as absent. */
  readonly read: (value: unknown) => MaybePromise<ReadResult<T>>;
};

/** Prepares a schema, once for all reads; `UserError` when it has no JSON Schema. `field` names it: "tool 'weather' parameters". */
export function compileSchema<T>(schema: Schema<T>, field: string): CompiledSchema<T> {
  const standard = isStandardSchema(schema) ? schema : jsonSchema<T>(schema);
  const json = jsonOf(standard, field);
  return {
    field,
    json,
    read: (value) => {
      const result = standard['~standard'].validate(undoStrict(json, value));
      return 'then' in result ? result.then(resultOf) : resultOf(result);
    },
  };
}

/** Gives the schema back when it describes an object, as the parameters of a tool must; else `UserError`. */
export function requireObject<T>(compiled: CompiledSchema<T>): CompiledSchema<T> {
  const { field, json } = compiled;
  if (json['type'] === 'object') return compiled;
  throw new UserError(`${field}: expected a schema of type 'object'; make the value a property of an object.`);
}

function jsonOf(schema: StandardSchema<unknown>, field: string): JsonSchema {
  const { vendor, jsonSchema } = schema['~standard'];
  if (!jsonSchema) throw new UserError(`${field}: a ${vendor} schema without its JSON Schema. ${remedy(vendor)}`);
  let json: unknown;
  try {
    json = jsonSchema.input({ target: 'draft-2020-12' });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : '';
    throw new UserError(`${field}: ${vendor} cannot write this as JSON Schema; use JSON types. ${reason}`, { cause });
  }
  const copy = toJson(json);
  if (isFields(copy)) return withoutRootRef(copy);
  throw new UserError(`${field}: expected a Standard Schema or a JSON Schema object, got ${nameOf(json)}.`);
}

function remedy(vendor: string): string {
  const remedies: { readonly [vendor: string]: string } = {
    zod: 'Update zod to 4.2 or newer.',
    arktype: 'Update arktype to 2.1.28 or newer.',
    valibot: "Wrap it in toStandardJsonSchema() of '@valibot/to-json-schema'.",
  };
  return remedies[vendor] ?? `Give a JSON Schema, or a version of ${vendor} with Standard JSON Schema.`;
}

/** Providers read the type of the root at the root, where a recursive schema may have only a `$ref`. */
function withoutRootRef(schema: JsonSchema): JsonSchema {
  const target = referred(schema, scopeOf(schema));
  if (!isFields(target?.schema)) return schema;
  const { $ref: _ref, ...rest } = schema;
  return { ...target.schema, ...rest };
}

function resultOf<T>(result: StandardResult<T>): ReadResult<T> {
  if (!result.issues) return { value: result.value };
  // Libraries answer with arrays of classes of their own (arktype), whose map would make another of them.
  return {
    issues: Array.from(result.issues, ({ message, path = [] }) => ({ message, path: Array.from(path, keyOf) })),
  };
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey {
  return typeof segment === 'object' ? segment.key : segment;
}
