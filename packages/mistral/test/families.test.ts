import type { ModelSettings } from '@polyrun/core';
import { ask } from '@polyrun/wires/endpoint';
import { grammarProblems } from '@polyrun/wires/mistral';
import { describe, expect, test } from 'vitest';
import { familyRows } from '../src/families.ts';
import { encoded, modelOf } from './support/endpoint.ts';

type Effort = NonNullable<NonNullable<ModelSettings['reasoning']>['effort']>;

/** What a wish to reason becomes: the field that is sent, and whether that is reported. */
const efforts: [string, Effort, object, boolean][] = [
  ['mistral-small-latest', 'none', { reasoning_effort: 'none' }, false],
  ['mistral-small-latest', 'low', { reasoning_effort: 'high' }, true],
  ['mistral-medium-3-5', 'high', { reasoning_effort: 'high' }, false],
  ['mistral-medium-3.5', 'max', { reasoning_effort: 'high' }, false],
  ['magistral-small-latest', 'minimal', { reasoning_effort: 'high' }, true],
  ['mistral-large-4-0', 'medium', { reasoning_effort: 'medium' }, false],
  ['mistral-large-4-0', 'minimal', { reasoning_effort: 'low' }, true],
  ['magistral-medium-2507', 'high', { prompt_mode: 'reasoning' }, false],
  ['magistral-medium-2507', 'low', { prompt_mode: 'reasoning' }, true],
  ['magistral-medium-2507', 'none', {}, true],
  ['codestral-latest', 'high', {}, true],
  ['codestral-latest', 'none', {}, false],
  ['open-mistral-nemo', 'high', {}, true],
  ['mistral-large-2411', 'high', {}, true],
  ['zai-glm-5-2', 'low', { reasoning_effort: 'low' }, false],
];

describe('efforts', () => {
  test.each(efforts)('%s, asked for %s', async (...[model, effort, sent, told]) => {
    const { body, response } = await encoded(ask({ settings: { reasoning: { effort } } }), { model });
    const { messages: _, model: _model, ...rest } = body;
    expect(rest).toEqual(sent);
    expect(response.adaptations.map(({ name }) => name)).toEqual(told ? ['reasoning.effort'] : []);
    expect(grammarProblems(body)).toEqual([]);
  });
});

describe('what models take', () => {
  test.each([
    ['mistral-small-latest', ['image', 'file']],
    ['ministral-8b-latest', ['image', 'file']],
    ['codestral-latest', ['file']],
    ['voxtral-small-latest', ['audio', 'file']],
    ['zai-glm-5-2', undefined],
  ])('%s', (model, input) => {
    expect(modelOf({}, model).capabilities.input).toEqual(input);
  });

  test('the user knows better', () => {
    const { capabilities } = modelOf(
      { capabilities: { input: ['image'], structuredOutput: 'with_tools' } },
      'codestral-latest',
    );
    expect(capabilities).toMatchObject({ input: ['image'], structuredOutput: 'with_tools', reasoning: 'none' });
  });
});

test('every row of the table has a fixture here', () => {
  const models = [
    'mistral-small-latest',
    'codestral-latest',
    'voxtral-small-latest',
    ...efforts.map(([model]) => model),
  ];
  const idle = familyRows.filter((row) => !models.some((model) => row.models.test(model)));
  expect(idle).toEqual([]);
});
