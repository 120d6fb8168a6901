import { isFields, type Json } from '../../protocol/json.ts';
import { check, isList, referred, scopeOf, stringsOf } from './json-schema.ts';
import type { Scope } from './json-schema.ts';
import { areExclusive, pointer, typeIn } from './parts.ts';

/**
 * A schema in OpenAI's strict form, with the keywords that the form cannot hold (their constraints remain to be checked locally); or the
 * schema as it was, with the reason why it has no strict form.
 */
export type StrictSchema =
  | { readonly strict: true; readonly schema: Json; readonly dropped: readonly string[] }
  | { readonly strict: false; readonly schema: Json; readonly reason: string };

/** Something that a dialect cannot say: where in the schema, as a JSON pointer, and which keyword, or what it is in words. */
export type SchemaGap = { readonly path: string; readonly keyword: string };
/** A schema in another form, and what that form lacks of it: `lost` makes it weaker, `refused` keeps it from having that form. */
export type Rewritten = {
  readonly schema: JsonFields;
  readonly lost: readonly SchemaGap[];
  readonly refused: readonly SchemaGap[];
};

/**
 * Rewrites a schema into the subset of OpenAI's strict mode: objects closed, every property required, optional ones nullable, `oneOf` as
 * `anyOf`, defaults and annotations removed. `undoStrict` reads the answers. Source: developers.openai.com/api/docs/guides/structured-outputs.
 */
export function strictSchema(schema: Json): StrictSchema {
  const { schema: strict, lost, refused } = toStrict(schema);
  const [reason] = refused;
  if (reason) return { strict: false, schema, reason: reason.keyword };
  return { strict: true, schema: strict, dropped: [...new Set(lost.map(({ keyword }) => keyword))] };
}

/** The same, with the places of what is lost or in the way. */
export function toStrict(schema: Json): Rewritten {
  const notes: Notes = { scope: scopeOf(schema), path: '', lost: [], refused: [] };
  const strict = convert(schema, notes);
  if (strict['type'] !== 'object') refuse('a root that is not an object', notes);
  return { schema: strict, lost: notes.lost, refused: notes.refused };
}

type JsonFields = { readonly [key: string]: Json };
type Notes = {
  readonly scope: Scope;
  readonly path: string;
  readonly lost: SchemaGap[];
  readonly refused: SchemaGap[];
};

const kept =
  /^(?:title|description|enum|const|format|pattern|multipleOf|(?:min|max)Items|(?:exclusiveM|m)(?:in|ax)imum)$/;
/** What is rewritten elsewhere, and annotations: leaving these out weakens nothing. */
const silent =
  /^(?:\$|x-|(?:type|properties|required|additionalProperties|items|anyOf|oneOf|definitions|default|examples?|deprecated|readOnly|writeOnly|id)$)/;
const inexpressible = /^(?:allOf|if|depend.*|patternProperties|prefixItems|unevaluated.*|\$dynamicRef)$/;
const formats = /^(?:date-time|time|date|duration|email|hostname|ipv[46]|uuid)$/;

function convert(schema: Json, notes: Notes): JsonFields {
  if (!isFields(schema)) return refuse('a schema that is true or false', notes);
  const obstacle = Object.keys(schema).find((keyword) => inexpressible.test(keyword));
  if (obstacle) return refuse(obstacle, notes);
  const { $ref, items = true } = schema;
  const own = { ...keep(schema, notes), ...all(schema, '$defs', notes), ...all(schema, 'definitions', notes) };
  if ($ref !== undefined) return reference(schema, notes);
  const type = typeIn(schema);
  const types = stringsOf(type);
  if (type === undefined) return { ...own, ...alternatives(schema, notes) };
  if (schema['anyOf'] ?? schema['oneOf']) return refuse('a type beside anyOf or oneOf', notes);
  return {
    type,
    ...own,
    ...(types.includes('object') && closed(schema, notes)),
    ...(types.includes('array') && { items: convert(items, inside(notes, 'items')) }),
  };
}

function inside(notes: Notes, ...keys: readonly (string | number)[]): Notes {
  return { ...notes, path: pointer(notes.path, ...keys) };
}

function refuse(keyword: string, { refused, path }: Notes): JsonFields {
  refused.push({ path, keyword });
  return {};
}

/** The keywords that may stay as they are. */
function keep(schema: JsonFields, notes: Notes): JsonFields {
  const entries = Object.entries(schema).filter(([keyword, value]) => {
    if (silent.test(keyword)) return false;
    const held = kept.test(keyword) && (typeof value !== 'string' || holds(keyword, value));
    if (!held) notes.lost.push({ path: notes.path, keyword });
    return held;
  });
  return Object.fromEntries(entries);
}

function holds(keyword: string, text: string): boolean {
  if (keyword === 'format') return formats.test(text);
  // The API answers 400 "regex lookaround is not supported".
  return keyword !== 'pattern' || !/\(\?<?[=!]/.test(text);
}

/** The keyword with each schema that it holds by name converted; nothing when it is absent. */
function all(schema: JsonFields, keyword: string, notes: Notes): JsonFields {
  const { [keyword]: named } = schema;
  if (!isFields(named)) return {};
  const converted = Object.entries(named).map(([name, entry]) => [name, convert(entry, inside(notes, keyword, name))]);
  return { [keyword]: Object.fromEntries(converted) };
}

/** A `$ref` stands alone: the API refuses any keyword beside it. */
function reference(schema: JsonFields, notes: Notes): JsonFields {
  const { $ref = null, properties } = schema;
  // Deeper pointers would reach into places that the rewriting changes.
  const named = typeof $ref === 'string' && /^#(?:\/(?:\$defs|definitions)\/[^/]+)?$/.test($ref);
  return named && !properties && referred(schema, notes.scope) ? { $ref } : refuse('$ref', notes);
}

function alternatives(schema: JsonFields, notes: Notes): JsonFields {
  const { anyOf, oneOf } = schema;
  const branches = anyOf ?? oneOf;
  if (!isList(branches) || (anyOf && oneOf)) return refuse('a schema without a type', notes);
  const keyword = anyOf ? 'anyOf' : 'oneOf';
  if (oneOf && !areExclusive(branches)) notes.lost.push({ path: notes.path, keyword });
  return { anyOf: branches.map((branch, index) => convert(branch, inside(notes, keyword, index))) };
}

function closed(schema: JsonFields, notes: Notes): JsonFields {
  const { properties = {}, additionalProperties = !schema['properties'] } = schema;
  const required = stringsOf(schema['required']);
  const strict = Object.entries(isFields(properties) ? properties : {}).map(([name, entry]): [string, Json] => {
    const property = convert(entry, inside(notes, 'properties', name));
    return [name, required.includes(name) || allowsNull(entry, notes.scope) ? property : nullable(property)];
  });
  const names = strict.map(([name]) => name);
  if (additionalProperties !== false || !required.every((name) => names.includes(name)))
    return refuse('properties that are not described', notes);
  return { properties: Object.fromEntries(strict), required: names, additionalProperties };
}

function allowsNull(schema: Json, scope: Scope): boolean {
  return check(schema, null, scope).length === 0;
}

function nullable(schema: JsonFields): JsonFields {
  return { anyOf: [schema, { type: 'null' }] };
}
