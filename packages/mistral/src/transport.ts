import { parseJson, type CallContext, type Fields, type Transport } from '@polyrun/core';
import {
  callError,
  type CallFacts,
  fieldsOf,
  given,
  listOf,
  redactor,
  replyTransport,
  stringOf,
} from '@polyrun/core/http';
import { accumulateReply } from './accumulate.ts';
import type { Connection } from './connect.ts';
import { doneMark, type Body, type Chunk, type Reply } from './wire.ts';

/** How the endpoint is called. */
export type Route = {
  readonly provider: string;
  /** Finds client and key. Throws a `UserError` when the key is missing, before any request. */
  readonly connect: () => Promise<Connection>;
};

/** Carries bodies through the official client and reads its raw responses. */
export function mistralTransport({ provider, connect }: Route): Transport<Body, Reply, Chunk> {
  const transport = replyTransport<Body, Reply>({
    provider,
    mark: doneMark,
    async connect(body) {
      const connection = await connect();
      const redact = redactor([...connection.secrets, ...tokensIn(body)], body.messages);
      const facts = { provider, redact, address: connection.client._baseURL?.origin };
      return { facts, post: async (signal) => answered(await post(body, connection, signal), facts) };
    },
    streamed: (body) => ({ ...body, stream: true }),
    accumulate: () => accumulateReply(provider),
    whole: ({ data, requestId }) => ({ completion: data, ...given({ requestId }) }),
  });
  const open = (body: Body, call: CallContext): AsyncIterable<Chunk> => {
    const hosted = listOf(body['tools']).some(({ type }) => type !== 'function');
    return hosted ? marked(transport.open(body, call)) : transport.open(body, call);
  };
  return { ...transport, open };
}

async function* marked(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) yield { ...chunk, hosted: true };
}

const noRetries = { strategy: 'none' } as const;

/**
 * The client's methods for chat rename every field and check it against schemas, which drop what they do not know and refuse what is
 * new, in requests as in answers; so a request is made and sent by the same two steps that those methods take, and nothing is lost.
 */
async function post(body: Body, { client, headers }: Connection, signal: AbortSignal | undefined): Promise<Response> {
  const streams = body['stream'] === true;
  const context = {
    operationID: streams ? 'stream_chat' : 'chat_completion_v1_chat_completions_post',
    options: client._options,
    baseURL: client._baseURL ?? '',
    oAuth2Scopes: null,
    resolvedSecurity: null,
    retryConfig: noRetries,
  };
  const sent = new Headers(headers);
  sent.set('content-type', 'application/json');
  sent.set('accept', streams ? 'text/event-stream' : 'application/json');
  const conf = { method: 'POST', path: 'v1/chat/completions', body: JSON.stringify(body) };
  const connection = follow(signal);
  try {
    const request = client._createRequest(context, conf, { headers: sent, signal: connection.signal });
    if (!request.ok) throw request.error;
    const isErrorStatusCode = (status: number) => status >= 400;
    const plan = { context, isErrorStatusCode, retryConfig: noRetries, retryCodes: [] };
    const response = await client._do(request.value, plan);
    if (!response.ok) throw response.error;
    return held(response.value, connection);
  } catch (error) {
    connection.end();
    throw error;
  }
}

/** One connection: `signal` closes it, `end` also lets go of the signal that it follows. */
type Followed = { readonly signal: AbortSignal; readonly end: () => void };

function follow(signal: AbortSignal | undefined): Followed {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    end() {
      signal?.removeEventListener('abort', abort);
      controller.abort();
    },
  };
}

/**
 * The response with a body that holds its connection by both ends: an abort ends the body in an error, and leaving the body closes the
 * connection. By itself the client's does neither. It sends a copy of its request, and once that is garbage no abort reaches the body (a
 * fetch of a `Request` that nobody holds cannot be aborted in Node); and it may read along, which keeps a stream going that was left.
 */
function held(response: Response, { signal, end }: Followed): Response {
  const reader = response.body?.getReader();
  if (!reader) return response;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const abort = () => {
        controller.error(signal.reason);
        void reader.cancel(signal.reason).catch(() => undefined);
      };
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (signal.aborted) return;
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      end();
    },
    cancel: end,
  });
  return new Response(body, response);
}

/** The response, unless it is an error. */
async function answered(response: Response, facts: CallFacts): Promise<Response> {
  if (response.ok) return response;
  const { status, headers } = response;
  const text = await response.text();
  const body = parseJson(text) ?? text;
  throw callError({ status, headers, error: fieldsOf(body)['error'] ?? body }, facts);
}

/** The tokens that a request holds for connectors to be called with. */
function tokensIn(body: Body): readonly string[] {
  const values = (tool: Fields) => Object.values(fieldsOf(tool['authorization'])).map(stringOf);
  return listOf(body['tools']).flatMap(values);
}
