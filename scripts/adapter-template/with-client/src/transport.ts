import type { Transport } from '@polyrun/core';
import { connectorOf, given, redactor, replyTransport, type Connected } from '@polyrun/core/http';
import * as vendor from 'the-client';
import { accumulateReply } from './accumulate.ts';
import type { AdapterOptions } from './options.ts';
import { todo } from './todo.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/** Replace these two: the client's class, and where the provider lives. */
type Client = object;
const home = 'https://api.new-wire.example/v1';

/**
 * Carries bodies through the official client and reads its raw responses: its own reader of streams would hide pings and cuts.
 * Deadlines and retries are the runner's; the client's are off.
 */
export function newWireTransport(options: AdapterOptions, provider: string): Transport<Body, Reply, Chunk> {
  const connect = connectorOf<Client>(options, {
    provider,
    address: home,
    addressVariables: [],
    variables: ['NEW_WIRE_API_KEY'],
    newClient,
  });
  return replyTransport<Body, Reply>({
    provider,
    async connect(body) {
      const connected = await connect();
      const facts = { provider, redact: redactor(connected.secrets, body), address: options.baseURL ?? home };
      return { facts, post: async (signal) => post(body, connected, signal) };
    },
    // What asks for a stream on this wire.
    streamed: (body) => ({ ...body, stream: true }),
    accumulate: accumulateReply,
    whole: ({ data, requestId }) => ({ data, ...given({ requestId }) }),
  });
}

/** The key of the moment goes with each request. */
function newClient(baseURL: string): Client {
  const exported = Object.keys(vendor).slice(0, 12).join(', ');
  return todo(`src/transport.ts, newClient: make a client, its retries off (the-client exports ${exported})`, baseURL);
}

/** The raw response to a body; what the client throws is named by its status and its body. */
function post(body: Body, connected: Connected<Client>, signal: AbortSignal | undefined): Promise<Response> {
  const what = 'send the body with the headers and the signal, and give the raw Response, as fetch would';
  return todo(`src/transport.ts, post: ${what}`, body, connected, signal);
}
