import { UserError } from '../../errors.ts';
import { isFields } from '../../protocol/json.ts';

/** A request as the server of the host hands it over. */
export type Incoming = AsyncIterable<Uint8Array> & {
  readonly url?: string;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
};
/** The answer to it. */
export type Outgoing = {
  writeHead(status: number, headers: { readonly [name: string]: string }): unknown;
  flushHeaders(): unknown;
  write(piece: string | Uint8Array, written: () => void): unknown;
  end(): unknown;
  destroy(): unknown;
  on(event: 'close', closed: () => void): unknown;
};
export type Server = {
  listen(port: number, address: string, listening: () => void): unknown;
  address(): unknown;
  close(closed: () => void): unknown;
  closeAllConnections(): unknown;
};

type Http = {
  createServer(options: { keepAliveTimeout: number }, answer: (request: Incoming, response: Outgoing) => void): Server;
};
type Files = {
  readdirSync(folder: string | URL): string[];
  readFileSync(file: string | URL, encoding: 'utf8'): string;
};
type Inspect = { inspect(value: unknown, options: { depth: number }): string };

/*
 * The one place of the core that asks its host for built-in modules: the kit needs a server and a folder. They are asked for when
 * a check runs, never imported, so that `@polyrun/core/testing` loads wherever the core does.
 */

/** The host's HTTP server. */
export function http(): Http {
  return builtin('node:http', isHttp);
}

/** The host's file system. */
export function files(): Files {
  return builtin('node:fs', isFiles);
}

/** What the host's console would show of a value. */
export function inspected(value: unknown): string {
  return builtin('node:util', isInspect).inspect(value, { depth: 8 });
}

function builtin<T>(name: string, isIt: (module: unknown) => module is T): T {
  const process: unknown = Reflect.get(globalThis, 'process');
  const ask = isFields(process) ? process['getBuiltinModule'] : undefined;
  const module: unknown = typeof ask === 'function' ? ask.call(process, name) : undefined;
  if (isIt(module)) return module;
  throw new UserError(`describeModel: this host has no ${name}; run the kit with Node (22.3 or later), Deno or Bun.`);
}

function isHttp(module: unknown): module is Http {
  return has(module, ['createServer']);
}

function isFiles(module: unknown): module is Files {
  return has(module, ['readdirSync', 'readFileSync']);
}

function isInspect(module: unknown): module is Inspect {
  return has(module, ['inspect']);
}

function has(module: unknown, names: readonly string[]): boolean {
  return isFields(module) && names.every((name) => typeof module[name] === 'function');
}
