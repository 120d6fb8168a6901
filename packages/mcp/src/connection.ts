import {
  SdkHttpError,
  SseError,
  StreamableHTTPClientTransport,
  type Client,
  type Transport,
} from '@modelcontextprotocol/client';
import { clientFor, type ClientSetup } from './client.ts';
import { bounded, longestDelay } from './deadline.ts';
import { isLost, McpError, type ErrorWords } from './errors.ts';
import type { McpTransport } from './options.ts';
import { openTransport } from './transports.ts';

/** What all connections to one server have in common. */
export type ConnectionSetup = ClientSetup & {
  readonly transport: McpTransport;
  readonly words: ErrorWords;
  readonly connectMs: number | null;
  readonly closeMs: number;
};

/** One connection to a server, from its start until its process or session has ended. It is opened once. */
export class Connection {
  readonly client: Client;
  readonly #setup: ConnectionSetup;
  readonly #onEnded: () => void;
  /** Settles when the transport has ended, which for a process is when it is gone: the client's own close does not wait for that. */
  readonly #gone: Promise<void>;
  #isGone = (): void => undefined;
  #transport: Transport | undefined;
  #started = false;
  #lost = false;
  #users = 0;
  #closing: Promise<void> | undefined;

  constructor(setup: ConnectionSetup, onEnded: () => void) {
    this.#setup = setup;
    this.#onEnded = onEnded;
    this.client = clientFor(setup);
    this.client.onerror = (error) => {
      // After an error of its stream, that transport goes on in a session which the server has not begun.
      if (error instanceof SseError) void this.close();
      setup.onToolsChanged();
    };
    this.#gone = new Promise((resolve) => {
      this.#isGone = resolve;
    });
  }

  /** False when new requests need a new connection. */
  get usable(): boolean {
    return !this.#lost;
  }

  /** Connects, under its deadline. When that fails, what was started is ended. */
  async open(signal: AbortSignal): Promise<void> {
    const { connectMs, words } = this.#setup;
    let said: (() => string) | undefined;
    try {
      const expired = () => words.error('timeout', `did not get ready within ${connectMs} ms`);
      await bounded({ ms: connectMs, signal, expired }, async (inner) => {
        const opened = await openTransport(this.#setup.transport);
        said = opened.said;
        await this.#begin(opened.transport, inner);
      });
    } catch (error) {
      const ended = this.close();
      if (signal.aborted) throw error;
      // A dying program has said why only when it has ended; one that is too slow is not waited for.
      if (said && !(error instanceof McpError)) await ended;
      throw words.notReady(error, said?.() ?? '');
    }
  }

  /** Makes a request. A connection that proves to be lost takes no new ones, and ends with the last that it has. */
  async use<T>(request: (client: Client) => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await request(this.client);
    } catch (error) {
      this.#lost ||= isLost(error) || this.#isUnknown(error);
      throw error;
    } finally {
      this.#users -= 1;
      this.#endIfLost();
    }
  }

  /** True for the answer of a server that has forgotten the session, and so has done nothing (MCP, Streamable HTTP, "Session Management"). */
  isForgotten(error: unknown): boolean {
    return error instanceof SdkHttpError && error.status === 404 && this.#transport?.sessionId !== undefined;
  }

  /** Ends the connection; settles when its process is gone, or the time for that is over. Never rejects. */
  close(): Promise<void> {
    this.#lost = true;
    // Begun a tick later: the transport tells of its end before its own close has returned.
    return (this.#closing ??= Promise.resolve()
      .then(() => this.#end())
      .then(this.#onEnded, this.#onEnded));
  }

  async #begin(transport: Transport, signal: AbortSignal): Promise<void> {
    this.#transport = transport;
    transport.onclose = () => {
      this.#lost = true;
      this.#isGone();
      this.#endIfLost();
    };
    if (signal.aborted) await transport.close();
    signal.throwIfAborted();
    this.#started = true;
    await this.client.connect(transport, { signal, timeout: longestDelay });
  }

  #endIfLost(): void {
    if (this.#lost && this.#users === 0) void this.close();
  }

  /** Servers that know no sessions of another process say so with 400 as well; whether they did something is then not known. */
  #isUnknown(error: unknown): boolean {
    return this.isForgotten(error) || (error instanceof SdkHttpError && error.status === 400);
  }

  async #end(): Promise<void> {
    const { closeMs } = this.#setup;
    const transport = this.#transport;
    if (transport === undefined) return;
    await bounded({ ms: closeMs }, async () => {
      if (transport instanceof StreamableHTTPClientTransport) {
        // A courtesy to the server: silence must not keep the rest from ending.
        await bounded({ ms: closeMs / 2 }, () => transport.terminateSession()).catch(() => undefined);
      }
      await transport.close();
      if (this.#started) await this.#gone;
    });
  }
}
