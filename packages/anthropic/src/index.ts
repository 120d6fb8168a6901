export type { AdapterOptions } from './options.ts';
export { anthropic } from './provider.ts';
