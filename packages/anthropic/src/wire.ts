import { isFields, type Json } from '@polyrun/core';

/** A JSON object of a request or a reply. */
export type JsonObject = { readonly [field: string]: Json };

/** One block of a message, a tool, or the system prompt. */
export type Block = JsonObject & { readonly type: string };
/** One message of a request; `system` stands in the middle of a conversation. */
export type Message = JsonObject & {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: readonly Block[];
};
/** A message that still grows. */
export type Draft = { role: Message['role']; content: Block[] };
/** The body of a request, without what only streaming adds. `betas` go into a header, as the client has it too. */
export type Body = JsonObject & {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly betas?: readonly string[];
};
/** The data of one server-sent event, parsed. `whole`: a message that was not streamed. */
export type Chunk = { readonly data: unknown; readonly requestId?: string; readonly whole?: true };
/** A whole message: as it came, or as its events add up to; calls that were never ended are `open`. */
export type Reply = { readonly message: unknown; readonly requestId?: string };

/** True for a JSON object. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return isFields(value);
}

/** True for a JSON object that says of what type it is. */
export function isBlock(value: Json | undefined): value is Block {
  return isJsonObject(value) && typeof value['type'] === 'string';
}
