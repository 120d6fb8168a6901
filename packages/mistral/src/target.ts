import type { Adaptation, Capabilities } from '@polyrun/core';
import type { Family } from './families.ts';

/** The name of this wire, as `origin` tells it. */
export const api = 'mistral';

/** Which model under which name of its provider a codec is for. */
export type Destination = { readonly provider: string; readonly model: string; readonly family: Family };

/** For whom requests are encoded, and where what they cannot carry is reported. */
export type Target = Destination & {
  readonly capabilities: Capabilities;
  readonly report: (type: Adaptation['type'], name: string, detail: string) => void;
};
