import { createMcpHandler, McpServer as Server } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import type { McpServerOptions } from '../src/index.ts';
import { connected, until } from './support/fixtures.ts';
import { httpFixture, type HttpFixture } from './support/http-fixture.ts';

const over = ({ url }: HttpFixture, options: Partial<McpServerOptions> = {}, headers?: { [name: string]: string }) =>
  connected({ name: 'web', transport: { type: 'http', url, headers }, ...options });
const echo = (text: string) => ({ name: 'echo', arguments: { text } });
const count = ({ seen }: HttpFixture, what: string) => seen.filter((each) => each.what === what).length;

describe('headers', () => {
  test('go with every request; a function is asked each time', async () => {
    const http = await httpFixture();
    let asked = 0;
    const server = connected({
      name: 'web',
      transport: {
        type: 'http',
        url: http.url,
        headers: async () => ({ Authorization: `Bearer token-${(asked += 1)}` }),
      },
    });
    await server.callTool(echo('hi'));
    await server.close();
    const sent = http.seen.map(({ headers }) => headers.authorization);
    expect(http.seen.map(({ what }) => what).sort()).toEqual([
      'DELETE',
      'GET',
      'POST initialize',
      'POST notifications/initialized',
      'POST tools/call',
    ]);
    expect(new Set(sent).size).toBe(5);
    expect(sent.every((value) => /^Bearer token-\d$/.test(String(value)))).toBe(true);
  });

  test('go to no other origin: not with a redirect, not to a server that gives out tokens', async () => {
    const [http, elsewhere] = [await httpFixture(), await httpFixture()];
    http.intercept = ({ response }) => {
      response.writeHead(307, { location: elsewhere.url }).end();
      return true;
    };
    const headers = { 'X-Key': 'canary' };
    await expect(over(http, {}, headers).connect()).rejects.toMatchObject({ kind: 'connect' });
    expect(elsewhere.seen).toEqual([]);
    http.intercept = ({ response }) => {
      response.writeHead(401).end();
      return true;
    };
    type Refused = { fetchFn: (url: string) => Promise<Response> };
    const authProvider = {
      token: async () => 'token',
      onUnauthorized: async ({ fetchFn }: Refused) => void (await fetchFn(elsewhere.url)),
    };
    const server = connected({ name: 'web', transport: { type: 'http', url: http.url, headers, authProvider } });
    await expect(server.connect()).rejects.toMatchObject({ kind: 'connect', status: 401 });
    expect(http.seen.at(-1)?.headers['x-key']).toBe('canary');
    expect(elsewhere.seen.map((each) => each.headers['x-key'])).toEqual([undefined]);
  });

  test('a source of tokens is asked, and told when its token is refused', async () => {
    const http = await httpFixture();
    http.intercept = ({ request, response }) => {
      if (request.headers.authorization === 'Bearer new') return false;
      response.writeHead(401).end();
      return true;
    };
    let token = 'old';
    const authProvider = { token: async () => token, onUnauthorized: async () => void (token = 'new') };
    const server = connected({ name: 'web', transport: { type: 'http', url: http.url, authProvider } });
    await expect(server.callTool(echo('hi'))).resolves.toMatchObject({ content: [{ text: '{"text":"hi"}' }] });
  });
});

describe('errors', () => {
  test(
    verifies('E3', 'hold no header, no part of the address that is secret, and nothing of the environment'),
    async () => {
      const http = await httpFixture();
      http.intercept = ({ request, response }) => {
        response.writeHead(401).end(`No access for ${request.headers.authorization} with ${request.url}`);
        return true;
      };
      const url = http.url.replace('http://', 'http://user:canary-pass@') + '?key=canary-query';
      const transport = { type: 'http', url, headers: { Authorization: 'Bearer canary-4711' } } as const;
      const server = connected({
        name: 'web',
        // The platform's fetch refuses addresses with a password.
        transport: { ...transport, fetch: (_, init) => fetch(http.url, init) },
      });
      const error: unknown = await server.connect().catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        name: 'McpError',
        kind: 'connect',
        status: 401,
        message: expect.stringMatching(/No access for \[redacted\]/),
      });
      const { inspect } = await import('node:util');
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary');
    },
  );

  test('of a server that is not there tell why', async () => {
    const server = connected({ name: 'web', transport: { type: 'http', url: 'http://127.0.0.1:1/mcp' } });
    await expect(server.listTools()).rejects.toMatchObject({
      kind: 'connect',
      message: expect.stringContaining('fetch failed'),
    });
  });

  test('of a call with a status have it', async () => {
    const http = await httpFixture();
    http.intercept = ({ rpc, response }) => {
      if (rpc === 'tools/call') response.writeHead(503).end('Busy');
      return rpc === 'tools/call';
    };
    await expect(over(http).callTool(echo('hi'))).rejects.toMatchObject({
      kind: 'protocol',
      status: 503,
      message: expect.stringContaining('Busy'),
    });
  });
});

