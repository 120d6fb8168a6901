import type { Capabilities, Item, ItemCommon } from '@polyrun/core';
import type { Report } from '@polyrun/core/http';
import type { Family } from './families.ts';
import { isJsonObject, type JsonObject } from './wire.ts';

/** The name of this wire, as `origin` tells it. */
export const api = 'anthropic-messages';

/** Which model of which provider a codec is for. */
export type Destination = { readonly provider: string; readonly model: string; readonly family: Family };

/** For whom one request is encoded, and where what it cannot carry is reported. */
export type Target = Destination & { readonly capabilities: Capabilities; readonly report: Report };

/** True for an item of this provider, and for one that was written by hand. */
export function isOwn({ origin }: ItemCommon, { provider }: { readonly provider: string }): boolean {
  return !origin || (origin.provider === provider && origin.api === api);
}

/** What this provider left on an item for itself; nothing when the item came by another provider or wire. */
export function ownData(item: Item, target: { readonly provider: string }): JsonObject {
  const data = isOwn(item, target) ? item.provider_data?.[target.provider] : undefined;
  return isJsonObject(data) ? data : {};
}
