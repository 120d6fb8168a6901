import type { Contender } from '../contender.ts';

export const floor = 'by hand';
export const ours = '@polyrun/core';
export const peers = ['@openai/agents-core', 'ai', '@mariozechner/pi-agent-core', '@mastra/core'] as const;
export const names = [floor, ours, ...peers] as const;

/** Imports one of them, and so only its own library. */
export function load(name: string): Promise<Contender> {
  const contender = contenders[name];
  if (!contender) throw new Error(`There is no ${name}; choose from ${names.join(', ')}.`);
  return contender();
}

const contenders: { readonly [name: string]: () => Promise<Contender> } = {
  [floor]: async () => (await import('./by-hand.ts')).byHand,
  [ours]: async () => (await import('./polyrun.ts')).polyrun,
  '@openai/agents-core': async () => (await import('./openai-agents.ts')).openaiAgents,
  ai: async () => (await import('./ai.ts')).ai,
  '@mariozechner/pi-agent-core': async () => (await import('./pi.ts')).pi,
  '@mastra/core': async () => (await import('./mastra.ts')).mastra,
};
