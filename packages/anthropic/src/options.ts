import type { Anthropic } from '@anthropic-ai/sdk';
import type { Capabilities } from '@polyrun/core';

/** Options of `anthropic`; all may be left out. */
export type AdapterOptions = {
  /** The key, or a function that is asked for it at each call. Default: `ANTHROPIC_API_KEY`, else `ANTHROPIC_AUTH_TOKEN`. */
  apiKey?: string | (() => string | Promise<string>);
  /** The endpoint, without `/v1`. Default: `ANTHROPIC_BASE_URL`, else Anthropic's own. */
  baseURL?: string;
  /** Sent with every request. */
  headers?: { [name: string]: string };
  /** Used in the place of the global `fetch`. */
  fetch?: typeof fetch;
  /** A ready `Anthropic` client; address, key, headers and fetch are then its own. */
  client?: Anthropic;
  /** The model when none is named. */
  defaultModel?: string;
  /** What the provider is called in `origin`, `provider_data` and `providerOptions`. Default: `anthropic`. */
  name?: string;
  /** Facts that win over what this package knows of a model. */
  capabilities?: Capabilities;
};
