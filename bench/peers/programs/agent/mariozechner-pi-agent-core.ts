import { runAgentLoop, type AgentLoopConfig, type AgentTool, type StreamFn } from '@mariozechner/pi-agent-core';
import { description, instructions, parameters, question } from '../../src/contender.ts';

const weather: AgentTool = {
  name: 'weather',
  label: 'weather',
  description,
  parameters,
  execute: async () => ({ content: [{ type: 'text', text: 'Sunny.' }], details: {} }),
};

export const ask = (model: AgentLoopConfig['model'], streamFn: StreamFn) =>
  runAgentLoop(
    [{ role: 'user', content: question, timestamp: 0 }],
    { systemPrompt: instructions, messages: [], tools: [weather] },
    { model, apiKey: 'key', convertToLlm: (messages) => messages },
    () => undefined,
    undefined,
    streamFn,
  );
