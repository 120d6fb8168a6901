import { defineModel, providerOf, type Codec, type Model, type ModelProvider } from '@polyrun/core';
import { hostOf } from '@polyrun/core/http';
import { accumulateReply } from './accumulate.ts';
import { capabilitiesOf } from './capabilities.ts';
import { connector } from './connect.ts';
import { decodeReply } from './decode.ts';
import { dialectOf } from './dialects.ts';
import { encoder } from './encode.ts';
import type { AdapterOptions } from './options.ts';
import { serverAt } from './servers.ts';
import { api, type Destination } from './target.ts';
import { responsesTransport } from './transport.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/**
 * Models of OpenAI's Responses API, or of any server that speaks it (`baseURL`, or `name` for a known one). Names of models are
 * sent as they are. Keys are read when a call is made; nothing is kept on the server unless that is asked for.
 */
export function openaiResponses(options: AdapterOptions = {}): ModelProvider {
  return providerOf(options, {
    name: api,
    module: '@polyrun/openai-responses',
    export: 'openaiResponses',
    example: 'gpt-5.6',
    modelOf: (model) => modelOf(model, options),
  });
}

function modelOf(model: string, options: AdapterOptions): Model {
  const destination = destinationOf(model, options);
  const { provider, capabilities } = destination;
  const connect = connector(options, serverOf(options));
  return defineModel(
    { provider, api, name: model, capabilities },
    codec(destination),
    responsesTransport({ destination, path: '/responses', connect }),
  );
}

/** Which model of which server a name means. */
export function destinationOf(model: string, options: AdapterOptions): Destination {
  const provider = nameOf(options);
  const known = serverOf(options);
  const capabilities = capabilitiesOf(known, model, options.capabilities);
  return { provider, model, dialect: dialectOf(known, model), capabilities };
}

/** The server by the name under which it is known here: whatever its own name, its address tells. */
export function serverOf(options: AdapterOptions): string {
  return serverAt(options.baseURL ?? options.client?.baseURL ?? '') ?? nameOf(options);
}

/** What the server is called in `origin`, `provider_data` and `providerOptions`. */
export function nameOf({ name, baseURL, client }: AdapterOptions): string {
  const url = baseURL ?? client?.baseURL ?? '';
  return name ?? (url === '' ? 'openai' : (serverAt(url) ?? (hostOf(url) || api)));
}

export function codec(destination: Destination): Codec<Body, Reply, Chunk> {
  return {
    encode: encoder(destination),
    decode: (reply) => decodeReply(reply, destination),
    accumulate: () => accumulateReply(destination),
  };
}
