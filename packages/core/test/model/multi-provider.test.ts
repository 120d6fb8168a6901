import { describe, expect, test } from 'vitest';
import {
  Agent,
  ModelError,
  MultiProvider,
  Runner,
  UserError,
  type ModelProvider,
  type ModelTable,
} from '../../src/index.ts';
import { ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';

/** A provider that answers with the name it was asked by; names with `busy` in them are overloaded. */
const provider = (name: string): ModelProvider => ({
  name,
  getModel: (model = 'default') => {
    const busy = new ModelError({ kind: 'overloaded', message: 'busy' });
    const turns = Array.from({ length: 5 }, () => (model.includes('busy') ? busy : `${name}: ${model}`));
    return new ScriptedModel(turns, { provider: name, name: model });
  },
});
const providers = { mistral: provider('mistral'), router: provider('router') };

async function answer(multi: MultiProvider, model?: string): Promise<unknown> {
  const agent = new Agent({ name: 'A', model });
  return (await Runner.run(agent, 'go', { runConfig: { modelProvider: multi } })).finalOutput;
}

test.for<[string, unknown, string]>([
  ['none', undefined, 'MultiProvider providers: expected { [prefix]: provider }, got undefined'],
  ['a model', { a: new ScriptedModel([]) }, "MultiProvider providers['a']: expected a provider"],
  ['nothing under a prefix', { a: undefined }, "MultiProvider providers['a']: expected a provider"],
])(verifies('E2', 'providers that are none are found when they are given: %s'), ([, given, words]) => {
  expect(() => new MultiProvider(given as never)).toThrow(UserError);
  expect(() => new MultiProvider(given as never)).toThrow(words);
});

describe('names', () => {
  test.each([
    ['mistral/mistral-small-latest', 'mistral: mistral-small-latest'],
    ['router/openai/gpt-5', 'router: openai/gpt-5'],
    ['mistral', 'mistral: default'],
    ['mistral/', 'mistral: '],
  ])('%s', async (name, expected) => {
    expect(await answer(new MultiProvider(providers), name)).toBe(expected);
  });

  test('without a known prefix they go to the default provider as they are', async () => {
    const multi = new MultiProvider(providers, { default: 'router' });
    expect(await answer(multi, 'meta/llama')).toBe('router: meta/llama');
    expect(await answer(multi, 'mistral/x')).toBe('mistral: x');
    expect(await answer(multi)).toBe('router: default');
  });

  test.each([['antropic/claude'], ['claude'], [undefined], ['toString'], ['__proto__/x']])(
    verifies('E2', '%s names no provider, and the known ones are told'),
    (name) => {
      expect(() => new MultiProvider(providers).getModel(name)).toThrow(UserError);
      expect(() => new MultiProvider(providers).getModel(name)).toThrow(/prefix\/model.*'mistral', 'router'/);
    },
  );
});

describe('a table of models', () => {
  const models: ModelTable = {
    fast: 'mistral/mistral-small-latest',
    quick: 'fast',
    smart: { fallback: ['router/busy', { model: 'mistral/busy-too', on: ['overloaded', 'auth'] }, 'quick'] },
  };
  // As it would stand in a file.
  const table = JSON.parse(JSON.stringify(models)) as ModelTable;

  test('gives models names of one’s own', async () => {
    const multi = new MultiProvider(providers, { models: table, default: 'fast' });
    expect(await answer(multi, 'fast')).toBe('mistral: mistral-small-latest');
    expect(await answer(multi, 'quick')).toBe('mistral: mistral-small-latest');
    expect(await answer(multi)).toBe('mistral: mistral-small-latest');
    expect(multi.getModel('smart')).toBe(multi.getModel('smart'));
  });

  test(verifies('R3', 'and chains of models'), async () => {
    const multi = new MultiProvider(providers, { models: table });
    expect(await answer(multi, 'smart')).toBe('mistral: mistral-small-latest');
    expect(multi.getModel('smart').candidates?.map(({ model }) => model.name)).toEqual([
      'busy',
      'busy-too',
      'mistral-small-latest',
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'an unknown provider',
      { fast: 'antropic/claude' },
      /models\['fast'\]: 'antropic\/claude' names no known provider; known are 'mistral', 'router'/,
    ],
    ['one inside a chain', { s: { fallback: ['mistral/a', { model: 'x/b', on: [] }] } }, /models\['s'\]: 'x\/b'/],
    ['a circle', { a: 'b', b: { fallback: ['mistral/x', 'a'] } }, /it stands for itself/],
    ['the name of a provider', { mistral: 'router/x' }, /models\['mistral'\]: a provider has this name/],
    ['no model', { a: 1 }, /models\['a'\]: expected a model's name, or \{ fallback: \[names\] \}, got a number/],
    ['an empty chain', { a: { fallback: [] } }, /models\['a'\]/],
    ['a chain of what are no names', { a: { fallback: [null] } }, /models\['a'\]\.fallback\[0\]/],
  ])(verifies('E2', '%s in it is told when it is given'), (_, given, words) => {
    expect(() => new MultiProvider(providers, { models: given as ModelTable })).toThrow(UserError);
    expect(() => new MultiProvider(providers, { models: given as ModelTable })).toThrow(words);
  });

  test(verifies('E2', 'a default that is neither a provider nor in the table'), () => {
    expect(() => new MultiProvider(providers, { default: 'nobody', models: table })).toThrow(
      /options\.default.*'nobody'/,
    );
  });
});
