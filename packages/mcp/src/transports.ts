import {
  isJSONRPCRequest,
  isJSONRPCResponse,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type FetchLike,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/client';
import { streamEnded } from './errors.ts';
import type { HttpOptions, McpTransport } from './options.ts';

/** A transport that is not started yet. */
export type Opened = {
  readonly transport: Transport;
  /** The last that a process wrote to its standard error. */
  readonly said?: () => string;
};

/** Makes the transport of one connection. */
export async function openTransport(options: McpTransport): Promise<Opened> {
  switch (options.type) {
    case 'stdio': {
      // Only here, so that the rest runs where there are no processes.
      const { openStdio } = await import('./stdio.ts');
      return openStdio(options);
    }
    case 'http':
      return { transport: new HttpTransport(new URL(options.url), clientOptions(options)) };
    case 'sse':
      return { transport: new SSEClientTransport(new URL(options.url), clientOptions(options)) };
    case 'custom':
      return { transport: await options.open() };
  }
}

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];

/**
 * Answers a request with an error when the stream that was to bring its answer ends without it; the official client would wait for its
 * deadline.
 */
class HttpTransport extends StreamableHTTPClientTransport {
  readonly #waiting = new Set<RequestId>();

  constructor(...options: ConstructorParameters<typeof StreamableHTTPClientTransport>) {
    super(...options);
    // The client calls what it finds here before its own.
    this.onmessage = (message) => {
      if (isJSONRPCResponse(message) && message.id !== undefined) this.#waiting.delete(message.id);
    };
  }

  override async send(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): Promise<void> {
    if (!isJSONRPCRequest(message) || options?.onRequestStreamEnd) return await super.send(message, options);
    const { id } = message;
    this.#waiting.add(id);
    const onRequestStreamEnd = () => {
      if (this.#waiting.delete(id)) this.onmessage?.({ jsonrpc: '2.0', id, error: streamEnded });
    };
    try {
      await super.send(message, { ...options, onRequestStreamEnd });
    } catch (error) {
      this.#waiting.delete(id);
      throw error;
    }
  }
}

function clientOptions({ url, headers, authProvider, fetch }: HttpOptions) {
  const own: FetchLike = headers === undefined ? (fetch ?? globalThis.fetch) : withHeaders({ url, headers, fetch });
  return authProvider === undefined ? { fetch: own } : { fetch: own, authProvider };
}

/** Adds the user's headers to requests to the server; a server of OAuth, for one, does not get them. */
function withHeaders({ url, headers, fetch = globalThis.fetch }: HttpOptions): FetchLike {
  const { origin } = new URL(url);
  return async (to, init) => {
    if (new URL(to).origin !== origin) return await fetch(to, init);
    const sent = new Headers(init?.headers);
    const given = typeof headers === 'function' ? await headers() : headers;
    for (const [name, value] of Object.entries(given ?? {})) sent.set(name, value);
    return await fetch(to, { ...init, headers: sent });
  };
}
