import { isFields, stringify, type Fields, type Json } from '../../protocol/json.ts';
import { nameOf } from '../../protocol/validate.ts';

/** One thing that is wrong with a value; without a `path`: with the value itself. */
export type Issue = { readonly message: string; readonly path?: readonly PropertyKey[] };

/** Where a check stands: the document that `$ref` reads, the refs followed since the last step into the value, how deep to look. */
export type Scope = { readonly root: Json; readonly refs: readonly string[]; readonly depth: number };

/**
 * Every way in which `value` does not fit a JSON Schema; none when it fits. Messages hold words of the schema, never of the value.
 * Knows type, enum, const, the limits of numbers, lengths and items, pattern, properties, required, patternProperties, additionalProperties,
 * prefixItems, items, anyOf, oneOf, allOf, not and local `$ref`; other keywords are ignored.
 */
export function validateJson(schema: Json, value: unknown): readonly Issue[] {
  return check(schema, value, scopeOf(schema));
}

/** The scope in which the check of a whole document starts. */
export function scopeOf(root: Json): Scope {
  return { root, refs: [], depth: Infinity };
}

/** `validateJson` from within a document. */
export function check(schema: Json, value: unknown, scope: Scope): readonly Issue[] {
  if (schema === false) return [{ message: 'not allowed' }];
  if (!isFields(schema)) return [];
  const types = stringsOf(schema['type']);
  // Of a value of another kind there is nothing more to say.
  if (types.length > 0 && !types.some((type) => isOf(type, value)))
    return expected(`${types.join(' or ')}, got ${nameOf(value)}`);
  return [
    ...valueIssues(schema, value),
    ...limitIssues(schema, value),
    ...(scope.depth > 0 ? childIssues(schema, value, scope) : []),
    ...partIssues(schema, value, scope),
    ...unionIssues(schema, value, scope),
  ];
}

/** The scope for the children of a value. */
export function inner(scope: Scope): Scope {
  return { root: scope.root, refs: [], depth: scope.depth - 1 };
}

/** The scope that looks at a value and at the kinds of its children, no deeper. */
export function shallow(scope: Scope): Scope {
  return { ...scope, depth: Math.min(scope.depth, 1) };
}

/** What `$ref` points to, with the scope to read it in; `undefined` without one, or when it leads nowhere or in a circle. */
export function referred(schema: Fields, scope: Scope): { schema: Json; scope: Scope } | undefined {
  const ref = schema['$ref'];
  if (typeof ref !== 'string' || scope.refs.includes(ref)) return undefined;
  const [start, ...parts] = ref.split('/');
  const at = parts.reduce<Json | undefined>(
    (at, part) => member(at, unescaped(part)),
    start === '#' ? scope.root : undefined,
  );
  return at === undefined ? undefined : { schema: at, scope: { ...scope, refs: [...scope.refs, ref] } };
}

/** The member of a list or an object that has this key of its own. */
export function member(at: Json | undefined, key: string): Json | undefined {
  if (isList(at)) return at[Number(key)];
  return isFields(at) && Object.hasOwn(at, key) ? at[key] : undefined;
}

