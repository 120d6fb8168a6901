import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Server, type CallToolResult } from '@modelcontextprotocol/server';
import { atEnd } from './fixtures.ts';

/** How requests are answered: by the server, or by what a test puts here instead. */
type Intercept = (at: { method: string; rpc: string; request: IncomingMessage; response: ServerResponse }) => boolean;
export type HttpFixture = {
  readonly url: string;
  /** What was asked, as `POST tools/list`, with the headers that came with it. */
  readonly seen: { what: string; headers: IncomingMessage['headers'] }[];
  /** Forgets all sessions, as a server does that was started anew. */
  forget(): void;
  intercept: Intercept;
};

/** A server over streamable HTTP with sessions, in this process. */
export async function httpFixture(): Promise<HttpFixture> {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  const fixture: Omit<HttpFixture, 'url'> = { seen: [], forget: () => sessions.clear(), intercept: () => false };
  const http = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
      const method = request.method ?? '';
      const rpc = String(body?.method ?? '');
      fixture.seen.push({ what: `${method} ${rpc}`.trim(), headers: request.headers });
      if (fixture.intercept({ method, rpc, request, response })) return;
      const id = String(request.headers['mcp-session-id'] ?? '');
      const transport = rpc === 'initialize' ? await session(sessions) : sessions.get(id);
      if (transport) await transport.handleRequest(request, response, body);
      else response.writeHead(404).end('Session not found');
    })();
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  atEnd(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return Object.assign(fixture, { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp` });
}

async function session(sessions: Map<string, NodeStreamableHTTPServerTransport>) {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => void sessions.set(id, transport),
  });
  const server = new Server({ name: 'http', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }));
  server.setRequestHandler('tools/call', async ({ params }): Promise<CallToolResult> => {
    if (params.name === 'hang') await new Promise(() => undefined);
    return { content: [{ type: 'text', text: JSON.stringify(params.arguments ?? {}) }] };
  });
  await server.connect(transport);
  return transport;
}
