export type { AdapterOptions } from './options.ts';
export { openaiResponses } from './provider.ts';
