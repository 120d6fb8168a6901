import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isFields, UserError, type Model, type ModelProvider } from '@polyrun/core';
import type { Call, Reference } from './messages.ts';

const mostProviders = 32;

/** Providers by their reference, the latest ones kept. */
export class Providers {
  readonly #known = new Map<string, Promise<ModelProvider>>();
  readonly #program: string | undefined;

  constructor(program: string | undefined) {
    this.#program = program;
  }

  async model({ reference, modelName }: Call): Promise<Model> {
    const key = JSON.stringify(reference);
    const known = this.#known.get(key) ?? this.#rebuilt(reference);
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostProviders && oldest !== undefined) this.#known.delete(oldest);
    return (await known).getModel(modelName);
  }

  async #rebuilt({ module, export: name, options }: Reference): Promise<ModelProvider> {
    const loaded: unknown = await import(locationOf(module, this.#program));
    const make: unknown = Object(loaded)[name];
    const provider: unknown = typeof make === 'function' ? await make(options) : undefined;
    if (isProvider(provider)) return provider;
    throw new UserError(
      `modelProvider reference: '${name}' of '${module}' makes no provider; it must be an exported function that takes the options and returns one.`,
    );
  }
}

/** Where a module is: seen from the program, from its working directory, or else from here. */
function locationOf(module: string, program: string | undefined): string {
  if (/^(file|node|data):/.test(module)) return module;
  for (const from of [program, path.join(process.cwd(), 'program.js')]) {
    try {
      if (from !== undefined) return pathToFileURL(createRequire(path.resolve(from)).resolve(module)).href;
    } catch {
      // Not from there.
    }
  }
  return module;
}

function isProvider(value: unknown): value is ModelProvider {
  return isFields(value) && typeof value['getModel'] === 'function';
}
