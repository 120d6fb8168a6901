import type { Json } from '@polyrun/core';

/** A JSON object of a request. */
export type JsonObject = { readonly [field: string]: Json };

/** One message of a request, as Mistral spells it. */
export type WireMessage = JsonObject & { readonly role: string; readonly content: Json };
/** The body of a request, without what only streaming adds. */
export type Body = JsonObject & { readonly model: string; readonly messages: readonly WireMessage[] };
/**
 * The data of one server-sent event, parsed; `'[DONE]'` for the mark that closes a stream. `whole`: a completion that was not streamed.
 * `hosted`: the request offered tools that Mistral runs, so that a call may be followed by its own result.
 */
export type Chunk = {
  readonly data: unknown;
  readonly requestId?: string;
  readonly whole?: true;
  readonly hosted?: boolean;
};
/** A whole completion: as it came, or as its chunks add up to. */
export type Reply = { readonly completion: unknown; readonly requestId?: string };

/** The mark that closes a stream of chunks. */
export const doneMark = '[DONE]';
