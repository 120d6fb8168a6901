import { isFields, stringify, type Json } from '../../protocol/json.ts';
import { isList, referred, scopeOf, stringsOf, type Scope } from './json-schema.ts';
import { areExclusive, pointer, typeIn } from './parts.ts';
import type { Rewritten, SchemaGap } from './strict.ts';

type JsonFields = { readonly [key: string]: Json };
type Notes = {
  readonly scope: Scope;
  readonly path: string;
  readonly lost: SchemaGap[];
  readonly refused: SchemaGap[];
};

/**
 * Rewrites a schema into the least that endpoints with structured outputs have in common: one `type`, `properties`, `required`, `items`,
 * `enum`, `anyOf` and the plain limits. References are written out, `allOf` is merged, tuples become lists of their kinds of entries.
 * Source: the Schema object of ai.google.dev/api/caching.
 */
export function toBasic(schema: Json): Rewritten {
  const notes: Notes = { scope: scopeOf(schema), path: '', lost: [], refused: [] };
  return { schema: convert(schema, notes), lost: notes.lost, refused: notes.refused };
}

const kept = /^(?:title|description|enum|pattern|(?:min|max)(?:imum|Items|Length))$/;
/** What is rewritten elsewhere, and annotations: leaving these out weakens nothing. */
const silent =
  /^(?:\$|x-|(?:type|properties|required|items|prefixItems|anyOf|oneOf|allOf|const|definitions|default|examples?|deprecated|readOnly|writeOnly|id)$)/;

function convert(schema: Json, notes: Notes): JsonFields {
  if (schema === true) return {};
  if (!isFields(schema)) return refuse('a schema that nothing fits', notes);
  const { $ref, allOf } = schema;
  if ($ref !== undefined) return writtenOut(schema, notes);
  if (isList(allOf)) return merged(schema, allOf, notes);
  const types = stringsOf(typeIn(schema));
  if (types.length > 1) return convert(split(schema, types), notes);
  const { const: only, anyOf, oneOf } = schema;
  const [type] = types;
  return {
    ...(type !== undefined && { type }),
    ...keep(schema, notes),
    ...(only !== undefined && { enum: [only] }),
    ...(type === 'object' && objectParts(schema, notes)),
    ...(type === 'array' && listParts(schema, notes)),
    ...(isList(anyOf) && { anyOf: branches('anyOf', anyOf, notes) }),
    ...(isList(oneOf) && { anyOf: branches('oneOf', oneOf, notes) }),
  };
}

function inside(notes: Notes, ...keys: readonly (string | number)[]): Notes {
  return { ...notes, path: pointer(notes.path, ...keys) };
}

function refuse(keyword: string, { refused, path }: Notes): JsonFields {
  refused.push({ path, keyword });
  return {};
}

/** What a `$ref` points to stands in its place, beside what stood beside it. */
function writtenOut({ $ref, ...rest }: JsonFields, notes: Notes): JsonFields {
  if (typeof $ref === 'string' && notes.scope.refs.includes($ref))
    return refuse('a schema that contains itself', notes);
  const target = referred({ $ref: $ref ?? null }, notes.scope);
  if (target === undefined) return refuse('$ref', notes);
  const at = { ...notes, scope: target.scope };
  return Object.keys(rest).every((keyword) => silent.test(keyword) || keyword === 'description' || keyword === 'title')
    ? { ...convert(target.schema, at), ...keep(rest, notes) }
    : convert({ allOf: [target.schema, rest] }, at);
}

/** All parts of an `allOf` as one schema, as far as they do not contradict each other. */
function merged({ allOf: _, ...schema }: JsonFields, parts: readonly Json[], notes: Notes): JsonFields {
  let { scope } = notes;
  let all = schema;
  for (const part of parts) {
    const target = isFields(part) && part['$ref'] !== undefined ? referred(part, scope) : { schema: part, scope };
    if (isFields(target?.schema)) all = both(all, target.schema, notes);
    else if (target?.schema !== true) return refuse('allOf', notes);
    scope = target.scope;
  }
  return convert(all, { ...notes, scope });
}

function both(one: JsonFields, other: JsonFields, notes: Notes): JsonFields {
  const all: { [keyword: string]: Json } = { ...one };
  for (const [keyword, value] of Object.entries(other)) {
    const { [keyword]: known } = all;
    if (known === undefined) all[keyword] = value;
    else if (keyword === 'required') all[keyword] = [...new Set([...stringsOf(known), ...stringsOf(value)])];
    else if (keyword === 'properties' && isFields(known) && isFields(value))
      all[keyword] = bothProperties(known, value);
    else if (!silentOrTold(keyword) && stringify(known) !== stringify(value)) refuse('allOf', notes);
  }
  return all;
}

function bothProperties(one: JsonFields, other: JsonFields): JsonFields {
  const all: { [name: string]: Json } = { ...one };
  for (const [name, property] of Object.entries(other)) {
    const { [name]: known } = all;
    all[name] = known === undefined ? property : { allOf: [known, property] };
  }
  return all;
}

function silentOrTold(keyword: string): boolean {
  return /^(?:\$|x-|title$|description$|default$|examples?$)/.test(keyword);
}

/** One alternative for each type. */
function split({ type: _, title, description, ...rest }: JsonFields, types: readonly string[]): JsonFields {
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    anyOf: types.map((type) => (type === 'null' ? { type } : { ...rest, type })),
  };
}

function keep(schema: JsonFields, notes: Notes): JsonFields {
  const entries = Object.entries(schema).filter(([keyword, value]) => {
    const held = kept.test(keyword) || (keyword === 'format' && value === 'date-time');
    const idle = silent.test(keyword) || (keyword === 'additionalProperties' && value === true);
    if (!held && !idle) notes.lost.push({ path: notes.path, keyword });
    return held;
  });
  return Object.fromEntries(entries);
}

function objectParts({ properties = {}, required }: JsonFields, notes: Notes): JsonFields {
  const named = isFields(properties) ? Object.entries(properties) : [];
  const converted = named.map(([name, entry]) => [name, convert(entry, inside(notes, 'properties', name))]);
  return { properties: Object.fromEntries(converted), ...(isList(required) && { required }) };
}

function listParts({ items, prefixItems }: JsonFields, notes: Notes): JsonFields {
  if (!isList(prefixItems)) return items === undefined ? {} : { items: convert(items, inside(notes, 'items')) };
  notes.lost.push({ path: notes.path, keyword: 'prefixItems' });
  const entries = branches('prefixItems', prefixItems, notes);
  const rest = items === undefined || items === false ? [] : [convert(items, inside(notes, 'items'))];
  return { items: { anyOf: [...entries, ...rest] } };
}

function branches(keyword: string, parts: readonly Json[], notes: Notes): JsonFields[] {
  if (keyword === 'oneOf' && !areExclusive(parts)) notes.lost.push({ path: notes.path, keyword });
  return parts.map((part, index) => convert(part, inside(notes, keyword, index)));
}
