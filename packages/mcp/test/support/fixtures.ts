import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, vi } from 'vitest';
import { mcpServer, type McpServer, type McpServerOptions } from '../../src/index.ts';

type Options<C> = Omit<McpServerOptions<C>, 'name' | 'transport'> & { kind?: string; env?: { [name: string]: string } };
type Entry = { pid: number; method: string; params?: Record<string, unknown> };
/** A server of the fixture program, and what it has been asked so far. */
export type Fixture<C = unknown> = {
  server: McpServer<C>;
  log: () => Promise<Entry[]>;
  asked: (method: string) => Promise<Entry[]>;
};

const program = fileURLToPath(new URL('fixture-server.ts', import.meta.url));
const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Something to be done when the test has ended, the latest first. */
export function atEnd(end: () => Promise<unknown>): void {
  endings.push(end);
}

export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'polyrun-mcp-'));
  atEnd(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** The fixture server over stdio. Its processes are checked to be gone when the test has ended. */
export async function fixture<C = unknown>({ kind = 'plain', env, ...options }: Options<C> = {}): Promise<Fixture<C>> {
  const file = path.join(await folder(), 'log.jsonl');
  const server = mcpServer<C>({
    name: 'fixture',
    transport: { type: 'stdio', command: process.execPath, args: [program, file, kind], env },
    ...options,
  });
  const log = async () => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return text.split('\n').flatMap((line): Entry[] => (line === '' ? [] : [JSON.parse(line)]));
  };
  atEnd(async () => {
    await server.close();
    for (const { pid } of await log()) expect(isAlive(pid), `process ${pid} is left over`).toBe(false);
  });
  return { server, log, asked: async (method) => (await log()).filter((entry) => entry.method === method) };
}

/** A reference server from npm, over stdio. */
export function reference(
  name: 'everything' | 'filesystem' | 'memory',
  args: readonly string[] = [],
): McpServerOptions['transport'] & { type: 'stdio' } {
  return { type: 'stdio', command: process.execPath, args: [programOf(name), ...args] };
}

export function programOf(name: string): string {
  return fileURLToPath(import.meta.resolve(`@modelcontextprotocol/server-${name}/dist/index.js`));
}

/** A server that is closed when the test has ended. */
export function connected<C = unknown>(options: McpServerOptions<C>): McpServer<C> {
  const server = mcpServer(options);
  atEnd(() => server.close());
  return server;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until something holds; the state of another process gives no other sign. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(holds, { timeout: 10_000, interval: 10 });
}
