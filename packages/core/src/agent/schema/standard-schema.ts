import type { Json } from '../../protocol/json.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { validateJson } from './json-schema.ts';

/** A JSON Schema as data (draft 2020-12). */
export type JsonSchema = { readonly [key: string]: Json };

/** Whatever describes a `T`: a schema of zod, valibot, arktype or another Standard Schema library, or a plain JSON Schema. */
export type Schema<T = unknown> = StandardSchema<T> | JsonSchema;

/** The Standard Schema interface (standardschema.dev), spelled here so that the core has no dependency. */
export type StandardSchema<T> = {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => MaybePromise<StandardResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
    /** Standard JSON Schema 1.1; a schema without it cannot be shown to a model. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => { [key: string]: unknown };
    };
  };
};

/** What a Standard Schema's `validate` answers. */
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** Gives a plain JSON Schema the type that the caller claims for it; values are checked by `validateJson`. */
export function jsonSchema<T = unknown>(schema: JsonSchema): StandardSchema<T> {
  const fits = (value: unknown): value is T => validateJson(schema, value).length === 0;
  return {
    '~standard': {
      version: 1,
      vendor: 'polyrun',
      validate: (value) => (fits(value) ? { value } : { issues: validateJson(schema, value) }),
      jsonSchema: { input: () => schema },
    },
  };
}

/** True for a Standard Schema, which may also be a function (arktype); false for a plain JSON Schema. */
export function isStandardSchema<T>(schema: Schema<T>): schema is StandardSchema<T> {
  return (typeof schema === 'object' || typeof schema === 'function') && schema !== null && '~standard' in schema;
}
