import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A Restate server of the test's own, which can be killed and started again on what it kept. */
export type RestateServer = {
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Tells the server where workers are. */
  register(port: number): Promise<void>;
  /** Calls a handler; gives its result, or throws with the words of its error. */
  call(target: string, body: object): Promise<unknown>;
  /** The same, without waiting for the end; gives the invocation's id. */
  send(target: string, body: object): Promise<string>;
  /** The result of an invocation that was sent. */
  attach(id: string): Promise<unknown>;
  /** Settles an awakeable at the server alone: no worker has a part in it. */
  settle(awakeable: string, how: 'resolve' | 'reject', body: string): Promise<void>;
  cancel(id: string): Promise<void>;
  /** What the server knows of its invocations. */
  query(sql: string): Promise<{ [column: string]: unknown }[]>;
  close(): Promise<void>;
};

export async function restateServer(): Promise<RestateServer> {
  const binary = process.env['RESTATE_SERVER'];
  if (!binary) throw new Error('RESTATE_SERVER is not set: run these tests with `pnpm test:engines`.');
  const folder = mkdtempSync(path.join(tmpdir(), 'polyrun-restate-'));
  const [node, ingress, admin] = await freePorts(3);
  const at = (port: number | undefined) => `127.0.0.1:${port}`;
  const env = {
    ...process.env,
    DO_NOT_TRACK: '1',
    RESTATE_DISABLE_TELEMETRY: 'true',
    RESTATE_ADMIN__DISABLE_WEB_UI: 'true',
    RESTATE_LISTEN_MODE: 'tcp',
    RESTATE_BIND_ADDRESS: at(node),
    RESTATE_INGRESS__BIND_ADDRESS: at(ingress),
    RESTATE_ADMIN__BIND_ADDRESS: at(admin),
    RESTATE_DEFAULT_NUM_PARTITIONS: '4',
    RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: '256 MiB',
    // A worker that was killed is asked again soon.
    RESTATE_DEFAULT_RETRY_POLICY__INITIAL_INTERVAL: '100ms',
    RESTATE_DEFAULT_RETRY_POLICY__MAX_INTERVAL: '500ms',
  };
  let server: ChildProcess | undefined;
  const post = async (url: string, body: string) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return read(response);
  };
  return {
    start: async () => {
      server = spawn(binary, ['--no-logo', '--base-dir', folder, '--log-filter', 'error'], { env, stdio: 'ignore' });
      await Promise.all([healthy(`http://${at(admin)}/health`), healthy(`http://${at(ingress)}/restate/health`)]);
    },
    kill: () => killed(server),
    register: async (port) => {
      await post(`http://${at(admin)}/deployments`, JSON.stringify({ uri: `http://${at(port)}`, force: true }));
    },
    call: (target, body) => post(`http://${at(ingress)}/${target}`, JSON.stringify(body)),
    send: async (target, body) => {
      const sent = await post(`http://${at(ingress)}/${target}/send`, JSON.stringify(body));
      return (sent as { invocationId: string }).invocationId;
    },
    attach: async (id) => read(await fetch(`http://${at(ingress)}/restate/invocation/${id}/attach`)),
    settle: async (awakeable, how, body) => {
      const type = how === 'reject' ? 'text/plain' : 'application/json';
      const url = `http://${at(ingress)}/restate/awakeables/${awakeable}/${how}`;
      await read(await fetch(url, { method: 'POST', headers: { 'content-type': type }, body }));
    },
    cancel: async (id) => {
      await read(await fetch(`http://${at(admin)}/invocations/${id}/cancel`, { method: 'PATCH' }));
    },
    query: async (sql) => {
      const headers = { accept: 'application/json', 'content-type': 'application/json' };
      const request = { method: 'POST', headers, body: JSON.stringify({ query: sql }) };
      const answer = await read(await fetch(`http://${at(admin)}/query`, request));
      return (answer as { rows: { [column: string]: unknown }[] }).rows;
    },
    close: async () => {
      await killed(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Worker = { readonly port: number; readonly errors: () => string; kill(): Promise<void> };

/** Starts a worker process on a port that stays the same, so that the server finds the next one where the last one was. */
export async function startWorker(
  port: number,
  args: readonly string[],
  program: URL = new URL('worker.ts', import.meta.url),
): Promise<Worker> {
  const file = fileURLToPath(program);
  const child = spawn(process.execPath, [file, '--port', String(port), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const lines = createInterface({ input: child.stdout });
  const listening = (async () => {
    for await (const line of lines) if (line.startsWith('listening on')) return;
    throw new Error(`the worker ended: ${errors}`);
  })();
  await listening;
  return { port, errors: () => errors, kill: () => killed(child) };
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

async function killed(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function healthy(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    if (attempt > 300) throw new Error(`the server does not answer on ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
