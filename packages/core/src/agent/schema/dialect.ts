import type { Capabilities } from '../../model/capabilities.ts';
import type { Json } from '../../protocol/json.ts';
import { toBasic } from './basic.ts';
import { toStrict, type SchemaGap } from './strict.ts';

/** What endpoints take as a JSON Schema: all of it, OpenAI's strict form, or the least that they have in common. */
export type SchemaDialect = NonNullable<Capabilities['schemaDialect']>;

/** A schema in a dialect. `rejected`: it has no form there; `schema` is then as it was. */
export type DialectSchema = {
  readonly schema: Json;
  readonly verdict: 'lossless' | 'weakened' | 'rejected';
  /** What the dialect cannot say. `checked`: the core checks it on what comes back, also where the user's own library does not. */
  readonly lost: readonly SchemaLoss[];
  /** The same in words, for an adaptation; '' when nothing is lost. */
  readonly detail: string;
};
export type SchemaLoss = SchemaGap & { readonly checked: boolean };

/**
 * Puts a JSON Schema into a dialect and reports by path what it cannot say. Whatever is lost on the way to the model, arguments and final
 * outputs are validated by the schema as it was.
 */
export function toDialect(schema: Json, dialect: SchemaDialect): DialectSchema {
  if (dialect === 'full') return { schema, verdict: 'lossless', lost: [], detail: '' };
  const { schema: made, lost, refused } = dialect === 'basic' ? toBasic(schema) : toStrict(schema);
  if (refused.length > 0) {
    const detail = `sent as it is, not enforced, because it has ${words(refused)}`;
    return { schema, verdict: 'rejected', lost: refused.map(withCheck), detail };
  }
  if (lost.length === 0) return { schema: made, verdict: 'lossless', lost: [], detail: '' };
  return { schema: made, verdict: 'weakened', lost: lost.map(withCheck), detail: `without ${words(lost)}` };
}

function words(gaps: readonly SchemaGap[]): string {
  return gaps.map(({ path, keyword }) => `${keyword} at ${path || '/'}`).join(', ');
}

/** The keywords that `validateJson` knows. */
const checked =
  /^(?:type|enum|const|(?:min|max)(?:imum|Items|Length)|pattern|(?:patternP|p)roperties|required|additionalProperties|(?:prefixI|i)tems|anyOf|oneOf|allOf|\$ref)$/;

function withCheck(gap: SchemaGap): SchemaLoss {
  return { ...gap, checked: checked.test(gap.keyword) };
}
