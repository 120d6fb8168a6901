export type { AdapterOptions } from './options.ts';
export { presetNames } from './presets.ts';
export { chatCompletions } from './provider.ts';
