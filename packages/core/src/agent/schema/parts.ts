import { isFields, stringify, type Json } from '../../protocol/json.ts';
import { isList, stringsOf, typeOf } from './json-schema.ts';

type JsonFields = { readonly [key: string]: Json };

/** The schema's `type`, or the one that its other keywords imply: dialects want it said. */
export function typeIn(schema: JsonFields): Json | undefined {
  const { type, properties, items, enum: choice, const: only } = schema;
  if (type !== undefined) return type;
  if (properties !== undefined) return 'object';
  if (items !== undefined) return 'array';
  const values = only === undefined ? choice : [only];
  const types = isList(values) ? [...new Set(values.map(typeOf))] : [];
  return types.length > 1 ? types : types[0];
}

/** True when no value can fit two of these schemas: their types differ, or a required property tells them apart. */
export function areExclusive(branches: readonly Json[]): boolean {
  const fields = branches.filter((branch) => isFields(branch));
  if (fields.length < branches.length) return false;
  if (areDistinct(fields.map((branch) => stringsOf(typeIn(branch))))) return true;
  return marksOf(fields[0]).some(([name]) =>
    areDistinct(fields.map((branch) => marksOf(branch).find(([other]) => other === name)?.[1] ?? [])),
  );
}

/** A place in a schema as a JSON pointer (RFC 6901). */
export function pointer(path: string, ...keys: readonly (string | number)[]): string {
  return [path, ...keys.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');
}

/** The required properties that can only have certain values, with those. */
function marksOf(schema: JsonFields | undefined): (readonly [string, readonly string[]])[] {
  const { properties, required } = schema ?? {};
  if (!isFields(properties)) return [];
  return stringsOf(required).map((name) => {
    const { [name]: property } = properties;
    const { const: only, enum: choice } = isFields(property) ? property : {};
    const values = only === undefined ? choice : [only];
    return [name, isList(values) ? values.map((value) => stringify(value) ?? '') : []];
  });
}

/** True when no list is empty and no two share an entry. */
function areDistinct(lists: readonly (readonly string[])[]): boolean {
  const all = lists.flat();
  return lists.every((list) => list.length > 0) && new Set(all).size === all.length;
}
