import { OpenAIProvider } from '@openai/agents-openai';
import { OpenAI } from 'openai';
import { ask } from '../agent/openai-agents-core.ts';

const openAIClient = new OpenAI({ baseURL: 'http://127.0.0.1:11434/v1', apiKey: 'key' });
const modelProvider = new OpenAIProvider({ openAIClient, useResponses: false });
const { finalOutput } = await ask(await modelProvider.getModel('local'));
console.log(finalOutput);
