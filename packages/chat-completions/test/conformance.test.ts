import { fileURLToPath } from 'node:url';
import { describeModel, type ModelKitOptions, type TestFramework } from '@polyrun/core/testing';
import { grammarProblems } from '@polyrun/wires/chat-completions';
import { describe, test } from 'vitest';
import { chatCompletions } from '../src/index.ts';

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));
const apiKey = 'kit-key-1234567890';
const grammar =
  (provider: string): NonNullable<ModelKitOptions['grammar']> =>
  (body) =>
    grammarProblems(body as Parameters<typeof grammarProblems>[0], provider);

describeModel({
  name: 'chat-completions',
  createModel: ({ baseURL, modelName = 'm' }) => chatCompletions({ apiKey, baseURL }).getModel(modelName),
  fixtures,
  grammar: grammar('chat-completions'),
  framework: { describe, test },
});

/** Streams are read the same for every dialect: what costs thousands of calls is checked once, above. */
const sentDifferently: TestFramework = {
  describe,
  test: (title, body, timeoutMs) => /^(pieces|cut|reset|framing):/.test(title) || test(title, body, timeoutMs),
};

for (const name of ['openai', 'mistral', 'deepseek', 'openrouter', 'zai', 'perplexity'])
  describeModel({
    name: `chat-completions as ${name}`,
    createModel: ({ baseURL, modelName = 'm' }) => chatCompletions({ apiKey, name, baseURL }).getModel(modelName),
    fixtures,
    grammar: grammar(name),
    framework: sentDifferently,
  });
