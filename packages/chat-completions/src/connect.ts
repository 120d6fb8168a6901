import { UserError } from '@polyrun/core';
import { environment, keyIn, stringOf } from '@polyrun/core/http';
import { OpenAI } from 'openai';
import type { AdapterOptions } from './options.ts';
import { hostOf, presets, variablesOf } from './presets.ts';
import type { Connection } from './transport.ts';

/** What a model is called by and where; `preset` is the name of one. */
type Place = { readonly provider: string; readonly model: string; readonly preset: string | undefined };
type Query = { [name: string]: string };

/**
 * Finds address and key when a call is made, from the options or the environment, so that a key may change and importing or
 * configuring asks for nothing. The client is made once per address; keys go with the request.
 */
export function connector(options: AdapterOptions, place: Place): () => Promise<Connection> {
  let made: { baseURL: string; client: OpenAI } | undefined;
  return async () => {
    const { client, headers } = options;
    if (client) return { client, headers: {}, query: {}, secrets: [stringOf(client.apiKey)] };
    const { baseURL, query } = addressOf(options, place);
    const key = await keyOf(options, place);
    if (made?.baseURL !== baseURL) made = { baseURL, client: newClient(baseURL, options) };
    return {
      client: made.client,
      headers: { ...authorization(key, place), ...headers },
      query,
      secrets: [key, ...Object.values(headers ?? {})],
    };
  };
}

function newClient(baseURL: string, { fetch }: AdapterOptions): OpenAI {
  return new OpenAI({
    baseURL,
    // The key of the moment goes with each request.
    apiKey: 'none',
    // Their variables are meant for OpenAI alone.
    organization: null,
    project: null,
    maxRetries: 0,
    // Whoever gives a browser a key has decided so.
    dangerouslyAllowBrowser: true,
    ...(fetch && { fetch }),
  });
}

/** The base URL and what its query asks for in every request. */
function addressOf(
  { baseURL }: AdapterOptions,
  { provider, model, preset = '' }: Place,
): { baseURL: string; query: Query } {
  const { urls } = variablesOf(preset);
  const address = baseURL || environment(urls) || stringOf(presets[preset]?.url);
  // What stands before a port would else pass for a scheme.
  if (!/^https?:/.test(address) || !URL.canParse(address))
    throw new UserError(
      `baseURL: ${address || 'none'} for ${provider}. Give the whole URL, such as https://…/v1, or set ${urls[0]}.`,
    );
  const url = new URL(address);
  const query = Object.fromEntries(url.searchParams);
  url.search = '';
  if (preset === 'azure') azurePath(url, { query, model });
  return { baseURL: url.href.replace(/\/+$/, ''), query };
}

/**
 * Azure's v1 API takes a bare resource address to `/openai/v1`; a dated version, which belongs to the older API, to the
 * deployment's own path: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
function azurePath(url: URL, { query, model }: { query: Query; model: string }): void {
  const version = query['api-version'] ?? environment(['OPENAI_API_VERSION', 'AZURE_API_VERSION']);
  const dated = /^\d/.test(version);
  if (!/\/(deployments|v1)(\/|$)/.test(url.pathname))
    url.pathname = `${url.pathname.replace(/\/(openai\/?)?$/, '')}/openai/${dated ? `deployments/${model}` : 'v1'}`;
  if (dated) query['api-version'] = version;
}

function keyOf({ apiKey, headers = {}, baseURL }: AdapterOptions, { provider, preset }: Place): Promise<string> {
  const needed = preset !== undefined && !hostOf(stringOf(presets[preset]?.url)).startsWith('localhost');
  const where = baseURL === undefined ? '' : ` at ${hostOf(baseURL)}`;
  return keyIn(
    // Where no key is needed, none is missing.
    { apiKey, headers: needed ? headers : { authorization: '' } },
    { provider: provider + where, variables: preset === undefined ? [] : variablesOf(preset).keys },
  );
}

function authorization(key: string, { preset }: Place): { [name: string]: string | null } {
  const azure = preset === 'azure';
  // The client's own header is taken back where there is nothing to put into it.
  return { Authorization: key === '' || azure ? null : `Bearer ${key}`, ...(azure && { 'api-key': key || null }) };
}
