import type { Json } from '@polyrun/core';
import type { ReplyPiece } from '@polyrun/core/http';

/** A JSON object of a request or a reply. */
export type JsonObject = { readonly [field: string]: Json };

/** The body of a request, or the response to go on waiting for: `response_id`, which no body has. */
export type Body = JsonObject & { readonly response_id?: string };
/** The data of one server-sent event, parsed; `whole`: a response that was not streamed. */
export type Chunk = ReplyPiece;
/** A whole response: as it came, or as its events told it. */
export type Reply = { readonly response: unknown; readonly requestId?: string };
