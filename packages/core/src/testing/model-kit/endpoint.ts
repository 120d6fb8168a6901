import { isFields, parseJson } from '../../protocol/json.ts';
import { http, type Incoming, type Outgoing, type Server } from './host.ts';

/** How a request is answered. */
export type Answer = {
  /** Default 200. */
  status?: number;
  headers?: { readonly [name: string]: string };
  /** What the body is made of; each piece is written by itself, and arrives by itself. */
  pieces?: readonly (string | Uint8Array)[];
  /** What follows the last piece. Default `end`; `reset` drops the connection, `hold` leaves it open and silent. */
  ending?: 'end' | 'reset' | 'hold';
  /** No status and no headers either, until somebody closes the connection. */
  silent?: boolean;
};

/** A request as it reached the endpoint. */
export type Received = {
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  /** The JSON of the body; `undefined` when it is none. */
  readonly body: unknown;
  readonly text: string;
  /** Resolves when the connection of the answer is closed, by whomever. */
  readonly closed: Promise<void>;
};

/** An address of its own under which every request is answered in the same way. */
export class Place {
  readonly baseURL: string;
  readonly received: Received[] = [];
  readonly answer: (request: Received) => Answer;
  readonly #waiting: ((request: Received) => void)[] = [];

  constructor(baseURL: string, answer: (request: Received) => Answer) {
    this.baseURL = baseURL;
    this.answer = answer;
  }

  /** The next request to come. */
  next(): Promise<Received> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  take(request: Received): void {
    this.received.push(request);
    for (const resolve of this.#waiting.splice(0)) resolve(request);
  }
}

/** A real HTTP server on a free port of this machine, with as many addresses as checks want. */
export class Endpoint {
  readonly #server: Server;
  readonly #origin: string;
  readonly #places: Map<string, Place>;

  private constructor(server: Server, origin: string, places: Map<string, Place>) {
    this.#server = server;
    this.#origin = origin;
    this.#places = places;
  }

  static async open(): Promise<Endpoint> {
    const places = new Map<string, Place>();
    // Whoever uses a connection again must not find it closed because it was idle.
    const options = { keepAliveTimeout: 0 };
    const server = http().createServer(options, (request, response) => void respond(places, request, response));
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const port = isFields(address) ? String(address['port']) : '';
    return new Endpoint(server, `http://127.0.0.1:${port}`, places);
  }

  /** An address where nobody listens any more. */
  static async gone(): Promise<string> {
    const endpoint = await Endpoint.open();
    await endpoint.close();
    return endpoint.#origin;
  }

  /** An address; whatever path a client adds to it is answered so. */
  serve(answer: Answer | ((request: Received) => Answer)): Place {
    const name = `p${this.#places.size + 1}`;
    const place = new Place(`${this.#origin}/${name}`, typeof answer === 'function' ? answer : () => answer);
    this.#places.set(name, place);
    return place;
  }

  /** Also drops what is still open. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function respond(places: ReadonlyMap<string, Place>, request: Incoming, response: Outgoing): Promise<void> {
  const closed = new Promise<void>((resolve) => void response.on('close', resolve));
  const path = request.url ?? '';
  const place = places.get(path.split('/')[1] ?? '');
  try {
    const text = await textOf(request);
    if (!place) throw new Error(`nothing is served at ${path}`);
    const received: Received = { path, headers: flat(request.headers), body: parseJson(text), text, closed };
    const answer = place.answer(received);
    place.take(received);
    await write(response, answer);
  } catch {
    // The client left while it was sending, or asked for what is not there: it gets no answer.
    response.destroy();
  }
}

async function write(response: Outgoing, answer: Answer): Promise<void> {
  if (answer.silent === true) return;
  response.writeHead(answer.status ?? 200, { ...answer.headers });
  response.flushHeaders();
  for (const piece of answer.pieces ?? [])
    if (piece.length > 0) await new Promise<void>((written) => void response.write(piece, written));
  if (answer.ending === 'reset') response.destroy();
  else if (answer.ending !== 'hold') response.end();
}

async function textOf(request: Incoming): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of request) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

function flat(headers: Incoming['headers']): { [name: string]: string } {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : String(value),
  ]);
  return Object.fromEntries(entries);
}
