import { UserError } from '../errors.ts';
import type { Model, ModelProvider } from './model.ts';

/** Routes `"mistral/mistral-small-latest"` to the provider under the prefix `mistral`; names without a known prefix go to the default. */
export class MultiProvider implements ModelProvider {
  readonly name: string = 'multi';
  readonly #providers: ReadonlyMap<string, ModelProvider>;
  readonly #default: string | undefined;

  constructor(providers: { [prefix: string]: ModelProvider }, options: { default?: string } = {}) {
    this.#providers = new Map(Object.entries(providers));
    this.#default = options.default;
    if (options.default !== undefined && !this.#providers.has(options.default)) {
      throw new UserError(
        `MultiProvider options.default: there is no provider '${options.default}'; known are ${this.#known()}.`,
      );
    }
  }

  getModel(modelName?: string): Model {
    const slash = modelName?.indexOf('/') ?? -1;
    const named = slash > 0 ? this.#providers.get(modelName?.slice(0, slash) ?? '') : undefined;
    if (named) return named.getModel(modelName?.slice(slash + 1));
    const fallback = this.#default === undefined ? undefined : this.#providers.get(this.#default);
    if (fallback) return fallback.getModel(modelName);
    const asked = modelName === undefined ? 'No model was named' : `The model '${modelName}' names no known provider`;
    throw new UserError(
      `${asked}: write 'prefix/model' with one of the prefixes ${this.#known()}, or give MultiProvider a default.`,
    );
  }

  #known(): string {
    return [...this.#providers.keys()].map((prefix) => `'${prefix}'`).join(', ');
  }
}
