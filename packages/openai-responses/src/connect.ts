import { connectorOf, environment, type Connected } from '@polyrun/core/http';
import { OpenAI } from 'openai';
import type { AdapterOptions } from './options.ts';
import { serverNamed } from './servers.ts';

/** One call's way to the server. */
export type Connection = Connected<OpenAI>;

/** Finds address and key of a server when a call is made; `server` is the name under which it is known here. */
export function connector(options: AdapterOptions, server: string): () => Promise<Connection> {
  const { url = '', urls = [], keys = [], open = true } = serverNamed(server) ?? {};
  return connectorOf(options, {
    provider: server,
    address: url,
    addressVariables: urls,
    // Where no key is needed, one that is there is sent all the same.
    get variables() {
      return open && environment(keys) === '' ? [] : keys;
    },
    ...(server === 'azure' && { keyHeader: 'api-key' }),
    newClient: (baseURL) => newClient(new URL(baseURL), server, options),
  });
}

/** A query in the address goes with every request. */
function newClient(url: URL, server: string, { fetch }: AdapterOptions): OpenAI {
  const defaultQuery = Object.fromEntries(url.searchParams);
  url.search = '';
  const address = url.href.replace(/\/+$/, '');
  // https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle: Responses are in the v1 API only.
  const isBare = server === 'azure' && !/\/v1(\/|$)/.test(url.pathname);
  return new OpenAI({
    baseURL: isBare ? `${address.replace(/\/openai$/, '')}/openai/v1` : address,
    defaultQuery,
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
