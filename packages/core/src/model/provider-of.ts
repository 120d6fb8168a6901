import { UserError } from '../errors.ts';
import { toJson } from '../protocol/json.ts';
import type { Model, ModelProvider } from './model.ts';

/** What the options of every adapter have in common, as far as a provider is made of them. */
export type ProviderOptions = {
  readonly name?: string | undefined;
  readonly defaultModel?: string | undefined;
  readonly apiKey?: unknown;
  readonly client?: unknown;
  readonly fetch?: unknown;
};

/**
 * The provider of an adapter: each model is made once, and `reference` tells how another thread rebuilds it, where no option is a thing of
 * this process. `module` and `export` are the adapter's own, `example` a model of its.
 */
export function providerOf(
  options: ProviderOptions,
  about: { name: string; module: string; export: string; example: string; modelOf: (name: string) => Model },
): ModelProvider {
  const models = new Map<string, Model>();
  const { apiKey, client, fetch, defaultModel, name = about.name } = options;
  const stays = client ?? fetch ?? typeof apiKey === 'function';
  const { module, export: from } = about;
  const reference = stays ? undefined : { module, export: from, options: toJson(options) };
  const made = (modelName: string) => {
    const model = about.modelOf(modelName);
    // Not enumerable: who prints a model is not to see a key.
    return reference ? Object.defineProperty(model, 'reference', { value: { ...reference, modelName } }) : model;
  };
  return {
    name,
    getModel(modelName = defaultModel) {
      if (modelName === undefined)
        throw new UserError(
          `model: none was named. Name one, such as '${about.example}', or give the option defaultModel.`,
        );
      const model = models.get(modelName) ?? made(modelName);
      models.set(modelName, model);
      return model;
    },
    ...(reference && { reference }),
  };
}
