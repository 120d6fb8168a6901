import { Agent, Runner } from '@polyrun/core';
import { ScriptedModel } from '@polyrun/core/testing';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { McpError, mcpServer } from '../src/index.ts';
import { connected, fixture, isAlive, until } from './support/fixtures.ts';

const call = (name: string, callId = 'c1', args = '{}') =>
  ({ type: 'function_call', call_id: callId, name, arguments: args }) as const;

describe('a start', () => {
  test('happens when a server is first needed, not before', async () => {
    const { server, log } = await fixture();
    expect(await log()).toEqual([]);
    await server.listTools();
    expect((await log()).map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
    ]);
  });

  test('that comes to nothing tells what the program wrote, without the secrets it was given', async () => {
    const { server } = await fixture({ kind: 'dying', env: { LICENCE_KEY: 'canary-4711' } });
    await expect(server.connect()).rejects.toMatchObject({
      name: 'McpError',
      kind: 'connect',
      server: 'fixture',
      message: "MCP server 'fixture' did not get ready: Connection closed. It wrote: No licence in [redacted].",
    });
  });

  test('of a program that is not there is an error, not a crash', async () => {
    const server = mcpServer({ name: 'x', transport: { type: 'stdio', command: '/no/such/program' } });
    await expect(server.connect()).rejects.toThrow(
      /^MCP server 'x' did not get ready: spawn \/no\/such\/program ENOENT\.$/,
    );
    await server.close();
  });

  test('of a silent server ends at its deadline, and close waits until the process is gone', async () => {
    const { server, log } = await fixture({ kind: 'silent', timeouts: { connectMs: 400 } });
    await expect(server.connect()).rejects.toMatchObject({
      kind: 'timeout',
      message: "MCP server 'fixture' did not get ready within 400 ms.",
    });
    await server.close();
    const [started] = await log();
    expect(started && isAlive(started.pid)).toBe(false);
  });

  test('that the caller aborts leaves no process behind', async () => {
    const { server, asked } = await fixture({ kind: 'silent' });
    const controller = new AbortController();
    const connecting = server.connect({ signal: controller.signal });
    await until(async () => (await asked('started')).length > 0);
    controller.abort(new Error('changed my mind'));
    await expect(connecting).rejects.toThrow('changed my mind');
    const [started] = await asked('started');
    await until(() => started !== undefined && !isAlive(started.pid));
  });

  test('is shared: whoever gives up leaves the others waiting, and they get their connection', async () => {
    const { server, asked } = await fixture();
    const controller = new AbortController();
    const first = server.connect({ signal: controller.signal });
    const others = [server.connect(), Promise.resolve(server.listTools()), server.describe()];
    controller.abort(new Error('no longer'));
    await expect(first).rejects.toThrow('no longer');
    await Promise.all(others);
    expect(await asked('initialize')).toHaveLength(1);
  });

  test('that failed may work the next time', async () => {
    const { server } = await fixture({ kind: 'dying-once' });
    await expect(server.connect()).rejects.toThrow(McpError);
    await expect(server.describe()).resolves.toMatchObject({ info: { name: 'fixture' }, instructions: 'Be gentle.' });
  });
});

test('a transport that comes too late is closed', async () => {
  let closed = false;
  const transport = {
    start: async () => undefined,
    send: async () => undefined,
    close: async () => void (closed = true),
  };
  let give = (_: typeof transport) => undefined as void;
  const open = () => new Promise<typeof transport>((resolve) => (give = resolve));
  const server = connected({ name: 'late', transport: { type: 'custom', open }, timeouts: { connectMs: 20 } });
  await expect(server.connect()).rejects.toMatchObject({ kind: 'timeout' });
  give(transport);
  await until(() => closed);
});

describe('an end', () => {
  test('kills a process that ignores both its closed input and SIGTERM', { timeout: 15_000 }, async () => {
    const { server, log } = await fixture({ kind: 'stubborn' });
    const connecting = server.connect();
    const failed = expect(connecting).rejects.toMatchObject({ kind: 'closed' });
    await until(async () => (await log()).length > 0);
    await server.close();
    const entries = await log();
    expect(entries.map(({ method }) => method)).toEqual(['started', 'SIGTERM']);
    expect(entries.some(({ pid }) => isAlive(pid))).toBe(false);
    await failed;
  });

  test('is final until the next connect: a run that still goes on cannot start the server again', async () => {
    const { server, asked } = await fixture();
    await server.connect();
    await server.close();
    await expect(server.callTool({ name: 'echo' })).rejects.toMatchObject({ kind: 'closed' });
    expect(await asked('initialize')).toHaveLength(1);
    await server.connect();
    await expect(server.callTool({ name: 'echo', arguments: { text: 'hi' } })).resolves.toMatchObject({
      content: [{ text: 'hi' }],
    });
  });

  test('comes with the scope for `await using`', async () => {
    const { server, asked } = await fixture();
    {
      await using files = server;
      await files.connect();
    }
    const [start] = await asked('initialize');
    expect(start && isAlive(start.pid)).toBe(false);
  });
});

