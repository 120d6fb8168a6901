import type { Mistral } from '@mistralai/mistralai';
import type { Capabilities } from '@polyrun/core';

/** Options of `mistral`; all may be left out. */
export type AdapterOptions = {
  /** The key, or a function that is asked for it at each call. Default: the environment variable `MISTRAL_API_KEY`. */
  apiKey?: string | (() => string | Promise<string>) | undefined;
  /** The endpoint, with or without `/v1` at its end. Default: `https://api.mistral.ai`. */
  baseURL?: string | undefined;
  /** Sent with every request. */
  headers?: { [name: string]: string } | undefined;
  /** Used in the place of the global `fetch`; it is given a `Request`. */
  fetch?: typeof fetch | undefined;
  /** A ready `Mistral` client; address, key and fetch are then its own. */
  client?: Mistral | undefined;
  /** The model when none is named. */
  defaultModel?: string | undefined;
  /** What the provider is called in `origin`, `provider_data` and `providerOptions`. Default: `mistral`. */
  name?: string | undefined;
  /** Facts that win over what this package knows of a model. */
  capabilities?: Capabilities | undefined;
};
