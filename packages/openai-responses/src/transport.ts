import { parseJson, type Transport } from '@polyrun/core';
import { given, noDeadline, pause, redactor, replyTransport } from '@polyrun/core/http';
import { accumulateReply } from './accumulate.ts';
import type { Connection } from './connect.ts';
import { isUnderWay } from './decode.ts';
import type { Destination } from './target.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/** How a server is called. */
export type Route = {
  readonly destination: Destination;
  /** What stands behind the base URL. */
  readonly path: string;
  /** Finds address and key. Throws a `UserError` when one is missing, before any request. */
  readonly connect: () => Promise<Connection>;
};

/** How long to wait before a response in the background is looked after again: at first, and at most. */
const pollMs = { first: 1000, most: 10_000 } as const;

/** What says of an item which one it is, and is not said by anybody. */
const names: ReadonlySet<string> = new Set(['type', 'role', 'id', 'call_id', 'status', 'name', 'encrypted_content']);

/**
 * Carries bodies through the official client and reads its raw responses: the client's own reader of streams gives up on what some
 * servers send. A body with a `response_id` is not sent: that response is waited for.
 */
export function responsesTransport({ destination, path, connect }: Route): Transport<Body, Reply, Chunk> {
  const { provider } = destination;
  return replyTransport<Body, Reply>({
    provider,
    // Some servers close a stream with it; the terminal event has said it all by then.
    mark: '[DONE]',
    async connect(body) {
      const { client, headers, secrets } = await connect();
      const { response_id: id, include } = body;
      const options = { headers, maxRetries: 0, timeout: noDeadline };
      const posted = { ...options, body, stream: body['stream'] === true };
      const looked = { ...options, query: given({ include }) };
      return {
        facts: {
          provider,
          redact: redactor(secrets, [body['input'], body['instructions']], names),
          address: client.baseURL,
        },
        post: (signal) =>
          id === undefined
            ? client.post(path, { ...posted, signal }).asResponse()
            : whenDone(() => client.get(`${path}/${id}`, { ...looked, signal }).asResponse(), signal),
      };
    },
    streamed: (body) => (body.response_id === undefined ? { ...body, stream: true } : body),
    accumulate: () => accumulateReply(destination),
    whole: ({ data, requestId }) => ({ response: data, ...given({ requestId }) }),
  });
}

/** The first answer that is no longer under way. */
async function whenDone(look: () => Promise<Response>, signal: AbortSignal | undefined): Promise<Response> {
  for (let wait: number = pollMs.first; ; wait = Math.min(2 * wait, pollMs.most)) {
    const response = await look();
    if (!isUnderWay(parseJson(await response.clone().text()))) return response;
    await pause(wait, signal);
  }
}
