import type { Model } from '@mariozechner/pi-ai';
import { streamSimpleOpenAICompletions } from '@mariozechner/pi-ai/openai-completions';
import { ask } from '../agent/mariozechner-pi-agent-core.ts';

const model: Model<'openai-completions'> = {
  id: 'local',
  name: 'local',
  api: 'openai-completions',
  provider: 'local',
  baseUrl: 'http://127.0.0.1:11434/v1',
  reasoning: false,
  input: ['text'],
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  contextWindow: 100_000,
  maxTokens: 1_000,
};
const messages = await ask(model, (_model, context, options) => streamSimpleOpenAICompletions(model, context, options));
console.log(messages.at(-1));
