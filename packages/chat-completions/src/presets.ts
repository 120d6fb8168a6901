/** Where a provider's endpoint is, as data. */
export type Preset = {
  /** `''` for providers whose address is the customer's own. */
  readonly url: string;
  /** What the provider's environment variables begin with; default: its name in capitals. */
  readonly env?: readonly string[];
};

/** The known providers, each with the page that documents its endpoint. Servers on this machine need no key. */
export const presets: { readonly [name: string]: Preset } = {
  /** https://platform.openai.com/docs/api-reference/chat */
  openai: { url: 'https://api.openai.com/v1' },
  /** https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle */
  azure: { url: '', env: ['AZURE_OPENAI', 'AZURE'] },
  /** https://docs.mistral.ai/api */
  mistral: { url: 'https://api.mistral.ai/v1' },
  /** https://console.groq.com/docs/openai */
  groq: { url: 'https://api.groq.com/openai/v1' },
  /** https://api-docs.deepseek.com */
  deepseek: { url: 'https://api.deepseek.com' },
  /** https://docs.together.ai/docs/inference/openai-compatibility */
  together: { url: 'https://api.together.ai/v1', env: ['TOGETHER', 'TOGETHERAI'] },
  /** https://docs.fireworks.ai/tools-sdks/openai-compatibility */
  fireworks: { url: 'https://api.fireworks.ai/inference/v1', env: ['FIREWORKS', 'FIREWORKS_AI'] },
  /** https://openrouter.ai/docs/quickstart */
  openrouter: { url: 'https://openrouter.ai/api/v1' },
  /** https://docs.x.ai/docs/api-reference */
  xai: { url: 'https://api.x.ai/v1' },
  /** https://inference-docs.cerebras.ai/resources/openai */
  cerebras: { url: 'https://api.cerebras.ai/v1' },
  /** https://docs.perplexity.ai/guides/chat-completions-guide */
  perplexity: { url: 'https://api.perplexity.ai', env: ['PERPLEXITY', 'PERPLEXITYAI'] },
  /** https://platform.kimi.ai/docs/overview */
  moonshot: { url: 'https://api.moonshot.ai/v1' },
  /** https://docs.z.ai/guides/develop/openai/python */
  zai: { url: 'https://api.z.ai/api/paas/v4' },
  /** https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope */
  alibaba: { url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1', env: ['DASHSCOPE'] },
  /** https://huggingface.co/docs/inference-providers */
  huggingface: { url: 'https://router.huggingface.co/v1', env: ['HF', 'HUGGINGFACE'] },
  /** https://docs.api.nvidia.com/nim/reference/llm-apis */
  nvidia: { url: 'https://integrate.api.nvidia.com/v1', env: ['NVIDIA', 'NVIDIA_NIM'] },
  /** https://ai.google.dev/gemini-api/docs/openai */
  gemini: { url: 'https://generativelanguage.googleapis.com/v1beta/openai', env: ['GEMINI', 'GOOGLE'] },
  /** https://docs.sambanova.ai/docs/en/features/openai-compatibility */
  sambanova: { url: 'https://api.sambanova.ai/v1' },
  /** https://docs.ollama.com/api/openai-compatibility */
  ollama: { url: 'http://localhost:11434/v1' },
  /** https://lmstudio.ai/docs/developer/openai-compat */
  lmstudio: { url: 'http://localhost:1234/v1', env: ['LM_STUDIO'] },
  /** https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html */
  vllm: { url: 'http://localhost:8000/v1', env: ['VLLM', 'HOSTED_VLLM'] },
  /** https://docs.litellm.ai/docs/providers/litellm_proxy */
  litellm_proxy: { url: 'http://localhost:4000' },
};

/** Other spellings of a preset's name, LiteLLM's above all. */
const aliases: { readonly [name: string]: string } = {
  together_ai: 'together',
  fireworks_ai: 'fireworks',
  moonshotai: 'moonshot',
  dashscope: 'alibaba',
  google: 'gemini',
  nvidia_nim: 'nvidia',
  hosted_vllm: 'vllm',
  lm_studio: 'lmstudio',
  litellm: 'litellm_proxy',
};

/** The canonical name of the preset that goes by this name; `undefined` when there is none. */
export function presetName(name: string): string | undefined {
  const canonical = (Object.hasOwn(aliases, name) && aliases[name]) || name;
  return Object.hasOwn(presets, canonical) ? canonical : undefined;
}

/** What may stand before the slash of a model's name. */
export const presetNames: readonly string[] = Object.keys(presets);

/** The preset whose endpoint this URL belongs to. */
export function presetOfURL(url: string): string | undefined {
  const host = hostOf(url);
  if (host.endsWith('.azure.com')) return 'azure';
  return Object.keys(presets).find((name) => host !== '' && hostOf(presets[name]?.url ?? '') === host);
}

/** The host of a URL with its port; `''` when it is no URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '';
}

/** The environment variables that may hold a preset's key or another address for it, in the order in which they are tried. */
export function variablesOf(name: string): { keys: string[]; urls: string[] } {
  const prefixes = presets[name]?.env ?? [name.toUpperCase()];
  const variables = (endings: readonly string[]) =>
    prefixes.flatMap((prefix) => endings.map((ending) => prefix + ending));
  return { keys: variables(['_API_KEY', '_TOKEN']), urls: variables(['_BASE_URL', '_API_BASE', '_ENDPOINT']) };
}
