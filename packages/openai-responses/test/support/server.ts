import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Fields = { readonly [field: string]: unknown };
export type Asked = { method: string; url: URL; headers: IncomingMessage['headers']; body: Fields };
export type Answer = { status?: number; body: unknown; events?: readonly object[] };
export type TestServer = { url: string; asked: Asked[]; close(): Promise<void> };

/** A real HTTP server on a free port of this machine. What `respond` throws is answered with 500. */
export async function serve(respond: (asked: Asked) => Answer | Promise<Answer>): Promise<TestServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => void handle(request, response));
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const text = await textOf(request);
    const { method = 'GET', headers } = request;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const call = { method, url, headers, body: (text === '' ? {} : JSON.parse(text)) as Fields };
    asked.push(call);
    try {
      write(response, await respond(call));
    } catch (error) {
      write(response, { status: 500, body: { error: { message: String(error) } } });
    }
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

function write(response: ServerResponse, { status = 200, body, events }: Answer): void {
  response.writeHead(status, { 'content-type': events ? 'text/event-stream' : 'application/json' });
  response.end(events ? events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') : JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}
