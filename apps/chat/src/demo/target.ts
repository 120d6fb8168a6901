import { chatCompletions } from '@polyrun/chat-completions';
import { UserError, type ModelProvider } from '@polyrun/core';

/** Who answers: a provider and the model that it gives when none is named. */
export type Target = {
  readonly name: string;
  readonly model: string;
  readonly address?: string;
  readonly modelProvider: ModelProvider;
};

/** What the command line says about it. */
export type TargetOptions = { provider?: string; model?: string; baseUrl?: string };

/** Providers for which a key in the environment is enough, with a model to begin with. */
const usualModels: { readonly [provider: string]: string } = {
  openai: 'gpt-4.1-mini',
  mistral: 'mistral-small-latest',
  groq: 'llama-3.3-70b-versatile',
  gemini: 'gemini-flash-latest',
  deepseek: 'deepseek-chat',
  openrouter: 'openrouter/auto',
};

/** The endpoint that the options or the keys in the environment ask for; `undefined`: none. */
export function chosenTarget(options: TargetOptions, environment: NodeJS.ProcessEnv): Target | undefined {
  const { model, baseUrl } = options;
  if (model?.includes('/') && options.provider === undefined && baseUrl === undefined) return namedTarget(model);
  const withKey = (name: string) => Boolean(environment[`${name.toUpperCase()}_API_KEY`]);
  const provider = options.provider ?? Object.keys(usualModels).find(withKey);
  if (baseUrl !== undefined) return endpointTarget(baseUrl, { provider, model });
  if (provider !== undefined) return presetTarget(provider, model);
  if (model === undefined) return undefined;
  throw new UserError(`--model ${model}: whose is it? Add its provider, such as --provider ollama.`);
}

/** A known provider's model by its full name, such as `mistral/mistral-small-latest`. */
export function namedTarget(name: string): Target {
  const slash = name.indexOf('/');
  return slash < 0 ? presetTarget(name) : presetTarget(name.slice(0, slash), name.slice(slash + 1));
}

/** A provider that is played by the mock server. */
export function mockTarget(url: string, { name, model }: { name: string; model: string }): Target {
  const address = `${url}/v1`;
  const modelProvider = chatCompletions({ name, baseURL: address, apiKey: 'none', defaultModel: model });
  return { name: `${name} (mock)`, model, address, modelProvider };
}

function presetTarget(name: string, asked = usualModels[name]): Target {
  const modelProvider = chatCompletions({ defaultModel: `${name}/${asked ?? '…'}` });
  // An unknown provider is told before a missing model.
  modelProvider.getModel();
  return { name, model: required(asked, name), modelProvider };
}

type Asked = { provider: string | undefined; model: string | undefined };

function endpointTarget(baseURL: string, asked: Asked): Target {
  const name = asked.provider ?? 'endpoint';
  const model = required(asked.model ?? usualModels[name], baseURL);
  const named = asked.provider === undefined ? {} : { name };
  return { name, model, address: baseURL, modelProvider: chatCompletions({ ...named, baseURL, defaultModel: model }) };
}

function required(model: string | undefined, where: string): string {
  if (model !== undefined) return model;
  throw new UserError(`--model: none was named for ${where}. Add one that it has, such as --model llama3.2.`);
}
