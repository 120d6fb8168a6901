import type { Capabilities } from '@polyrun/core';
import type { Dialect } from './dialects.ts';

/** The name of this wire, as `origin` tells it. */
export const api = 'openai-responses';

/** Which model of which provider a codec is for. */
export type Destination = {
  readonly provider: string;
  readonly model: string;
  readonly dialect: Dialect;
  readonly capabilities: Capabilities;
};
