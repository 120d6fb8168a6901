import { fileURLToPath } from 'node:url';
import { describeModel } from '@polyrun/core/testing';
import { describe, test } from 'vitest';
import { newWire } from '../src/index.ts';
import { grammarProblems } from './grammar.ts';

const apiKey = 'kit-key-1234567890';

describeModel({
  name: 'new-wire',
  createModel: ({ baseURL, modelName = 'a-model' }) => newWire({ apiKey, baseURL }).getModel(modelName),
  fixtures: fileURLToPath(new URL('fixtures', import.meta.url)),
  grammar: grammarProblems,
  framework: { describe, test },
});
