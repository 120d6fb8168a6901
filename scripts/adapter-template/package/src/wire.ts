import type { Json } from '@polyrun/core';
import type { ReplyPiece } from '@polyrun/core/http';

/** A JSON object of a request. */
export type JsonObject = { readonly [field: string]: Json };

/** One message of a request, as this wire spells it. */
export type WireMessage = JsonObject;
/** The body of a request, without what only streaming adds. */
export type Body = JsonObject & { readonly model: string; readonly messages: readonly WireMessage[] };
/** One event of a stream, its data parsed. `whole`: an answer that was not streamed. */
export type Chunk = ReplyPiece;
/** A whole answer: as it came, or as its chunks add up to. */
export type Reply = { readonly data: unknown; readonly requestId?: string };
