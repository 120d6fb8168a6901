import { Agent, type AgentConfig } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { description, instructions, parameters, question } from '../../src/contender.ts';

const { type, properties, additionalProperties } = parameters;
const weather = createTool({
  id: 'weather',
  description,
  inputSchema: { type, properties, required: ['city'], additionalProperties },
  execute: async () => 'Sunny.',
});

export const ask = (model: AgentConfig['model']) =>
  new Agent({ id: 'assistant', name: 'Assistant', instructions, model, tools: { weather } }).generate(question);
