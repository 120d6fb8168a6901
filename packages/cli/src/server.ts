import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { html } from './page/html.ts';
import { readTraces } from './trace-file.ts';

export type TraceServer = { readonly url: string; close(): Promise<void> };

/** Serves a page that shows the traces of a file, to this machine only. The file is read anew whenever the page is loaded. */
export async function serveTraces(file: string, { port = 0 }: { port?: number } = {}): Promise<TraceServer> {
  readTraces(await readFile(file, 'utf8'));
  const answers: { readonly [path: string]: () => Promise<{ type: string; body: string | Uint8Array }> } = {
    '/': () => Promise.resolve({ type: 'text/html; charset=utf-8', body: html }),
    '/viewer.js': async () => ({
      type: 'text/javascript; charset=utf-8',
      body: await readFile(new URL('page/viewer.js', import.meta.url)),
    }),
    '/traces.json': async () => ({
      type: 'application/json',
      body: JSON.stringify(readTraces(await readFile(file, 'utf8'))),
    }),
  };
  const server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://localhost').pathname];
    if (answer === undefined) respond(response, 404, { type: 'text/plain', body: 'There is no such page.' });
    else
      answer().then(
        (found) => respond(response, 200, found),
        (error: unknown) => respond(response, 500, { type: 'text/plain', body: String(error) }),
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const at = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${at}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function respond(
  response: ServerResponse,
  status: number,
  { type, body }: { type: string; body: string | Uint8Array },
): void {
  // A trace may hold what people said: nothing on the page may reach out, nothing may frame it.
  const policy =
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";
  response.writeHead(status, { 'content-type': type, 'content-security-policy': policy, 'cache-control': 'no-store' });
  response.end(body);
}
