import { UserError } from '../errors.ts';
import type { Model, ModelProvider } from './model.ts';

/**
 * Routes `"mistral/mistral-small-latest"` to the provider under the prefix `mistral`, and `"mistral"` to that provider's default model;
 * names without a known prefix go to the default provider.
 */
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
    const [prefix = '', ...rest] = modelName?.split('/') ?? [];
    const named = this.#providers.get(prefix);
    if (named) return named.getModel(rest.length === 0 ? undefined : rest.join('/'));
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
