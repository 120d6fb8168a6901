import { UserError, type ModelProvider } from '@polyrun/core';
import wrapAnsi from 'wrap-ansi';
import type { ChatConfig } from './define-config.ts';

type Usual = { readonly key: string; readonly make: () => Promise<ModelProvider> };

/** Providers for which a key in the environment is enough, each with a model to begin with; only those in use are loaded. */
const usual: { readonly [name: string]: Usual } = {
  anthropic: {
    key: 'ANTHROPIC_API_KEY',
    make: async () => (await import('@polyrun/anthropic')).anthropic({ defaultModel: 'claude-sonnet-4-5' }),
  },
  openai: {
    key: 'OPENAI_API_KEY',
    make: async () => (await import('@polyrun/openai-responses')).openaiResponses({ defaultModel: 'gpt-4.1-mini' }),
  },
  mistral: {
    key: 'MISTRAL_API_KEY',
    make: async () => (await import('@polyrun/mistral')).mistral({ defaultModel: 'mistral-small-latest' }),
  },
  gemini: { key: 'GEMINI_API_KEY', make: () => preset('gemini', 'gemini-flash-latest') },
  groq: { key: 'GROQ_API_KEY', make: () => preset('groq', 'llama-3.3-70b-versatile') },
  deepseek: { key: 'DEEPSEEK_API_KEY', make: () => preset('deepseek', 'deepseek-chat') },
  openrouter: { key: 'OPENROUTER_API_KEY', make: () => preset('openrouter', 'openrouter/auto') },
};

/** A config for who has none: the provider that is asked for, and every one whose key is in the environment. */
export async function configFromEnvironment(
  environment: NodeJS.ProcessEnv,
  { provider }: { provider?: string | undefined },
): Promise<ChatConfig> {
  const withKey = Object.keys(usual).filter((name) => environment[usual[name]?.key ?? '']);
  const names = [...new Set([...(provider === undefined ? [] : [provider]), ...withKey])];
  if (names.length === 0) throw new UserError(welcome);
  const made = names.map(async (name) => [name, await (usual[name]?.make() ?? preset(name))] as const);
  return { providers: Object.fromEntries(await Promise.all(made)) };
}

/** For who has neither a config nor a key. */
const welcome = [
  'There is no polyrun.config.ts here and no key in the environment. One of these is enough:',
  `  set a key           ${column(Object.values(usual).map(({ key }) => key))}`,
  '                      in the environment, or in a file .env in this folder',
  '  use a local server  chat --provider ollama --model llama3.2',
  '  write a config      chat --init',
].join('\n');

function column(words: readonly string[]): string {
  return wrapAnsi(words.join(', '), 60).replaceAll('\n', `\n${' '.repeat(22)}`);
}

/** A server on this machine needs no key, any other one a variable that the error names. */
async function preset(name: string, defaultModel?: string): Promise<ModelProvider> {
  const { chatCompletions, presetNames } = await import('@polyrun/chat-completions');
  if (presetNames.includes(name)) return chatCompletions({ name, ...(defaultModel !== undefined && { defaultModel }) });
  const known = [...new Set([...Object.keys(usual), ...presetNames])];
  throw new UserError(`--provider ${name}: there is none of this name; known are ${known.join(', ')}.`);
}
