import { defineModel, toJson, UserError, type Codec, type Model, type ModelProvider } from '@polyrun/core';
import { given } from '@polyrun/core/http';
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
  const models = new Map<string, Model>();
  return {
    name: provider,
    getModel(modelName) {
      const name = modelName ?? options.defaultModel;
      if (name === undefined)
        throw new UserError(
          "model: none was named. Name one, such as 'mistral-small-latest', or give the option defaultModel.",
        );
      const model = models.get(name) ?? modelOf({ provider, model: name, family: familyOf(name) }, options);
      models.set(name, model);
      return model;
    },
    ...given({ reference: referenceTo(options) }),
  };
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

/** How another thread rebuilds the provider; nothing when an option cannot travel. */
function referenceTo(options: AdapterOptions): ModelProvider['reference'] {
  if (options.client || options.fetch || typeof options.apiKey === 'function') return undefined;
  return { module: '@polyrun/mistral', export: 'mistral', options: toJson(options) };
}
