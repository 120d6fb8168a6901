import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const debian = '/usr/lib/postgresql';

/** The folder of PostgreSQL's programs; undefined where it is not installed. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => Number(other) - Number(one)) : [];
  return versions
    .map((version) => path.join(debian, version, 'bin'))
    .find((bin) => existsSync(path.join(bin, 'initdb')));
}

export type Postgres = { readonly url: string; stop(): Promise<void> };

/** A cluster of the test's own, in a temporary folder on a free port. PostgreSQL refuses to run as root, so there it runs as `postgres`. */
export async function startPostgres(bin: string): Promise<Postgres> {
  const folder = mkdtempSync(path.join(tmpdir(), 'polyrun-postgres-'));
  const data = path.join(folder, 'data');
  const isRoot = process.getuid?.() === 0;
  const as = (program: string, args: readonly string[]): [string, readonly string[]] =>
    isRoot ? ['runuser', ['-u', 'postgres', '--', path.join(bin, program), ...args]] : [path.join(bin, program), args];
  if (isRoot) execFileSync('chown', ['postgres', folder]);
  chmodSync(folder, 0o755);
  execFileSync(...as('initdb', ['-D', data, '-U', 'polyrun', '-A', 'trust', '--no-sync', '-E', 'UTF8']), {
    stdio: 'ignore',
    cwd: folder,
  });
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'max_connections=200', `unix_socket_directories=${folder}`];
  const options = settings.flatMap((setting) => ['-c', setting]);
  const server = spawn(...as('postgres', ['-D', data, '-p', String(port), ...options]), {
    stdio: 'ignore',
    cwd: folder,
  });
  const url = `postgresql://polyrun@127.0.0.1:${port}/dbos`;
  await answering(() =>
    execFileSync(...as('pg_isready', ['-h', '127.0.0.1', '-p', String(port)]), { stdio: 'ignore', cwd: folder }),
  );
  execFileSync(...as('createdb', ['-h', '127.0.0.1', '-p', String(port), '-U', 'polyrun', 'dbos']), {
    stdio: 'ignore',
    cwd: folder,
  });
  return {
    url,
    stop: async () => {
      await ended(server, () =>
        execFileSync(...as('pg_ctl', ['stop', '-D', data, '-m', 'immediate']), { stdio: 'ignore', cwd: folder }),
      );
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, 'exit');
  end();
  await gone;
}

async function answering(ask: () => void): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return ask();
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
