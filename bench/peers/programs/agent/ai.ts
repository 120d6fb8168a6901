import { generateText, isStepCount, jsonSchema, tool, type LanguageModel } from 'ai';
import { description, instructions, parameters, question } from '../../src/contender.ts';

const { type, properties, additionalProperties } = parameters;
const inputSchema = jsonSchema<{ city: string }>({
  type,
  properties,
  required: ['city'],
  additionalProperties,
});
const weather = tool({ description, inputSchema, execute: () => 'Sunny.' });

export const ask = (model: LanguageModel) =>
  generateText({ model, instructions, prompt: question, tools: { weather }, stopWhen: isStepCount(10) });
