import { isFields, type Json } from '../../protocol/json.ts';
import { check, isList, referred, scopeOf, stringsOf, typeOf } from './json-schema.ts';
import type { Scope } from './json-schema.ts';

/**
 * A schema in OpenAI's strict form, with the keywords that the form cannot hold (their constraints remain to be checked locally); or the
 * schema as it was, with the reason why it has no strict form.
 */
export type StrictSchema =
  | { readonly strict: true; readonly schema: Json; readonly dropped: readonly string[] }
  | { readonly strict: false; readonly schema: Json; readonly reason: string };

/**
 * Rewrites a schema into the subset of OpenAI's strict mode: objects closed, every property required, optional ones nullable, `oneOf` as
 * `anyOf`, defaults and annotations removed. `undoStrict` reads the answers. Source: developers.openai.com/api/docs/guides/structured-outputs.
 */
export function strictSchema(schema: Json): StrictSchema {
  const notes: Notes = { scope: scopeOf(schema), dropped: new Set(), refused: [] };
  const strict = convert(schema, notes);
  if (strict['type'] !== 'object') notes.refused.push('a root that is not an object');
  const [reason] = notes.refused;
  return reason ? { strict: false, schema, reason } : { strict: true, schema: strict, dropped: [...notes.dropped] };
}

type JsonFields = { readonly [key: string]: Json };
type Notes = { readonly scope: Scope; readonly dropped: Set<string>; readonly refused: string[] };

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
    ...(types.includes('array') && { items: convert(items, notes) }),
  };
}

function refuse(what: string, notes: Notes): JsonFields {
  notes.refused.push(what);
  return {};
}

/** The keywords that may stay as they are. */
function keep(schema: JsonFields, notes: Notes): JsonFields {
  const entries = Object.entries(schema).filter(([keyword, value]) => {
    if (silent.test(keyword)) return false;
    const held = kept.test(keyword) && (typeof value !== 'string' || holds(keyword, value));
    if (!held) notes.dropped.add(keyword);
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
  return { [keyword]: Object.fromEntries(Object.entries(named).map(([name, entry]) => [name, convert(entry, notes)])) };
}

/** A `$ref` stands alone: the API refuses any keyword beside it. */
function reference(schema: JsonFields, notes: Notes): JsonFields {
  const { $ref = null, properties } = schema;
  // Deeper pointers would reach into places that the rewriting changes.
  const named = typeof $ref === 'string' && /^#(?:\/(?:\$defs|definitions)\/[^/]+)?$/.test($ref);
  return named && !properties && referred(schema, notes.scope) ? { $ref } : refuse('$ref', notes);
}

/** The schema's `type`, or the one that its other keywords imply: the API wants it said. */
function typeIn(schema: JsonFields): Json | undefined {
  const { type, properties, items, enum: choice, const: only } = schema;
  if (type !== undefined) return type;
  if (properties !== undefined) return 'object';
  if (items !== undefined) return 'array';
  const values = only === undefined ? choice : [only];
  const types = isList(values) ? [...new Set(values.map(typeOf))] : [];
  return types.length > 1 ? types : types[0];
}

function alternatives(schema: JsonFields, notes: Notes): JsonFields {
  const { anyOf, oneOf } = schema;
  const branches = anyOf ?? oneOf;
  if (!isList(branches) || (anyOf && oneOf)) return refuse('a schema without a type', notes);
  return { anyOf: branches.map((branch) => convert(branch, notes)) };
}

function closed(schema: JsonFields, notes: Notes): JsonFields {
  const { properties = {}, additionalProperties = !schema['properties'] } = schema;
  const required = stringsOf(schema['required']);
  const strict = Object.entries(isFields(properties) ? properties : {}).map(([name, entry]): [string, Json] => {
    const property = convert(entry, notes);
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
