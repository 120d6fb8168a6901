import { defineModel, providerOf, UserError, type Codec, type Model, type ModelProvider } from '@polyrun/core';
import { accumulateReply } from './accumulate.ts';
import { capabilitiesOf } from './capabilities.ts';
import { connector } from './connect.ts';
import { decodeReply } from './decode.ts';
import { dialectOf } from './dialects.ts';
import { requestEncoder } from './encode.ts';
import type { AdapterOptions } from './options.ts';
import { hostOf, presetName, presetOfURL, presets } from './presets.ts';
import { api, type Destination } from './target.ts';
import { chatTransport } from './transport.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/**
 * Models of any OpenAI-compatible endpoint. `groq/llama-3.3-70b-versatile` finds address and key by the prefix; with `baseURL`,
 * `client` or a preset as `name`, names are sent as they are; a bare name is OpenAI's. Keys are read when a call is made.
 */
export function chatCompletions(options: AdapterOptions = {}): ModelProvider {
  return providerOf(options, {
    name: api,
    module: '@polyrun/chat-completions',
    export: 'chatCompletions',
    example: 'groq/llama-3.3-70b-versatile',
    modelOf: (name) => modelOf(name, options),
  });
}

function modelOf(name: string, options: AdapterOptions): Model {
  const { provider, model, preset } = placeOf(name, options);
  const known = preset ?? provider;
  const dialect = dialectOf(known, model);
  const capabilities = capabilitiesOf(known, model, options.capabilities);
  const streamFields = dialect.streamOptions ? { stream_options: { include_usage: true } } : {};
  const connect = connector(options, { provider, model, preset });
  return defineModel(
    { provider, api, name: model, capabilities },
    codec({ provider, model, dialect, capabilities }),
    chatTransport({ provider, streamFields, connect }),
  );
}

function codec(destination: Destination): Codec<Body, Reply, Chunk> {
  return {
    encode: requestEncoder(destination),
    decode: (reply) => decodeReply(reply, destination),
    accumulate: accumulateReply,
  };
}

/** What a name stands for; `preset` is the name of one. */
type Place = { provider: string; model: string; preset: string | undefined };

/** Which model of which provider a name means, and under which preset it is known. */
function placeOf(name: string, options: AdapterOptions): Place {
  const url = options.baseURL ?? options.client?.baseURL ?? '';
  const named = presetName(options.name ?? '');
  if (named !== undefined) return { provider: named, model: name, preset: named };
  if (url === '') return placeByPrefix(name, options.name);
  const preset = presetOfURL(url);
  return { provider: options.name ?? preset ?? (hostOf(url) || api), model: name, preset };
}

function placeByPrefix(name: string, called: string | undefined): Place {
  const slash = name.indexOf('/');
  // A bare name is OpenAI's, unless the provider was given a name that nobody knows.
  const preset = presetName(slash < 0 ? (called ?? 'openai') : name.slice(0, slash));
  if (preset !== undefined) return { provider: called ?? preset, model: name.slice(slash + 1), preset };
  throw new UserError(
    `model: '${name}' names no known provider. Put one before the slash (${Object.keys(presets).join(', ')}), ` +
      'or give the option baseURL; the whole name is then sent.',
  );
}
