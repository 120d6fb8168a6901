export type { AdapterOptions } from './options.ts';
export { newWire } from './provider.ts';
