import type { Capabilities } from '@polyrun/core';
import type { Report } from '@polyrun/core/http';

/** The name of this wire, as `origin` tells it. */
export const api = 'new-wire';

/** Which model under which name of its provider a codec is for. */
export type Destination = { readonly provider: string; readonly model: string; readonly capabilities: Capabilities };

/** For whom something is encoded, and where what it cannot carry is reported. */
export type Target = Destination & { readonly report: Report };