describe('a session', () => {
  test('that the server has forgotten is begun anew, once for all; calls that it refused for that are made again', async () => {
    const http = await httpFixture();
    const server = over(http);
    await server.callTool(echo('first'));
    http.forget();
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => server.callTool(echo(`${index}`))));
    expect(results.map(({ content: [block] }) => block)).toEqual(
      Array.from({ length: 10 }, (_, index) => ({ type: 'text', text: `{"text":"${index}"}` })),
    );
    expect(count(http, 'POST initialize')).toBe(2);
  });

  test('that it forgets again and again is no reason to go on for ever', async () => {
    const http = await httpFixture();
    const server = over(http);
    await server.connect();
    http.intercept = ({ rpc, response }) => {
      if (rpc === 'tools/call') response.writeHead(404).end();
      return rpc === 'tools/call';
    };
    await expect(server.callTool(echo('hi'))).rejects.toMatchObject({ kind: 'protocol', status: 404 });
    expect(count(http, 'POST tools/call')).toBe(2);
  });

  test('is given up after an answer with 400, but the call is not made again', async () => {
    const http = await httpFixture();
    const server = over(http);
    await server.connect();
    let refused = 0;
    http.intercept = ({ rpc, response }) => {
      const refuse = rpc === 'tools/call' && refused++ === 0;
      if (refuse) response.writeHead(400).end('No valid session ID provided');
      return refuse;
    };
    await expect(server.callTool(echo('one'))).rejects.toMatchObject({ kind: 'protocol', status: 400 });
    await expect(server.callTool(echo('two'))).resolves.toMatchObject({ content: [{ text: '{"text":"two"}' }] });
    expect([count(http, 'POST tools/call'), count(http, 'POST initialize')]).toEqual([2, 2]);
  });

  test('is ended at the server on close, which does not wait for a server that is silent', async () => {
    const http = await httpFixture();
    const server = over(http, { timeouts: { closeMs: 200 } });
    await server.connect();
    await server.close();
    expect(count(http, 'DELETE')).toBe(1);
    await server.connect();
    http.intercept = ({ method }) => method === 'DELETE';
    await server.close();
    expect(count(http, 'DELETE')).toBe(2);
  });
});

describe('an answer that does not come to its end', () => {
  test.each([
    ['ends', (response: { end(): void }) => response.end()],
    ['breaks off', (response: { destroy(): void }) => response.destroy()],
  ])('since its stream %s is an error at once, and the call is not made again', async (_, stop) => {
    const http = await httpFixture();
    const server = over(http);
    await server.connect();
    http.intercept = ({ rpc, response }) => {
      if (rpc !== 'tools/call') return false;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': ping\n\n', () => stop(response));
      return true;
    };
    await expect(server.callTool(echo('hi'))).rejects.toMatchObject({ kind: 'closed' });
    expect(count(http, 'POST tools/call')).toBe(1);
  });

  test('since nothing is sent ends at the deadline', async () => {
    const http = await httpFixture();
    const server = over(http, { timeouts: { callMs: 100, connectMs: 100, closeMs: 100 } });
    await server.connect();
    await expect(server.callTool({ name: 'hang' })).rejects.toMatchObject({ kind: 'timeout' });
    await until(() => count(http, 'POST notifications/cancelled') === 1);
    http.intercept = () => true;
    const silent = over(http, { timeouts: { connectMs: 100, closeMs: 100 } });
    await expect(silent.connect()).rejects.toMatchObject({ kind: 'timeout' });
    let left = false;
    http.intercept = ({ response }) => {
      response.on('close', () => (left = true));
      return true;
    };
    const sse = connected({ name: 'sse', transport: { type: 'sse', url: http.url }, timeouts: { connectMs: 100 } });
    await expect(sse.connect()).rejects.toMatchObject({ kind: 'timeout' });
    await until(() => left);
  });
});

describe('the protocol of 2026-07-28', () => {
  const modern = (protocol: McpServerOptions['protocol']) => {
    const asked: string[] = [];
    const handler = createMcpHandler(
      () => {
        const server = new Server({ name: 'modern', version: '1' });
        server.registerTool('hello', {}, () => ({ content: [{ type: 'text', text: 'Hello!' }] }));
        return server;
      },
      { legacy: 'reject' },
    );
    const ask: typeof fetch = async (to, init) => {
      if (typeof init?.body === 'string') asked.push(String(JSON.parse(init.body).method));
      return await handler.fetch(new Request(to, init));
    };
    const server = connected({
      name: 'modern',
      transport: { type: 'http', url: 'http://modern.test/mcp', fetch: ask },
      protocol,
    });
    return { server, asked };
  };

  test('is spoken where it is asked for and the server knows it', async () => {
    const { server, asked } = modern('auto');
    await expect(server.callTool({ name: 'hello' })).resolves.toMatchObject({ content: [{ text: 'Hello!' }] });
    await server.listTools();
    await server.callTool({ name: 'hello' });
    const tools = server.listTools();
    expect(tools).toMatchObject([{ name: 'hello' }]);
    expect(asked.filter((method) => method !== 'subscriptions/listen')).toEqual([
      'server/discover',
      'tools/call',
      'tools/list',
      'tools/call',
    ]);
    expect((await server.describe()).protocolVersion).toBe('2026-07-28');
  });

  test('is not asked for by default; with `auto`, an older server is served all the same', async () => {
    await expect(modern(undefined).server.connect()).rejects.toMatchObject({ kind: 'connect' });
    const http = await httpFixture();
    const server = over(http, { protocol: 'auto' });
    await expect(server.callTool(echo('hi'))).resolves.toMatchObject({ content: [{ text: '{"text":"hi"}' }] });
  });
});
