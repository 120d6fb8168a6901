import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isFields, MultiProvider, UserError, type Json, type ModelProvider, type ModelTable } from '@polyrun/core';

/** The JSON of a file for `loadProviders`. In `options`, `{ "env": "NAME" }` stands for an environment variable. */
export type ProvidersFile = {
  readonly $schema?: string;
  /** By prefix: `export` of `module` (a package, or a path beside the file) is called with `options` and gives the provider. */
  readonly providers: {
    readonly [prefix: string]: {
      readonly module: string;
      readonly export: string;
      readonly options?: { readonly [name: string]: Json };
    };
  };
  /** Names of one's own for models, as `MultiProvider` has them. */
  readonly models?: ModelTable;
  /** The provider, or the name in `models`, when no model is named. */
  readonly default?: string;
};

/**
 * Reads providers and names of models from a JSON file (`ProvidersFile`), so that a deployment changes them without touching code. Keys stand in the
 * environment, which is read now; a file that holds one is refused. Everything wrong is a `UserError` that names file, field and fix.
 */
export async function loadProviders(file: string): Promise<MultiProvider> {
  const at = path.resolve(file);
  try {
    const { providers, models, usual } = read(await contentOf(at));
    const loaded: { [prefix: string]: ModelProvider } = {};
    for (const [prefix, entry] of Object.entries(providers))
      loaded[prefix] = await load(entry, `providers.${prefix}`, at);
    return new MultiProvider(loaded, { models, default: usual });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${file}: ${error.message.replace('MultiProvider options.', '')}`, { cause: error });
  }
}

async function contentOf(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError('it cannot be read; give the path of a JSON file.', { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own words quote the file.
    const where = /line \d+ column \d+|position \d+/.exec(String(error))?.[0];
    throw new UserError(`it is no JSON${where === undefined ? '' : ` (${where})`}; mend what stands there.`);
  }
}

type Entries = { readonly [name: string]: unknown };
type Read = { providers: Entries; models: ModelTable | undefined; usual: string | undefined };

function read(content: unknown): Read {
  const {
    providers,
    models,
    default: usual,
  } = known(content, 'the file', ['$schema', 'providers', 'models', 'default']);
  if (!isFields(providers) || Object.keys(providers).length === 0)
    throw new UserError('providers: give at least one, such as { "openai": { "module": …, "export": … } }.');
  if (models !== undefined && !isTable(models)) throw new UserError('models: give an object of names.');
  if (usual !== undefined && typeof usual !== 'string')
    throw new UserError('default: give the name of a provider, or one of models.');
  return { providers, models, usual };
}

/** What its entries are is for `MultiProvider` to check. */
function isTable(models: unknown): models is ModelTable {
  return isFields(models);
}

async function load(entry: unknown, field: string, file: string): Promise<ModelProvider> {
  const { module, export: name, options = {} } = known(entry, field, ['module', 'export', 'options']);
  if (typeof module !== 'string' || module === '')
    throw new UserError(`${field}.module: name a package, such as '@polyrun/mistral'.`);
  if (typeof name !== 'string' || name === '')
    throw new UserError(`${field}.export: name what '${module}' exports, such as 'mistral'.`);
  if (!isFields(options)) throw new UserError(`${field}.options: give an object.`);
  const make = Object(await imported(module, file, `${field}.module`))[name];
  if (typeof make !== 'function')
    throw new UserError(
      `${field}.export: '${module}' exports no function '${name}'; look for the name in its documentation.`,
    );
  const provider: unknown = await make(filled(options, `${field}.options`));
  if (isProvider(provider)) return provider;
  throw new UserError(`${field}.export: '${name}' of '${module}' gives no provider; name a function that returns one.`);
}

/** The fields of an object that has no others. */
function known(value: unknown, what: string, names: readonly string[]): Entries {
  if (!isFields(value)) throw new UserError(`${what}: give an object with ${names.join(', ')}.`);
  const other = Object.keys(value).find((name) => !names.includes(name));
  if (other !== undefined)
    throw new UserError(
      `${what}: there is no field '${other}'; there are ${names.join(', ')}. Rename it, or leave it out.`,
    );
  return value;
}

/** A module as the file sees it, else as the program's folder does, else as this package does. */
async function imported(module: string, file: string, field: string): Promise<unknown> {
  for (const from of [file, path.join(process.cwd(), 'program.js'), import.meta.filename]) {
    const found = resolved(module, from);
    if (found !== undefined) return import(pathToFileURL(found).href);
  }
  const fix = /^[./]/.test(module) ? 'give a path that begins at the file' : `install it: npm install ${module}`;
  throw new UserError(`${field}: '${module}' is not there; ${fix}.`);
}

function resolved(module: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(module);
  } catch {
    return undefined;
  }
}

/** Names of options that hold what nobody may read. */
const secret = /key|token|secret|password|authorization|cookie/i;

/** Options with the variables that they name in their places. */
function filled(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((each, index) => filled(each, `${field}[${index}]`));
  if (isFields(value)) {
    const { env, ...others } = value;
    if (typeof env === 'string' && Object.keys(others).length === 0) return variable(env, field);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each, `${field}.${name}`)]));
  }
  if (typeof value === 'string' && secret.test(field.slice(field.lastIndexOf('.'))))
    throw new UserError(
      `${field}: a secret does not belong into a file; write { "env": "NAME" } and set that variable.`,
    );
  return value;
}

function variable(name: string, field: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new UserError(`${field}: the environment variable ${name} is not set; set it, or leave the option out.`);
}

function isProvider(value: unknown): value is ModelProvider {
  return isFields(value) && typeof value['getModel'] === 'function';
}
