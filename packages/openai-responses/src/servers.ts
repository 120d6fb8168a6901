import { hostOf } from '@polyrun/core/http';

/** Where a server is, and which environment variables name its key and another address. */
export type Server = {
  readonly url?: string;
  readonly keys: readonly string[];
  readonly urls: readonly string[];
  /** What addresses of it look like, where there are several. */
  readonly at?: RegExp;
  /** True for servers that ask for no key. */
  readonly open: boolean;
};

/** A server whose variables all begin alike. */
function named(url: string, prefix: string, open = false): Server {
  return { url, open, keys: [`${prefix}_API_KEY`], urls: [`${prefix}_BASE_URL`] };
}

const servers: { readonly [name: string]: Server } = {
  /** https://platform.openai.com/docs/api-reference/responses */
  openai: named('https://api.openai.com/v1', 'OPENAI'),
  /** https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses */
  azure: {
    keys: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
    urls: ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_BASE_URL'],
    at: /\.(openai|cognitiveservices|services\.ai)\.azure\.com$/,
    open: false,
  },
  /** https://docs.x.ai/docs/api-reference */
  xai: named('https://api.x.ai/v1', 'XAI'),
  /** https://openrouter.ai/docs/api-reference/responses-api/overview */
  openrouter: named('https://openrouter.ai/api/v1', 'OPENROUTER'),
  /** https://api-docs.deepseek.com */
  deepseek: named('https://api.deepseek.com/v1', 'DEEPSEEK'),
  /** https://console.groq.com/docs/responses-api */
  groq: named('https://api.groq.com/openai/v1', 'GROQ'),
  /** https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses.html */
  'bedrock-mantle': {
    keys: ['AWS_BEARER_TOKEN_BEDROCK'],
    urls: ['BEDROCK_MANTLE_BASE_URL'],
    at: /^bedrock-mantle\./,
    open: false,
  },
  /** https://lmstudio.ai/docs/developer/openai-compat/responses */
  lmstudio: named('http://localhost:1234/v1', 'LM_STUDIO', true),
  /** https://docs.ollama.com/api/openai-compatibility */
  ollama: named('http://localhost:11434/v1', 'OLLAMA', true),
  /** https://docs.vllm.ai/en/latest/serving/openai_compatible_server */
  vllm: named('http://localhost:8000/v1', 'VLLM', true),
};

/** What is known of the server of that name. */
export function serverNamed(name: string): Server | undefined {
  return Object.hasOwn(servers, name) ? servers[name] : undefined;
}

/** The name of the server at an address; `undefined` when it is none of the known ones. */
export function serverAt(url: string): string | undefined {
  const host = hostOf(url);
  return Object.entries(servers).find(
    ([, { url: own = '', at }]) => host !== '' && (hostOf(own) === host || at?.test(host)),
  )?.[0];
}
