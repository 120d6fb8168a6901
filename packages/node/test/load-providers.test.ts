import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Agent, Runner, UserError } from '@polyrun/core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { loadProviders, type ProvidersFile } from '../src/index.ts';
import { startModelServer, type Asked } from './support/model-server.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'polyrun-providers-'));
  await writeFile(path.join(folder, 'own.mjs'), own);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** An adapter of one's own beside the file: its model's name is what its options say. */
const own = `
export const echo = (options) => ({ name: 'echo', getModel: (name) => ({ provider: 'echo', name: JSON.stringify({ name, ...options }), capabilities: {}, getResponse: () => {}, streamResponse: () => {} }) });
export const nothing = () => ({});
export const broken = () => { throw new Error('it broke'); };
export const value = 1;
`;
const echo = { module: './own.mjs', export: 'echo' };

async function written(content: ProvidersFile | string | object): Promise<string> {
  const file = path.join(folder, 'providers.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const chat = (options: object) => ({ module: '@polyrun/chat-completions', export: 'chatCompletions', options });

describe('a deployment swaps models without touching code', () => {
  test('the same program asks whom the file names', async () => {
    const asked: Asked[] = [];
    const server = await startModelServer((request) => {
      asked.push(request);
      return `I am ${String(request['model'])}.`;
    });
    const agent = new Agent({ name: 'Assistant', model: 'usual' });
    const options = { baseURL: server.baseURL, apiKey: { env: 'SOME_KEY' } };
    vi.stubEnv('SOME_KEY', 'the-key');
    try {
      for (const model of ['one/model-a', 'two/model-b']) {
        const file = await written({ providers: { one: chat(options), two: chat(options) }, models: { usual: model } });
        const { finalOutput } = await Runner.run(agent, 'Hello', {
          runConfig: { modelProvider: await loadProviders(file) },
        });
        expect(finalOutput).toBe(`I am ${model.slice(4)}.`);
      }
    } finally {
      await server.close();
    }
    expect(asked.map(({ model }) => model)).toEqual(['model-a', 'model-b']);
  });

  test('options reach the provider, variables in their places at any depth', async () => {
    vi.stubEnv('SOME_KEY', 'the-key');
    const options = { apiKey: { env: 'SOME_KEY' }, headers: { 'x-list': [{ env: 'SOME_KEY' }, 'plain'] }, retries: 2 };
    const provider = await loadProviders(await written({ providers: { echo: { ...echo, options } } }));
    expect(JSON.parse(provider.getModel('echo/m').name)).toEqual({
      name: 'm',
      apiKey: 'the-key',
      headers: { 'x-list': ['the-key', 'plain'] },
      retries: 2,
    });
  });

  test('names of one’s own, fallback and the default come from the file', async () => {
    const models = { fast: 'echo/f', safe: { fallback: ['echo/a', { model: 'echo/b', on: ['timeout'] }] } } as const;
    const provider = await loadProviders(await written({ providers: { echo }, models, default: 'fast' }));
    expect(provider.getModel().name).toBe('{"name":"f"}');
    expect(provider.getModel('safe').candidates?.map(({ model, on }) => [model.name, on.length > 1])).toEqual([
      ['{"name":"a"}', true],
      ['{"name":"b"}', false],
    ]);
  });

  test('a path is seen from the folder of the file, wherever the program runs', async () => {
    const file = path.relative(process.cwd(), await written({ providers: { echo } }));
    expect((await loadProviders(file)).getModel('echo/m').name).toBe('{"name":"m"}');
  });
});

describe('what is wrong is told with file, field and fix, before any request', () => {
  const wrong: readonly (readonly [string, object | string, RegExp])[] = [
    ['no JSON', '{ "providers": SECRET }', /it is no JSON.*mend/],
    ['no object', '[]', /the file: give an object with/],
    ['an unknown field', { providers: { echo }, model: {} }, /there is no field 'model'; there are .*models/],
    ['no providers', { providers: {} }, /providers: give at least one/],
    [
      'an entry that is no object',
      { providers: { a: 'x' } },
      /providers\.a: give an object with module, export, options/,
    ],
    [
      'an unknown field of an entry',
      { providers: { a: { ...echo, apiKey: 'x' } } },
      /providers\.a: there is no field 'apiKey'/,
    ],
    ['no module', { providers: { a: { export: 'x' } } }, /providers\.a\.module: name a package/],
    [
      'no export',
      { providers: { a: { module: './own.mjs' } } },
      /providers\.a\.export: name what '\.\/own\.mjs' exports/,
    ],
    [
      'a package that is not there',
      { providers: { a: { module: '@no/such', export: 'x' } } },
      /providers\.a\.module: .*npm install @no\/such/,
    ],
    [
      'a path that is not there',
      { providers: { a: { module: './no.mjs', export: 'x' } } },
      /providers\.a\.module: .*path that begins at the file/,
    ],
    [
      'an export that is not there',
      { providers: { a: { ...echo, export: 'nope' } } },
      /providers\.a\.export: .*no function 'nope'/,
    ],
    ['an export that is no function', { providers: { a: { ...echo, export: 'value' } } }, /no function 'value'/],
    [
      'no provider',
      { providers: { a: { ...echo, export: 'nothing' } } },
      /providers\.a\.export: 'nothing'.*gives no provider/,
    ],
    [
      'options that are no object',
      { providers: { a: { ...echo, options: 1 } } },
      /providers\.a\.options: give an object/,
    ],
    [
      'a variable that is not set',
      { providers: { a: { ...echo, options: { url: { env: 'NOT_SET' } } } } },
      /options\.url: .*NOT_SET is not set; set it/,
    ],
    [
      'a key',
      { providers: { a: { ...echo, options: { apiKey: 'SECRET' } } } },
      /options\.apiKey: .*\{ "env": "NAME" \}/,
    ],
    [
      'a key in a header',
      { providers: { a: { ...echo, options: { headers: { Authorization: 'SECRET' } } } } },
      /options\.headers\.Authorization: /,
    ],
    ['models that are no object', { providers: { echo }, models: [] }, /models: give an object/],
    [
      'a model of nobody',
      { providers: { echo }, models: { fast: 'nobody/m' } },
      /models\['fast'\]: 'nobody\/m' names no known provider; known are 'echo'/,
    ],
    ['a default of nobody', { providers: { echo }, default: 'nobody' }, /default: there is no provider 'nobody'/],
    ['a default that is no text', { providers: { echo }, default: 1 }, /default: give the name/],
  ];

  test.each(wrong)(verifies('E2', '%s'), async (_, content, words) => {
    const file = await written(content);
    const error = await loadProviders(file).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(words);
    expect(String(error)).toContain(file);
    expect(String(error)).not.toContain('SECRET');
  });

  test('a file that is not there', async () => {
    await expect(loadProviders('no/such.json')).rejects.toThrow(/^no\/such\.json: it cannot be read; give the path/);
  });

  test('what the adapter itself throws passes', async () => {
    const file = await written({ providers: { a: { ...echo, export: 'broken' } } });
    await expect(loadProviders(file)).rejects.toThrow('it broke');
  });
});
