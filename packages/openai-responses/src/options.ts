import type { Capabilities } from '@polyrun/core';
import type { OpenAI } from 'openai';

/** Options of `openaiResponses`; all may be left out. */
export type AdapterOptions = {
  /** The key, or a function that is asked for it at each call. Default: the environment variable of the server. */
  apiKey?: string | (() => string | Promise<string>);
  /** The server, up to what stands before `/responses`. Default: the one that `name` stands for, else OpenAI. */
  baseURL?: string;
  /** Sent with every request. */
  headers?: { [name: string]: string };
  /** Used in the place of the global `fetch`. */
  fetch?: typeof fetch;
  /** A ready `OpenAI` client; address, key, headers and fetch are then its own. */
  client?: OpenAI;
  /** The model when none is named. */
  defaultModel?: string;
  /** A known server, such as `azure` or `xai`; or what another one is to be called. */
  name?: string;
  /** Facts that win over what this package knows of a model. */
  capabilities?: Capabilities;
};
