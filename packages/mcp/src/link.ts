import { Connection, type ConnectionSetup } from './connection.ts';
import { Shared } from './deadline.ts';

/** The connection that all users of a server share: opened on first use, and opened anew, once for all of them, when it was lost. */
export class Link {
  readonly #setup: ConnectionSetup;
  readonly #attempt: Shared<Connection>;
  /** All that have not ended: also one that was lost and still has requests, and one that ends after a failed start. */
  readonly #connections = new Set<Connection>();
  #current: Connection | undefined;
  #closed = false;

  constructor(setup: ConnectionSetup) {
    this.#setup = setup;
    this.#attempt = new Shared((signal) => this.#open(signal));
  }

  /** Makes a closed link usable again. */
  reopen(): void {
    this.#closed = false;
  }

  async connection(signal?: AbortSignal): Promise<Connection> {
    if (this.#closed) throw this.#setup.words.error('closed', 'was closed; call connect() to use it again');
    return this.#current?.usable ? this.#current : await this.#attempt.join(signal);
  }

  /** Ends what is connected or being connected, and waits until it has ended. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#current = undefined;
    this.#attempt.abandon(this.#setup.words.error('closed', 'was closed before it was ready'));
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    // What is listed again after a loss may be the list of another version of the server.
    if (this.#current) this.#setup.onToolsChanged();
    const connection: Connection = new Connection(this.#setup, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    await connection.open(signal);
    if (signal.aborted) {
      void connection.close();
      throw signal.reason;
    }
    this.#current = connection;
    return connection;
  }
}