describe('a server that dies', () => {
  test('fails the calls in flight, which are not made again; those that come next share one new connection', async () => {
    const { server, asked } = await fixture();
    await server.connect();
    const inFlight = [1, 2, 3].map(() => server.callTool({ name: 'hang' }));
    await until(async () => (await asked('tools/call')).length === 3);
    const [start] = await asked('initialize');
    const failures = Promise.allSettled(inFlight);
    process.kill(start?.pid ?? 0, 'SIGKILL');
    for (const failure of await failures) {
      expect(failure).toMatchObject({ status: 'rejected', reason: { kind: 'closed', server: 'fixture' } });
    }
    const next = await Promise.all(
      Array.from({ length: 20 }, (_, index) => server.callTool({ name: 'echo', arguments: { text: `${index}` } })),
    );
    expect(next.map(({ content: [block] }) => block?.type === 'text' && Number(block.text))).toEqual([
      ...Array(20).keys(),
    ]);
    expect(await asked('initialize')).toHaveLength(2);
    expect((await asked('tools/call')).filter(({ params }) => params?.['name'] === 'hang')).toHaveLength(3);
  });

  test('in the middle of a run is an error that the model sees; the run goes on with a new process', async () => {
    const { server, asked } = await fixture();
    const model = new ScriptedModel([
      [call('die', 'c1'), call('hang', 'c2')],
      [call('echo', 'c3', '{"text":"still here"}')],
      'done',
    ]);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
    expect(result.finalOutput).toBe('done');
    const outputs = result.newItems.filter(({ type }) => type === 'tool_call_output_item');
    expect(outputs.map(({ rawItem }) => 'output' in rawItem && rawItem.output)).toEqual([
      expect.stringMatching(
        /did not answer the call of 'die', and whether it did is not known: the connection was lost\.$/,
      ),
      expect.stringMatching(/'hang'.*the connection was lost\.$/),
      'still here',
    ]);
    expect(await asked('initialize')).toHaveLength(2);
  });
});

describe('a call', () => {
  test('that its run aborts is cancelled at the server too', async () => {
    const { server, asked } = await fixture();
    const controller = new AbortController();
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('hang')], 'never']), tools: [server] });
    const run = Runner.run(agent, 'go', { signal: controller.signal });
    const failed = expect(run).rejects.toThrow('enough');
    await until(async () => (await asked('tools/call')).length > 0);
    controller.abort(new Error('enough'));
    await failed;
    await until(async () => (await asked('notifications/cancelled')).length > 0);
  });

  test('has the deadline of a tool, and is cancelled when it is over', async () => {
    const { server, asked } = await fixture({ timeouts: { callMs: 100 } });
    const model = new ScriptedModel([[call('hang')], 'done']);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
    expect(model.requests[1]?.input.at(-1)).toMatchObject({ output: "Tool 'hang' did not answer within 100 ms." });
    expect(result.finalOutput).toBe('done');
    await until(async () => (await asked('notifications/cancelled')).length > 0);
    await expect(server.callTool({ name: 'hang' })).rejects.toMatchObject({
      kind: 'timeout',
      message: "MCP server 'fixture' did not answer the call of 'hang' within 100 ms.",
    });
  });

  test('ends when there is no sign of life for too long', async () => {
    const { server } = await fixture({ timeouts: { idleMs: 50 } });
    await expect(server.callTool({ name: 'hang' })).rejects.toMatchObject({ kind: 'timeout' });
  });

  test('may be aborted by whoever makes it', async () => {
    const { server, asked } = await fixture();
    const controller = new AbortController();
    const calling = server.callTool({ name: 'hang' }, { signal: controller.signal });
    const failed = expect(calling).rejects.toThrow('stop');
    await until(async () => (await asked('tools/call')).length > 0);
    controller.abort(new Error('stop'));
    await failed;
  });
});

test(verifies('E3', 'an error of the server holds none of the secrets that it was given'), async () => {
  const { server } = await fixture({ env: { LICENCE_KEY: 'canary-4711' } });
  await expect(server.callTool({ name: 'secret' })).rejects.toMatchObject({
    kind: 'protocol',
    message: "MCP server 'fixture' did not answer the call of 'secret': The key [redacted] is not valid.",
  });
});

test('options that cannot work are told before anything is started', () => {
  const made = (options: object) => () =>
    connected({ name: 'x', transport: { type: 'stdio', command: 'x' }, ...options });
  expect(made({ name: '' })).toThrow('mcpServer name: expected a name');
  expect(made({ transport: { type: 'stdio' } })).toThrow(
    "mcpServer 'x' transport.command: expected the program to start",
  );
  expect(made({ transport: { type: 'http', url: 'localhost:3000' } })).toThrow('transport.url: expected a URL');
  expect(made({ transport: { type: 'websocket' } })).toThrow(
    "transport.type: expected 'stdio', 'http', 'sse' or 'custom'",
  );
  expect(made({ timeouts: { listMs: 0 } })).toThrow('timeouts.listMs: expected milliseconds above 0, got 0');
  expect(made({ toolPrefix: 'a.b' })).toThrow('toolPrefix: expected up to 32 characters');
});
