import { defineModel, oncePerItem, providerOf, type Codec, type Model, type ModelProvider } from '@polyrun/core';
import { accumulateReply } from './accumulate.ts';
import { decodeReply } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { capabilitiesOf, familyOf } from './families.ts';
import { pieceOf } from './items.ts';
import type { AdapterOptions } from './options.ts';
import { api, type Destination } from './target.ts';
import { messagesTransport } from './transport.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/** Claude models of Anthropic's Messages API, or of an endpoint that speaks it. The key is read when a call is made. */
export function anthropic(options: AdapterOptions = {}): ModelProvider {
  return providerOf(options, {
    name: 'anthropic',
    module: '@polyrun/anthropic',
    export: 'anthropic',
    example: 'claude-sonnet-5',
    modelOf: (model) => modelOf(model, options),
  });
}

function modelOf(model: string, options: AdapterOptions): Model {
  const provider = options.name ?? 'anthropic';
  const family = familyOf(model);
  const capabilities = capabilitiesOf(family, options.capabilities);
  return defineModel(
    { provider, api, name: model, capabilities },
    codec({ provider, model, family }, capabilities.input),
    messagesTransport(provider, options),
  );
}

function codec(destination: Destination, media: readonly string[] | undefined): Codec<Body, Reply, Chunk> {
  const pieces = oncePerItem((item) => pieceOf(item, { ...destination, media }));
  return {
    encode: (request, capabilities) => encodeRequest(request, { ...destination, capabilities, pieces }),
    decode: (reply) => decodeReply(reply, destination),
    accumulate: accumulateReply,
  };
}
