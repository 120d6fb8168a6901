export type { AdapterOptions } from './options.ts';
export { mistral } from './provider.ts';
