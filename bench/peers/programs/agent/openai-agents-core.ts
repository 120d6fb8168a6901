import { Agent, Runner, tool, type Model } from '@openai/agents-core';
import { description, instructions, parameters, question } from '../../src/contender.ts';

const { type, properties, additionalProperties } = parameters;
const weather = tool({
  name: 'weather',
  description,
  parameters: { type, properties, required: ['city'], additionalProperties },
  execute: () => 'Sunny.',
});

export const ask = (model: Model) =>
  new Runner().run(new Agent({ name: 'Assistant', instructions, model, tools: [weather] }), question);
