import { fileURLToPath } from 'node:url';
import { describeModel } from '@polyrun/core/testing';
import { grammarProblems } from '@polyrun/wires/anthropic-messages';
import { describe, test } from 'vitest';
import { anthropic } from '../src/index.ts';
import { unmarked } from './support/endpoint.ts';

describeModel({
  name: 'anthropic',
  createModel: ({ baseURL, modelName }) =>
    anthropic({ apiKey: 'kit-key-1234567890', baseURL }).getModel(modelName ?? 'claude-sonnet-4-5'),
  fixtures: fileURLToPath(new URL('fixtures', import.meta.url)),
  grammar: (body) => grammarProblems(body as { [field: string]: unknown }),
  // How far to cache is marked behind the last words, and moves with them.
  transcript: (body) => unmarked((body as { messages: unknown[] }).messages),
  framework: { describe, test },
});
