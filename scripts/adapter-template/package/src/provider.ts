import { defineModel, providerOf, type Model, type ModelProvider } from '@polyrun/core';
import { accumulateReply } from './accumulate.ts';
import { capabilitiesOf } from './capabilities.ts';
import { decodeReply } from './decode.ts';
import { requestEncoder } from './encode.ts';
import type { AdapterOptions } from './options.ts';
import { api } from './target.ts';
import { newWireTransport } from './transport.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/** Models of new-wire. The key is read when a call is made. */
export function newWire(options: AdapterOptions = {}): ModelProvider {
  const provider = options.name ?? 'new-wire';
  return providerOf(options, {
    name: provider,
    module: '@polyrun/new-wire',
    export: 'newWire',
    example: 'a-model',
    modelOf: (name) => modelOf(provider, name, options),
  });
}

function modelOf(provider: string, name: string, options: AdapterOptions): Model {
  const capabilities = capabilitiesOf(name, options.capabilities);
  const destination = { provider, model: name, capabilities };
  return defineModel<Body, Reply, Chunk>(
    { provider, api, name, capabilities },
    {
      encode: requestEncoder(destination),
      decode: (reply) => decodeReply(reply, destination),
      accumulate: accumulateReply,
    },
    newWireTransport(options, provider),
  );
}
