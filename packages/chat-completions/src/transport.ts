import type { Transport } from '@polyrun/core';
import { given, noDeadline, redactor, replyTransport } from '@polyrun/core/http';
import type { OpenAI } from 'openai';
import { accumulateReply } from './accumulate.ts';
import { doneMark, type Body, type Chunk, type JsonObject, type Reply } from './wire.ts';

/** One call's way to the endpoint. */
export type Connection = {
  readonly client: OpenAI;
  readonly headers: { readonly [name: string]: string | null };
  readonly query: { readonly [name: string]: string };
  /** What must not be told to anyone. */
  readonly secrets: readonly string[];
};

/** How an endpoint is called. */
export type Route = {
  readonly provider: string;
  /** What a body gets beside `stream: true`. */
  readonly streamFields: JsonObject;
  /** Finds address and key. Throws a `UserError` when one is missing, before any request. */
  readonly connect: () => Promise<Connection>;
};

/**
 * Carries bodies through the official client and reads its raw responses: the client's own reader of streams does not tell
 * whether `[DONE]` came, ends quietly on an abort, and gives up on what some servers send.
 */
export function chatTransport({ provider, streamFields, connect }: Route): Transport<Body, Reply, Chunk> {
  return replyTransport<Body, Reply>({
    provider,
    mark: doneMark,
    async connect(body) {
      const { client, headers, query, secrets } = await connect();
      const options = { body, headers, query, stream: body['stream'] === true, maxRetries: 0, timeout: noDeadline };
      return {
        facts: { provider, redact: redactor(secrets, body.messages), address: client.baseURL },
        post: (signal) => client.post('/chat/completions', { ...options, signal }).asResponse(),
      };
    },
    streamed: (body) => ({ ...body, stream: true, ...streamFields }),
    accumulate: accumulateReply,
    whole: ({ data, requestId }) => ({ completion: data, ...given({ requestId }) }),
  });
}
