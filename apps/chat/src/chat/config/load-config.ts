import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { AgentsError, UserError } from '@polyrun/core';
import { checkConfig } from './check-config.ts';
import type { ChatConfig } from './define-config.ts';

const fileNames = ['ts', 'mts', 'js', 'mjs'].map((extension) => `polyrun.config.${extension}`);

/** The config in a folder or the nearest one above it; `undefined` when there is none. */
export function findConfig(folder: string): string | undefined {
  const found = fileNames.map((name) => path.join(folder, name)).find((file) => existsSync(file));
  const parent = path.dirname(folder);
  return found ?? (parent === folder ? undefined : findConfig(parent));
}

/** Loads a config by Node's own stripping of types. What is wrong with it is a `UserError` that names file, field and fix. */
export async function loadConfig(file: string): Promise<ChatConfig> {
  const name = path.relative('', file);
  if (!existsSync(file))
    throw new UserError(`${name}: there is no such file; \`chat --init\` writes one to begin with.`);
  const { href } = pathToFileURL(file);
  helpResolve(href);
  const { default: exported }: { default?: unknown } = await import(href).catch((error: unknown) => {
    throw new UserError(`${name}: ${reasonOf(error)}`, { cause: error });
  });
  checkConfig(exported, name);
  return exported;
}

/**
 * A config may lie anywhere: what cannot be found from there (`@polyrun/…`, `zod`) is taken from this program, and it is a module whatever
 * the nearest package.json says.
 */
function helpResolve(config: string): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        const found = nextResolve(specifier, context);
        const format = config.endsWith('ts') ? 'module-typescript' : 'module';
        return found.url === config ? { ...found, format } : found;
      } catch (error) {
        if (Object(error).code !== 'ERR_MODULE_NOT_FOUND' || !/^[@\w]/.test(specifier)) throw error;
        return nextResolve(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}

function reasonOf(error: unknown): string {
  const { code, message }: { code?: unknown; message?: unknown } = Object(error);
  const [said = ''] = String(message ?? error).split('\n');
  if (error instanceof AgentsError) return said;
  if (code === 'ERR_MODULE_NOT_FOUND')
    return `${said.replace(/ imported from .*/, '')}; install it, or correct the import.`;
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `${said}; Node only strips types: write no enums, namespaces or parameter properties.`;
  return `${error instanceof Error ? error.name : 'Error'}: ${said}`;
}
