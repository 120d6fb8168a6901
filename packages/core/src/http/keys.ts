import { UserError } from '../errors.ts';
import { stringOf } from './fields.ts';
import { environment } from './replies.ts';

/** What options may say of the key. */
export type KeyOptions = {
  readonly apiKey?: string | (() => string | Promise<string>) | undefined;
  readonly headers?: { readonly [name: string]: string } | undefined;
};

/** What options may say of the way in. A ready `client` has address and key of its own. */
export type Access<Client> = KeyOptions & {
  readonly baseURL?: string | undefined;
  readonly client?: Client | undefined;
};

/** One call's way to an endpoint. `secrets` must not be told to anyone. */
export type Connected<Client> = {
  readonly client: Client;
  readonly headers: { readonly [name: string]: string | null };
  readonly secrets: readonly string[];
};

/** Where vendors' clients keep their keys. */
const ownKeys = ['apiKey', 'authToken'] as const;

/** Where a provider's endpoint is and which environment variables may say otherwise; `newClient` makes its client, once for each address. */
export type Endpoint<Client> = {
  readonly provider: string;
  readonly address: string;
  readonly addressVariables: readonly string[];
  readonly variables: readonly string[];
  /** The header that carries the key. Default: `Authorization`, as a bearer. */
  readonly keyHeader?: string;
  newClient(baseURL: string): Client;
};

/**
 * Finds address and key when a call is made, from the options or the environment, so that a key may change and importing or configuring
 * asks for nothing; keys go with the request. Throws a `UserError` that names option and variable for what is missing.
 */
export function connectorOf<Client extends object>(
  options: Access<Client>,
  endpoint: Endpoint<Client>,
): () => Promise<Connected<Client>> {
  let made: { baseURL: string; client: Client } | undefined;
  return async () => {
    const { client, headers = {} } = options;
    if (client) return { client, headers: {}, secrets: ownKeys.map((name) => stringOf(Reflect.get(client, name))) };
    const baseURL = addressIn(
      options.baseURL || environment(endpoint.addressVariables) || endpoint.address,
      endpoint.address,
    );
    const key = await keyIn(options, endpoint);
    if (made?.baseURL !== baseURL) made = { baseURL, client: endpoint.newClient(baseURL) };
    return {
      client: made.client,
      // The client's own header is taken back where there is nothing to put into it.
      headers: { Authorization: key === '' ? null : `Bearer ${key}`, ...inHeader(key, endpoint.keyHeader), ...headers },
      secrets: [key, ...Object.values(headers)],
    };
  };
}

function inHeader(key: string, name: string | undefined): { readonly [header: string]: string | null } {
  return name === undefined ? {} : { Authorization: null, [name]: key || null };
}

/**
 * The key of the moment: the option, what its function answers, or the first of these environment variables that is set; `''` where a
 * header authorizes, or without any variables. Throws a `UserError` that names option and variable when there is none.
 */
export async function keyIn(
  { apiKey, headers = {} }: KeyOptions,
  { provider, variables }: { readonly provider: string; readonly variables: readonly string[] },
): Promise<string> {
  const key = (typeof apiKey === 'function' ? await apiKey() : apiKey) || environment(variables);
  const authorized = Object.keys(headers).some((name) => /^(authorization|(x-)?api-key)$/i.test(name));
  if (key !== '' || authorized || variables.length === 0) return key;
  throw new UserError(`No API key for ${provider}: set ${variables[0]}, or give the option apiKey.`);
}

/** Host and port of a URL; `''` when it is none. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '';
}

/** An address without the slashes at its end. Throws a `UserError` for what is no URL. */
export function addressIn(address: string, example: string): string {
  // What stands before a port would else pass for a scheme.
  if (/^https?:/.test(address) && URL.canParse(address)) return address.replace(/\/+$/, '');
  throw new UserError(`baseURL: ${address || 'none'}. Give the whole URL, such as ${example}.`);
}
