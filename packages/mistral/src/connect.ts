import { HTTPClient, Mistral } from '@mistralai/mistralai';
import { addressIn, environment, keyIn } from '@polyrun/core/http';
import type { AdapterOptions } from './options.ts';

/** One call's way to the endpoint. */
export type Connection = {
  readonly client: Mistral;
  /** Sent with the call, the key among them. */
  readonly headers: Headers;
  /** What must not be told to anyone. */
  readonly secrets: readonly string[];
};

const variables = ['MISTRAL_API_KEY'] as const;
const home = 'https://api.mistral.ai';

/** Finds the key when a call is made, from the options or the environment, so that it may change and importing or configuring asks for nothing. */
export function connector(options: AdapterOptions, provider: string): () => Promise<Connection> {
  let made: Mistral | undefined;
  return async () => {
    const { headers = {} } = options;
    made ??= options.client ?? newClient(options);
    const apiKey = options.client ? made._options.apiKey : options.apiKey;
    const key = isMistral(made) ? await keyIn({ apiKey, headers }, { provider, variables }) : await keyOrNone(apiKey);
    const sent = new Headers(key === '' ? {} : { Authorization: `Bearer ${key.replace(/^bearer /i, '')}` });
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    return { client: made, headers: sent, secrets: [key, ...Object.values(headers)] };
  };
}

function newClient({ baseURL = home, fetch }: AdapterOptions): Mistral {
  return new Mistral({
    // Each call says `/v1` itself.
    serverURL: addressIn(baseURL, `${home}/v1`).replace(/\/v1$/, ''),
    ...(fetch && { httpClient: new HTTPClient({ fetcher: (input, init) => fetch(input, init) }) }),
  });
}

function isMistral({ _baseURL: url }: Mistral): boolean {
  return url === null || url.hostname.endsWith('mistral.ai');
}

/** Servers of one's own may do without. */
async function keyOrNone(apiKey: AdapterOptions['apiKey']): Promise<string> {
  return (typeof apiKey === 'function' ? await apiKey() : apiKey) || environment(variables);
}
