import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ask } from '../agent/ai.ts';

const provider = createOpenAICompatible({ name: 'local', baseURL: 'http://127.0.0.1:11434/v1', apiKey: 'key' });
const { text } = await ask(provider('local'));
console.log(text);
