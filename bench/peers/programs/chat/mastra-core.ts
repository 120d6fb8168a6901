import { ask } from '../agent/mastra-core.ts';

const { text } = await ask({
  providerId: 'local',
  modelId: 'local',
  url: 'http://127.0.0.1:11434/v1',
  apiKey: 'key',
});
console.log(text);
