import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectorOf, knownSettings, mediaOf, refuseTools, textOfMedia } from '../../src/http/index.ts';
import { providerOf, UserError, type Adaptation, type Model } from '../../src/index.ts';

afterEach(() => vi.unstubAllEnvs());

describe('mediaOf', () => {
  test.each([
    [
      { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
      { mediaType: 'image/png', data: 'AA==' },
    ],
    [{ type: 'input_image', image_url: 'https://a.test/a.png' }, { url: 'https://a.test/a.png' }],
    [{ type: 'input_image', file_id: 'f' }, { fileId: 'f' }],
    [
      { type: 'input_file', filename: 'a.csv', file_data: 'YSxi' },
      { filename: 'a.csv', mediaType: 'text/plain', data: 'YSxi' },
    ],
    [
      { type: 'input_file', file_data: 'AA==' },
      { mediaType: 'application/pdf', data: 'AA==' },
    ],
    [
      { type: 'input_file', file_data: 'data:text/plain;charset=utf-8,a%20b' },
      { mediaType: 'text/plain', data: btoa('a b') },
    ],
    [{ type: 'input_file', file_url: 'https://a.test/a.pdf' }, { url: 'https://a.test/a.pdf' }],
    [
      { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
      { mediaType: 'audio/wav', data: 'AA==' },
    ],
  ] as const)('%j holds %j', (part, media) => {
    expect(mediaOf(part)).toEqual(media);
  });

  test('text of textual files, also where it is no base64', () => {
    expect(textOfMedia({ mediaType: 'application/json', data: btoa('{}') })).toBe('{}');
    expect(textOfMedia({ mediaType: 'text/plain', data: 'no base64!' })).toBe('no base64!');
    expect(textOfMedia({ mediaType: 'application/pdf', data: 'AA==' })).toBeUndefined();
  });
});

describe('connectorOf', () => {
  const endpoint = {
    provider: 'Acme',
    address: 'https://api.acme.test',
    addressVariables: ['ACME_URL'],
    variables: ['ACME_KEY'],
    newClient: (baseURL: string) => ({ baseURL, apiKey: 'none' }),
  };

  test('one client for each address, a key for each call', async () => {
    let n = 0;
    const connect = connectorOf({ apiKey: () => `key-${++n}`, headers: { x: 'hidden' } }, endpoint);
    const [first, second] = [await connect(), await connect()];
    expect(second.client).toBe(first.client);
    expect(first).toMatchObject({
      headers: { Authorization: 'Bearer key-1', x: 'hidden' },
      secrets: ['key-1', 'hidden'],
    });
    expect(second.headers['Authorization']).toBe('Bearer key-2');
    vi.stubEnv('ACME_URL', 'https://other.test/');
    expect((await connect()).client.baseURL).toBe('https://other.test');
  });

  test('what is missing or no URL is a UserError; a ready client is used as it is', async () => {
    vi.stubEnv('ACME_KEY', '');
    await expect(connectorOf({}, endpoint)()).rejects.toThrow(
      'No API key for Acme: set ACME_KEY, or give the option apiKey.',
    );
    await expect(connectorOf({ apiKey: 'k', baseURL: 'acme:80' }, endpoint)()).rejects.toThrow(UserError);
    const client = { baseURL: 'https://own.test', apiKey: 'own-key' };
    expect(await connectorOf({ client }, endpoint)()).toEqual({ client, headers: {}, secrets: ['own-key', ''] });
  });
});

describe('requests', () => {
  test('settings that a model lacks are reported, but what it does anyway', () => {
    const adaptations: Adaptation[] = [];
    const report = (type: Adaptation['type'], name: string, detail: string) =>
      void adaptations.push({ type, name, detail });
    const settings = { temperature: 1, seed: 2, store: false, topP: undefined, reasoning: {} };
    expect(knownSettings(settings, ['temperature'], { report, silent: ['reasoning'] })).toEqual({ temperature: 1 });
    expect(adaptations.map(({ name }) => name)).toEqual(['seed']);
    expect(knownSettings(settings, undefined, { report })).toEqual({
      temperature: 1,
      seed: 2,
      store: false,
      reasoning: {},
    });
  });

  test('tools are refused by name', () => {
    const tools = [{ type: 'function', name: 'f', description: '', parameters: {}, strict: false }] as const;
    expect(() => refuseTools({ input: [], tools, settings: {} }, false, 'acme/m')).toThrow(
      "acme/m has none; leave out 'f'",
    );
    expect(() => refuseTools({ input: [], tools, settings: {} }, undefined, 'acme/m')).not.toThrow();
  });
});

describe('providerOf', () => {
  const about = {
    name: 'acme',
    module: '@acme/x',
    export: 'acme',
    example: 'm-1',
    modelOf: (name: string) => ({ name }) as Model,
  };

  test('each model is made once; the default is taken where none is named', () => {
    const provider = providerOf({ defaultModel: 'm' }, about);
    expect(provider.getModel()).toBe(provider.getModel('m'));
    expect(() => providerOf({}, about).getModel()).toThrow("Name one, such as 'm-1'");
  });

  test('it can be rebuilt where no option is a thing of this process', () => {
    expect(providerOf({ name: 'mine', apiKey: 'k' }, about)).toMatchObject({
      name: 'mine',
      reference: { module: '@acme/x', export: 'acme', options: { name: 'mine', apiKey: 'k' } },
    });
    for (const options of [{ fetch: () => undefined }, { client: {} }, { apiKey: () => 'k' }])
      expect(providerOf(options, about).reference).toBeUndefined();
  });
});
