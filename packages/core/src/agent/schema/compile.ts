import { misfit, UserError } from '../../errors.ts';
import { isFields, toJson, type Json } from '../../protocol/json.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { isList, referred, scopeOf, validateJson } from './json-schema.ts';
import { isStandardSchema, jsonSchema } from './standard-schema.ts';
import type { JsonSchema, Schema, StandardResult, StandardSchema } from './standard-schema.ts';

/** A schema ready for use: what a model is shown, and how its answer is read. */
export type CompiledSchema<T> = {
  /** What the schema is for, as error messages name it. */
  readonly field: string;
  readonly json: JsonSchema;
  /** Synchronous when the library validates synchronously. A `null` for an optional property that does not allow null counts as absent. */
  readonly read: (value: unknown) => MaybePromise<StandardResult<T>>;
};

/** Prepares a schema, once for all reads; `UserError` when it has no JSON Schema. `field` names it: "tool 'weather' parameters". */
export function compileSchema<T>(schema: Schema<T>, field: string): CompiledSchema<T> {
  const standard = isStandardSchema(schema) ? schema : jsonSchema<T>(schema);
  const json = jsonOf(standard, field);
  return {
    field,
    json,
    read: (value) => standard['~standard'].validate(undoStrict(json, value)),
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
  if (!jsonSchema) {
    throw new UserError(
      `${field}: this ${vendor} schema has no JSON Schema; use zod 4.2, arktype 2.1.28, toStandardJsonSchema() of '@valibot/to-json-schema', or a JSON Schema.`,
    );
  }
  let json: unknown;
  try {
    json = jsonSchema.input({ target: 'draft-2020-12' });
  } catch (cause) {
    throw new UserError(`${field}: ${vendor} cannot write this as JSON Schema; use JSON types. ${String(cause)}`, {
      cause,
    });
  }
  const copy = toJson(json);
  if (isFields(copy)) return withoutRootRef(copy);
  throw misfit(field, 'a Standard Schema or a JSON Schema object', json);
}

/** Providers read the type of the root at the root, where a recursive schema may have only a `$ref`. */
function withoutRootRef(schema: JsonSchema): JsonSchema {
  const target = referred(schema, scopeOf(schema));
  if (!isFields(target?.schema)) return schema;
  const { $ref: _ref, ...rest } = schema;
  return { ...target.schema, ...rest };
}

/**
 * Reads an answer to a strict schema as one to the schema it was made of: a `null` for an optional property that does not allow null is absent.
 * Returns the same value when it holds no such null.
 */
export function undoStrict(schema: Json, value: unknown): unknown {
  if (!holdsNull(value)) return value;
  const surplus = validateJson(schema, value).filter((issue) => issue.surplus);
  return surplus.reduce((rest, { path = [] }) => without(rest, path), value);
}

function holdsNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(holdsNull));
}

/** The value with the property at this path left out. */
function without(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (isList(value)) return value.map((entry, at) => (at === key ? without(entry, rest) : entry));
  if (!isFields(value)) return value;
  const others = Object.entries(value).filter(([name]) => name !== key || rest.length > 0);
  return Object.fromEntries(others.map(([name, entry]) => [name, name === key ? without(entry, rest) : entry]));
}
