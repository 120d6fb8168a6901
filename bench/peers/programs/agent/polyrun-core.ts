import { Agent, Runner, tool, type Model } from '@polyrun/core';
import { description, instructions, parameters, question } from '../../src/contender.ts';

const weather = tool({ name: 'weather', description, parameters, execute: () => 'Sunny.' });

export const ask = (model: Model) =>
  Runner.run(new Agent({ name: 'Assistant', instructions, model, tools: [weather] }), question);
