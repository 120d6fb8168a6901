import { chatCompletions } from '@polyrun/chat-completions';
import type { RunConfig } from '@polyrun/core';

/**
 * Which model answers in all examples: `MODEL=mistral/mistral-small-latest`, `MODEL=ollama/llama3.2` and so on, with that provider's key in
 * the environment.
 */
export const runConfig: RunConfig = {
  modelProvider: chatCompletions(),
  model: process.env['MODEL'] ?? 'openai/gpt-4.1-mini',
};
