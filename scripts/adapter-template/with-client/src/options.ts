import type { Capabilities } from '@polyrun/core';

/** Options of `newWire`; all may be left out. */
export type AdapterOptions = {
  /** The key, or a function that is asked for it at each call. Default: the environment variable `NEW_WIRE_API_KEY`. */
  apiKey?: string | (() => string | Promise<string>) | undefined;
  /** The endpoint. */
  baseURL?: string | undefined;
  /** Sent with every request. */
  headers?: { [name: string]: string } | undefined;
  /** A ready client of the vendor's; address and key are then its own. Give it the type of the client. */
  client?: object | undefined;
  /** The model when none is named. */
  defaultModel?: string | undefined;
  /** What the provider is called in `origin`, `provider_data` and `providerOptions`. Default: `new-wire`. */
  name?: string | undefined;
  /** Facts that win over what this package knows of a model. */
  capabilities?: Capabilities | undefined;
};
