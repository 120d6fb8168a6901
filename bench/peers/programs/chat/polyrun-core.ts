import { chatCompletions } from '@polyrun/chat-completions';
import { ask } from '../agent/polyrun-core.ts';

const modelProvider = chatCompletions({ baseURL: 'http://127.0.0.1:11434/v1', apiKey: 'key' });
const { finalOutput } = await ask(modelProvider.getModel('local'));
console.log(finalOutput);