/** The entries of a list; none of anything else. */
export function listOf(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

/** The strings of a list, or the one string: what `type` and `required` hold. */
export function stringsOf(value: Json | undefined): readonly string[] {
  return (isList(value) ? value : [value]).filter((entry) => typeof entry === 'string');
}

/** The JSON Schema type of a value. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return isList(value) ? 'array' : typeof value;
}

/** True for arrays. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

type JsonFields = { readonly [key: string]: Json };

function isOf(type: string, value: unknown): boolean {
  return type === 'integer' ? Number.isInteger(value) : type === typeOf(value);
}

function expected(what: string): readonly Issue[] {
  return [{ message: `expected ${what}` }];
}

function unescaped(part: string): string {
  let text = part;
  try {
    text = decodeURIComponent(part);
  } catch {
    // Not every generator escapes the percent signs of a name.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

function valueIssues(schema: JsonFields, value: unknown): readonly Issue[] {
  const { enum: choice, const: only, pattern } = schema;
  const allowed = only === undefined ? choice : [only];
  if (isList(allowed) && !allowed.some((entry) => same(entry, value)))
    return expected(allowed.map((entry) => stringify(entry)).join(' or '));
  const fits = typeof value !== 'string' || typeof pattern !== 'string' || matches(pattern, value);
  return fits ? [] : expected(`a match of ${pattern}`);
}

function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one === other;
  const mine = Object.entries(one);
  const others = new Map<string, unknown>(Object.entries(other));
  const alike = isList(one) === isList(other) && mine.length === others.size;
  return alike && mine.every(([key, entry]) => others.has(key) && same(entry, others.get(key)));
}

function matches(pattern: string, text: string): boolean {
  // JSON Schema asks for Unicode mode, in which patterns that were written without it in mind may not compile.
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags).test(text);
    } catch {
      continue;
    }
  }
  return true;
}

function limitIssues(schema: JsonFields, value: unknown): readonly Issue[] {
  if (typeof value === 'number') return bounded(value, schema, ['minimum', 'maximum', '']);
  if (isList(value)) return bounded(value.length, schema, ['minItems', 'maxItems', ' items']);
  if (typeof value !== 'string' || (schema['minLength'] ?? schema['maxLength']) === undefined) return [];
  return bounded(Array.from(value).length, schema, ['minLength', 'maxLength', ' characters']);
}

function bounded(
  size: number,
  schema: JsonFields,
  [least, most, unit]: readonly [string, string, string],
): readonly Issue[] {
  const issues = (keyword: string, words: string, fits: (limit: number) => boolean): readonly Issue[] => {
    const limit = schema[keyword];
    return typeof limit !== 'number' || fits(limit) ? [] : expected(`${words} ${limit}${unit}`);
  };
  return [
    ...issues(least, 'at least', (limit) => size >= limit),
    ...issues(most, 'at most', (limit) => size <= limit),
    ...(unit === '' ? issues('exclusiveMinimum', 'more than', (limit) => size > limit) : []),
    ...(unit === '' ? issues('exclusiveMaximum', 'less than', (limit) => size < limit) : []),
  ];
}

function childIssues(schema: JsonFields, value: unknown, scope: Scope): readonly Issue[] {
  if (isFields(value)) return fieldIssues(schema, value, scope);
  if (!isList(value)) return [];
  const { items, prefixItems } = schema;
  // Before draft 2020-12 the prefix was a list of `items`.
  const prefix = listOf(prefixItems ?? items);
  const rest = isFields(items) || items === false ? items : true;
  return value.flatMap((entry, at) => under(at, check(prefix[at] ?? rest, entry, inner(scope))));
}

function fieldIssues(schema: JsonFields, value: Fields, scope: Scope): readonly Issue[] {
  const { properties, patternProperties, additionalProperties = true, required } = schema;
  const patterns = isFields(patternProperties) ? Object.entries(patternProperties) : [];
  const missing = stringsOf(required).filter((name) => !Object.hasOwn(value, name));
  const issues: Issue[] = missing.map((name) => ({ message: 'required, but missing', path: [name] }));
  for (const [key, entry] of Object.entries(value)) {
    const schemas = patterns.filter(([pattern]) => matches(pattern, key)).map(([, schema]) => schema);
    const own = member(properties, key);
    if (own !== undefined) schemas.push(own);
    if (schemas.length === 0) schemas.push(additionalProperties);
    for (const each of schemas) issues.push(...under(key, check(each, entry, inner(scope))));
  }
  return issues;
}

function under(key: PropertyKey, issues: readonly Issue[]): readonly Issue[] {
  return issues.map(({ message, path = [] }) => ({ message, path: [key, ...path] }));
}

/** What `$ref`, `allOf` and `not` say. */
function partIssues(schema: JsonFields, value: unknown, scope: Scope): readonly Issue[] {
  const target = referred(schema, scope);
  const { allOf, not } = schema;
  if (target === undefined && allOf === undefined && not === undefined) return [];
  return [
    ...(target ? check(target.schema, value, target.scope) : []),
    ...listOf(allOf).flatMap((part) => check(part, value, scope)),
    ...(not === undefined || check(not, value, scope).length > 0 ? [] : check(false, value, scope)),
  ];
}

function unionIssues(schema: JsonFields, value: unknown, scope: Scope): readonly Issue[] {
  if ((schema['anyOf'] ?? schema['oneOf']) === undefined) return [];
  return ['anyOf', 'oneOf'].flatMap((keyword) => {
    const failures = listOf(schema[keyword]).map((branch) => branchIssues(branch, value, scope));
    const fits = failures.filter((issues) => issues.length === 0).length;
    if (fits === 0) return closest(failures);
    return fits > 1 && keyword === 'oneOf' ? expected(`to fit one alternative, fits ${fits}`) : [];
  });
}

function branchIssues(branch: Json, value: unknown, scope: Scope): readonly Issue[] {
  // Looking into the children for every wrong branch would cost exponential time in a recursive union.
  const first = check(branch, value, shallow(scope));
  return first.length > 0 ? first : check(branch, value, scope);
}

/** The issues of the alternative that was meant, as far as one can tell: all of them lie deeper, and they are the fewest. */
function closest(failures: readonly (readonly Issue[])[]): readonly Issue[] {
  const deeper = failures.filter((issues) => issues.every((issue) => issue.path));
  const [best] = deeper.toSorted((one, other) => one.length - other.length);
  if (best || failures.length === 0) return best ?? [];
  return [{ message: failures.map((issues) => issues[0]?.message).join('; or ') }];
}
