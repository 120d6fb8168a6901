import { misfit, UserError } from '../errors.ts';
import { isFields } from '../protocol/json.ts';
import type { ModelErrorKind } from '../protocol/response.ts';
import { fallback } from './fallback.ts';
import type { Model, ModelProvider } from './model.ts';

/** Names of one's own for models, as plain JSON: another name, or several that are tried in order as by `fallback`. */
export type ModelTable = {
  readonly [name: string]:
    | string
    | { readonly fallback: readonly (string | { readonly model: string; readonly on: readonly ModelErrorKind[] })[] };
};

/**
 * Routes `"mistral/mistral-small-latest"` to the provider under the prefix `mistral`, and `"mistral"` to that provider's default model;
 * names without a known prefix go to the provider `default`, and `default` may also be one of `models`, for when none is named.
 * A name in `models` stands for what the table says, so that a deployment changes models without touching code.
 */
export class MultiProvider implements ModelProvider {
  readonly name: string = 'multi';
  readonly #providers: ReadonlyMap<string, ModelProvider>;
  readonly #models: ReadonlyMap<string, ModelTable[string]>;
  readonly #made = new Map<string, Model>();
  readonly #default: string | undefined;

  constructor(
    providers: { [prefix: string]: ModelProvider },
    options: { default?: string | undefined; models?: ModelTable | undefined } = {},
  ) {
    if (!isFields(providers)) throw misfit('MultiProvider providers', '{ [prefix]: provider }', providers);
    for (const [prefix, provider] of Object.entries(providers)) {
      if (typeof provider?.getModel !== 'function')
        throw misfit(`MultiProvider providers['${prefix}']`, 'a provider such as mistral() makes', provider);
    }
    this.#providers = new Map(Object.entries(providers));
    this.#models = new Map(Object.entries(options.models ?? {}));
    this.#default = options.default;
    if (options.default !== undefined && !this.#providers.has(options.default) && !this.#models.has(options.default)) {
      throw new UserError(
        `MultiProvider options.default: there is no provider '${options.default}'; known are ${this.#known()}.`,
      );
    }
    for (const name of this.#models.keys()) this.#check(name);
  }

  getModel(modelName?: string): Model {
    const usual = this.#default ?? '';
    const name = modelName ?? (this.#models.has(usual) ? usual : '');
    if (this.#models.has(name)) return this.#fromTable(name);
    const slash = name.indexOf('/');
    const named = this.#providers.get(slash < 0 ? name : name.slice(0, slash));
    if (named) return named.getModel(slash < 0 ? undefined : name.slice(slash + 1));
    const other = this.#providers.get(usual);
    if (other) return other.getModel(modelName);
    const asked = modelName === undefined ? 'No model was named' : `The model '${modelName}' names no known provider`;
    throw new UserError(
      `${asked}: write 'prefix/model' with one of the prefixes ${this.#known()}, or give MultiProvider a default.`,
    );
  }

  /** The same names leading to other providers: to what `change` makes of each. */
  map(change: (provider: ModelProvider) => ModelProvider): MultiProvider {
    const providers = [...this.#providers].map(([prefix, provider]) => [prefix, change(provider)] as const);
    const models = Object.fromEntries(this.#models);
    return new MultiProvider(Object.fromEntries(providers), { default: this.#default, models });
  }

  /** The same model each time, as providers give it. */
  #fromTable(name: string): Model {
    const known = this.#made.get(name);
    if (known) return known;
    const entry = this.#models.get(name);
    const made = isFields(entry)
      ? fallback(
          ...entry.fallback.map((each) =>
            typeof each === 'string' ? this.getModel(each) : { model: this.getModel(each.model), on: each.on },
          ),
        )
      : this.getModel(entry);
    this.#made.set(name, made);
    return made;
  }

  /** A table that is wrong is found when it is given, not when a model is asked for. */
  #check(name: string, seen: readonly string[] = []): void {
    const field = `MultiProvider options.models['${name}']`;
    if (this.#providers.has(name)) throw new UserError(`${field}: a provider has this name; call the model otherwise.`);
    if (seen.includes(name)) throw new UserError(`${field}: it stands for itself; name a model of a provider.`);
    for (const target of targetsOf(this.#models.get(name), field)) {
      if (this.#models.has(target)) this.#check(target, [...seen, name]);
      else if (!this.#providers.has(target.split('/')[0] ?? '') && !this.#providers.has(this.#default ?? ''))
        throw new UserError(`${field}: '${target}' names no known provider; known are ${this.#known()}.`);
    }
  }

  #known(): string {
    return [...this.#providers.keys()].map((prefix) => `'${prefix}'`).join(', ');
  }
}

/** The models that an entry of the table names. */
function targetsOf(entry: unknown, field: string): readonly string[] {
  if (typeof entry === 'string') return [entry];
  const list = isFields(entry) ? entry['fallback'] : undefined;
  if (!Array.isArray(list) || list.length === 0) throw misfit(field, "a model's name, or { fallback: [names] }", entry);
  return list.map((each: unknown, index) => {
    const target = isFields(each) ? each['model'] : each;
    if (typeof target === 'string') return target;
    throw misfit(`${field}.fallback[${index}]`, "a model's name, or { model, on }", each);
  });
}
