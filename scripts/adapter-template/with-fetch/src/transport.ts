import type { Transport } from '@polyrun/core';
import { addressIn, answered, given, keyIn, redactor, replyTransport } from '@polyrun/core/http';
import { accumulateReply } from './accumulate.ts';
import type { AdapterOptions } from './options.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/** Replace these three by the provider's: where it lives, where bodies are posted, and how a key is shown. */
const home = 'https://api.new-wire.example/v1';
const path = '/chat';
const keyHeader = (key: string) => ({ authorization: `Bearer ${key}` });

/** Posts bodies and reads the raw responses. Deadlines and retries are the runner's. */
export function newWireTransport(options: AdapterOptions, provider: string): Transport<Body, Reply, Chunk> {
  return replyTransport<Body, Reply>({
    provider,
    async connect(body) {
      const { baseURL = home, headers = {}, fetch = globalThis.fetch } = options;
      const address = addressIn(baseURL, home);
      const key = await keyIn(options, { provider, variables: ['NEW_WIRE_API_KEY'] });
      const redact = redactor([key, ...Object.values(headers)], body);
      const facts = { provider, redact, address };
      const sent = { 'content-type': 'application/json', ...(key !== '' && keyHeader(key)), ...headers };
      const request = { method: 'POST', headers: sent, body: JSON.stringify(body) };
      return {
        facts,
        post: async (signal) => answered(await fetch(address + path, { ...request, ...given({ signal }) }), facts),
      };
    },
    // What asks for a stream on this wire.
    streamed: (body) => ({ ...body, stream: true }),
    accumulate: accumulateReply,
    whole: ({ data, requestId }) => ({ data, ...given({ requestId }) }),
  });
}
