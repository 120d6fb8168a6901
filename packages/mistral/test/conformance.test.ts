import { fileURLToPath } from 'node:url';
import { describeModel } from '@polyrun/core/testing';
import { grammarProblems } from '@polyrun/wires/mistral';
import { describe, test } from 'vitest';
import { mistral } from '../src/index.ts';

describeModel({
  name: 'mistral',
  createModel: ({ baseURL, modelName }) =>
    mistral({ apiKey: 'kit-key-1234567890', baseURL }).getModel(modelName ?? 'mistral-small-latest'),
  fixtures: fileURLToPath(new URL('fixtures', import.meta.url)),
  grammar: grammarProblems,
  framework: { describe, test },
});
