import { defineModel, providerOf, type Codec, type Model, type ModelProvider } from '@polyrun/core';
import { accumulateReply } from './accumulate.ts';
import { connector } from './connect.ts';
import { decodeReply } from './decode.ts';
import { requestEncoder } from './encode.ts';
import { capabilitiesOf, familyOf } from './families.ts';
import { hostedTypes } from './tools.ts';
import type { AdapterOptions } from './options.ts';
import { api, type Destination } from './target.ts';
import { mistralTransport } from './transport.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/** Models of Mistral's chat completions, by the names that https://docs.mistral.ai/models gives them. The key is read when a call is made. */
export function mistral(options: AdapterOptions = {}): ModelProvider {
  const provider = options.name ?? 'mistral';
  return providerOf(options, {
    name: 'mistral',
    module: '@polyrun/mistral',
    export: 'mistral',
    example: 'mistral-small-latest',
    modelOf: (model) => modelOf({ provider, model, family: familyOf(model) }, options),
  });
}

function modelOf(destination: Destination, options: AdapterOptions): Model {
  const { provider, model: name } = destination;
  const capabilities = capabilitiesOf(name, hostedTypes, options.capabilities);
  const codec: Codec<Body, Reply, Chunk> = {
    encode: requestEncoder(destination, capabilities),
    decode: (reply) => decodeReply(reply, destination),
    accumulate: () => accumulateReply(provider),
  };
  const transport = mistralTransport({ provider, connect: connector(options, provider) });
  return defineModel({ provider, api, name, capabilities }, codec, transport);
}
