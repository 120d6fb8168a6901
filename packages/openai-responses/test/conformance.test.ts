import { fileURLToPath } from 'node:url';
import { describeModel } from '@polyrun/core/testing';
import { grammarProblems } from '@polyrun/wires/openai-responses';
import { describe, test } from 'vitest';
import { openaiResponses } from '../src/index.ts';

describeModel({
  name: 'openai-responses',
  createModel: ({ baseURL, modelName }) =>
    openaiResponses({ apiKey: 'kit-key-1234567890', baseURL, name: 'openai' }).getModel(modelName ?? 'gpt-5.6'),
  fixtures: fileURLToPath(new URL('fixtures', import.meta.url)),
  grammar: (body) => grammarProblems(body as { [field: string]: unknown }),
  framework: { describe, test },
});
