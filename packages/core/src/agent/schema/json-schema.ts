import { isFields, stringify, type Fields, type Json } from '../../protocol/json.ts';
import { nameOf } from '../../protocol/validate.ts';

/**
 * One thing that is wrong with a value; without a `path`: with the value itself. `surplus`: all would be well if the entry, which is null,
 * were absent.
 */
export type Issue = { readonly message: string; readonly path?: readonly PropertyKey[]; readonly surplus?: boolean };

/** Where a check stands: the document that `$ref` reads, the refs followed since the last step into the value, how deep to look. */
export type Scope = { readonly root: Json; readonly refs: readonly string[]; readonly depth: number };

/**
 * Every way in which `value` does not fit a JSON Schema; none when it fits. Messages hold words of the schema, never of the value.
 * Knows type, enum, const, the limits of numbers, lengths and items, pattern, properties, patternProperties, required, additionalProperties,
 * prefixItems, items, anyOf, oneOf, allOf and local `$ref`; other keywords are ignored.
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
  const { type } = schema;
  // Of a value of another kind there is nothing more to say.
  if (type !== undefined && !isOfAny(type, value))
    return expected(`${stringsOf(type).join(' or ')}, got ${nameOf(value)}`);
  const own = joined(valueIssues(schema, value), limitIssues(schema, value));
  const deeper = scope.depth > 0 ? childIssues(schema, value, scope) : none;
  return joined(joined(own, deeper), partIssues(schema, value, scope));
}

/** What `$ref` points to, with the scope to read it in; `undefined` without one, or when it leads nowhere or in a circle. */
export function referred(schema: Fields, scope: Scope): { schema: Json; scope: Scope } | undefined {
  const ref = schema['$ref'];
  if (typeof ref !== 'string' || scope.refs.includes(ref)) return undefined;
  const [start, ...parts] = ref.split('/');
  let at = start === '#' ? scope.root : undefined;
  for (const part of parts) at = member(at, part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return at === undefined ? undefined : { schema: at, scope: { ...scope, refs: [...scope.refs, ref] } };
}

/** The strings of a list, or the one string: what `type` and `required` hold. */
export function stringsOf(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return isList(value) ? value.filter((entry) => typeof entry === 'string') : [];
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

/** The member of a list or an object that has this key of its own. */
function member(at: Json | undefined, key: string): Json | undefined {
  if (isList(at)) return at[Number(key)];
  return isFields(at) && Object.hasOwn(at, key) ? at[key] : undefined;
}

/** What nearly every check comes to: nothing is made for it. */
const none: readonly Issue[] = [];

function joined(some: readonly Issue[], more: readonly Issue[]): readonly Issue[] {
  if (more.length === 0) return some;
  return some.length === 0 ? more : [...some, ...more];
}

function isOfAny(type: Json, value: unknown): boolean {
  if (typeof type === 'string') return isOf(type, value);
  const types = stringsOf(type);
  return types.length === 0 || types.some((each) => isOf(each, value));
}

function isOf(type: string, value: unknown): boolean {
  return type === 'integer' ? Number.isInteger(value) : type === typeOf(value);
}

function expected(what: string): readonly Issue[] {
  return [{ message: `expected ${what}` }];
}

function valueIssues({ enum: choice, const: only, pattern }: JsonFields, value: unknown): readonly Issue[] {
  const allowed = only === undefined ? choice : [only];
  if (isList(allowed) && !allowed.some((entry) => same(entry, value)))
    return expected(allowed.map((entry) => stringify(entry)).join(' or '));
  const fits = typeof value !== 'string' || typeof pattern !== 'string' || matches(pattern, value);
  return fits ? none : expected(`a match of ${pattern}`);
}

function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one === other;
  const keys = Object.keys(one);
  const alike = isList(one) === isList(other) && keys.length === Object.keys(other).length;
  return (
    alike && keys.every((key) => Object.hasOwn(other, key) && same(Reflect.get(one, key), Reflect.get(other, key)))
  );
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
  if (typeof value !== 'string' || (schema['minLength'] ?? schema['maxLength']) === undefined) return none;
  return bounded(Array.from(value).length, schema, ['minLength', 'maxLength', ' characters']);
}

function bounded(size: number, schema: JsonFields, [least, most, unit]: readonly [string, string, string]) {
  const { [least]: min, [most]: max } = schema;
  if (typeof min === 'number' && size < min) return expected(`at least ${min}${unit}`);
  return typeof max === 'number' && size > max ? expected(`at most ${max}${unit}`) : none;
}

function childIssues(schema: JsonFields, value: unknown, scope: Scope): readonly Issue[] {
  if (typeof value !== 'object') return none;
  const inner = { root: scope.root, refs: [], depth: scope.depth - 1 };
  if (isFields(value)) return fieldIssues(schema, value, inner);
  const { items = true, prefixItems } = schema;
  if (!isList(value)) return none;
  return value.flatMap((entry, at) => under(at, check(member(prefixItems, String(at)) ?? items, entry, inner)));
}

function fieldIssues(schema: JsonFields, value: Fields, scope: Scope): readonly Issue[] {
  const { properties, patternProperties, additionalProperties = true } = schema;
  const required = stringsOf(schema['required']);
  let issues: readonly Issue[] = none;
  for (const name of required)
    if (!Object.hasOwn(value, name)) issues = joined(issues, [{ message: 'required, but missing', path: [name] }]);
  for (const key of Object.keys(value)) {
    const entry = value[key];
    const own = member(properties, key);
    const named = own ?? patterned(patternProperties, key) ?? additionalProperties;
    const found = under(key, check(named, entry, scope));
    if (found.length === 0) continue;
    const surplus = entry === null && own !== undefined && !required.includes(key);
    issues = joined(issues, surplus ? found.map((issue) => ({ ...issue, surplus })) : found);
  }
  return issues;
}

function patterned(patterns: Json | undefined, key: string): Json | undefined {
  return isFields(patterns) ? Object.entries(patterns).find(([pattern]) => matches(pattern, key))?.[1] : undefined;
}

function under(key: PropertyKey, issues: readonly Issue[]): readonly Issue[] {
  return issues.length === 0 ? none : issues.map((issue) => ({ ...issue, path: [key, ...(issue.path ?? [])] }));
}

/** What `$ref`, `allOf`, `anyOf` and `oneOf` say. */
function partIssues(schema: JsonFields, value: unknown, scope: Scope): readonly Issue[] {
  const { $ref, allOf, anyOf, oneOf } = schema;
  if (($ref ?? allOf ?? anyOf ?? oneOf) === undefined) return none;
  const target = $ref && referred(schema, scope);
  const tried = (branches: readonly Json[]) => branches.map((branch) => branchIssues(branch, value, scope));
  return [
    ...(target ? check(target.schema, value, target.scope) : []),
    ...(isList(allOf) ? allOf.flatMap((part) => check(part, value, scope)) : []),
    ...(isList(anyOf) ? unionIssues(tried(anyOf), anyOf.length) : []),
    ...(isList(oneOf) ? unionIssues(tried(oneOf), 1) : []),
  ];
}

function unionIssues(failures: readonly (readonly Issue[])[], most: number): readonly Issue[] {
  const fits = failures.filter((issues) => issues.length === 0).length;
  if (fits > most) return expected(`to fit one alternative, fits ${fits}`);
  if (fits > 0 || failures.length === 0) return [];
  // The alternative that was meant, as far as one can tell: all of its issues lie deeper, and they are the fewest.
  const deeper = failures.filter((issues) => issues.every((issue) => issue.path));
  const [best] = deeper.toSorted((one, other) => wrongs(one) - wrongs(other));
  return best ?? [{ message: failures.map((issues) => issues[0]?.message).join('; or ') }];
}

function branchIssues(branch: Json, value: unknown, scope: Scope): readonly Issue[] {
  // Looking into the children for every wrong branch would cost exponential time in a recursive union.
  const first = check(branch, value, { ...scope, depth: Math.min(scope.depth, 1) });
  return wrongs(first) > 0 ? first : check(branch, value, scope);
}

function wrongs(issues: readonly Issue[]): number {
  return issues.filter(({ surplus }) => !surplus).length;
}
