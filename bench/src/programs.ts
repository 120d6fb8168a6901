import { Agent, tool, type Model } from '@polyrun/core';
import type { Program } from './floor.ts';

const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;
const instructions = 'Be brief.';
const description = 'Tells the weather of a city.';
const execute = () => 'Sunny.';
const executeLater = async () => 'Sunny.';

/** One agent with one tool, as polyrun and as the hand-written loop have it. `async`: the tool gives a promise. */
export function programs(model: Model, kind: 'sync' | 'async' = 'sync'): { agent: Agent; byHand: Program } {
  const run = kind === 'sync' ? execute : executeLater;
  const weather = tool({ name: 'weather', description, parameters, execute: run });
  return {
    agent: new Agent({ name: 'Assistant', instructions, model, tools: [weather] }),
    byHand: {
      model,
      request: {
        instructions,
        tools: [{ type: 'function', name: 'weather', description, parameters, strict: true }],
        settings: {},
      },
      tools: { weather: run },
    },
  };
}
