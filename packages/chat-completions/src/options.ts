import type { Capabilities } from '@polyrun/core';
import type { OpenAI } from 'openai';

/** Options of `chatCompletions`; all may be left out. */
export type AdapterOptions = {
  /** The key, or a function that is asked for it at each call. Default: the environment variable of the preset. */
  apiKey?: string | (() => string | Promise<string>);
  /** The endpoint, for those without a preset or in its place. Model names are then sent as they are. */
  baseURL?: string;
  /** Sent with every request. */
  headers?: { [name: string]: string };
  /** Used in the place of the global `fetch`. */
  fetch?: typeof fetch;
  /** A ready `OpenAI` client; address, key, headers and fetch are then its own. */
  client?: OpenAI;
  /** The model when none is named. */
  defaultModel?: string;
  /** A preset, so that names need no prefix; or what an endpoint without one is to be called. */
  name?: string;
  /** Facts that win over what this package knows of a model. */
  capabilities?: Capabilities;
};
