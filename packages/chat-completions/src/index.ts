export type { AdapterOptions } from './options.ts';
export { chatCompletions } from './provider.ts';
