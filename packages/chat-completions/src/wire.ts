import type { Json } from '@polyrun/core';

/** A JSON object of a request. */
export type JsonObject = { readonly [field: string]: Json };

/** One message of a request, as Chat Completions spells it. */
export type ChatMessage = JsonObject & { readonly role: string; readonly content: Json };
/** The body of a request, without what only streaming adds. */
export type Body = JsonObject & { readonly model: string; readonly messages: readonly ChatMessage[] };
/** The data of one server-sent event, parsed; `'[DONE]'` for the mark that closes a stream. `whole`: a completion that was not streamed. */
export type Chunk = { readonly data: unknown; readonly requestId?: string; readonly whole?: true };
/** A whole completion: as it came, or as its chunks add up to. */
export type Reply = { readonly completion: unknown; readonly requestId?: string };

/** The mark that closes a stream of chunks. */
export const doneMark = '[DONE]';
