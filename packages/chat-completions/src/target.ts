import type { Adaptation, Capabilities } from '@polyrun/core';
import type { Dialect } from './dialects.ts';

/** The name of this wire, as `origin` tells it. */
export const api = 'chat-completions';

/** Which model of which provider a codec is for. */
export type Destination = {
  readonly provider: string;
  readonly model: string;
  readonly dialect: Dialect;
  readonly capabilities: Capabilities;
};

/** For whom something is encoded, and where what it cannot carry is reported. */
export type Target = Destination & {
  readonly report: (type: Adaptation['type'], name: string, detail: string) => void;
};
