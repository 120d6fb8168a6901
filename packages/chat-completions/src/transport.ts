import { AgentsError, parseJson, type CallContext, type Transport } from '@polyrun/core';
import {
  callError,
  type CallFacts,
  errorInReply,
  eventData,
  given,
  headerReader,
  notAReply,
  redactor,
  requestIdIn,
} from '@polyrun/core/http';
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
  connect(): Promise<Connection>;
};

/** The longest time that a timer can hold: deadlines are the runner's, the client must not have one of its own. */
const never = 2 ** 31 - 1;

/**
 * Carries bodies through the official client and reads its raw responses: the client's own reader of streams does not tell
 * whether `[DONE]` came, ends quietly on an abort, and gives up on what some servers send.
 */
export function chatTransport(route: Route): Transport<Body, Reply, Chunk> {
  const { provider, streamFields } = route;

  async function* call(body: Body, { signal }: CallContext): AsyncGenerator<Chunk> {
    const { client, headers, query, secrets } = await route.connect();
    const facts = { provider, redact: redactor(secrets, body.messages), address: client.baseURL };
    try {
      const options = { body, headers, query, signal, stream: body['stream'] === true, maxRetries: 0, timeout: never };
      yield* chunksOf(await client.post('/chat/completions', options).asResponse(), facts);
    } catch (error) {
      throw error instanceof AgentsError || signal?.aborted ? error : callError(error, facts);
    }
  }

  return {
    async send(body, context) {
      const streamed = accumulateReply();
      for await (const chunk of call(body, context)) {
        // Some gateways stream whatever is asked.
        if (!chunk.whole) streamed.add(chunk);
        else return { completion: chunk.data, ...given({ requestId: chunk.requestId }) };
      }
      return streamed.end();
    },
    open: (body, context) => call({ ...body, stream: true, ...streamFields }, context),
    toError: (error) => callError(error, { provider, redact: redactor(), requestId: undefined }),
  };
}

/** What a response holds, streamed or not. An error in the place of a completion is thrown. */
async function* chunksOf(response: Response, { provider, redact }: CallFacts): AsyncGenerator<Chunk> {
  const requestId = requestIdIn(headerReader(response.headers));
  const facts = { provider, redact, requestId };
  const type = response.headers.get('content-type') ?? 'no content type';
  if (response.body && type.includes('text/event-stream')) {
    for await (const text of eventData(response.body)) {
      const data = text === doneMark ? text : checked(text, facts);
      yield { data, ...given({ requestId }) };
      if (data === doneMark) return;
    }
    return;
  }
  yield {
    data: checked(await response.text(), facts, type),
    whole: true,
    ...given({ requestId }),
  };
  yield { data: doneMark };
}

/** The JSON of a body, of which the type is given, or of one event of a stream. */
function checked(text: string, facts: CallFacts, type?: string): unknown {
  const data = parseJson(text);
  if (data === undefined) throw notAReply(`${type ?? 'an event'} that is no JSON`, facts.requestId, type === undefined);
  const failure = errorInReply(data, facts);
  if (failure) throw failure;
  return data;
}
