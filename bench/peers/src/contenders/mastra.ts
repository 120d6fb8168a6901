import { Agent, type AgentConfig } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';
import { description, instructions, question, type Contender, type Task } from '../contender.ts';
import { AiModel } from './ai-model.ts';
import { historyOf } from './ai.ts';

/** Mastra's agent, without memory; it takes the models of the AI SDK. */
export const mastra: Contender = {
  name: '@mastra/core',
  // What a turn takes grows with the run: a thousand take minutes.
  longest: 100,

  agent({ turns, history, weather }) {
    const agent = agentOf(new AiModel({ turns }), weather);
    const messages = [...historyOf(history), { role: 'user' as const, content: question }];
    return async () => (await agent.generate(messages, { maxSteps: turns })).text;
  },

  story(deltas) {
    const agent = agentOf(new AiModel({ deltas }));
    return async () => {
      let seen = 0;
      const { fullStream } = await agent.stream(question);
      for await (const part of fullStream) if (part.type === 'text-delta') seen++;
      return seen;
    };
  },

  overHttp({ baseURL, turns, weather }) {
    const agent = agentOf({ providerId: 'local', modelId: 'local', url: baseURL, apiKey: 'key' }, weather);
    return {
      whole: async () => (await agent.generate(question, { maxSteps: turns })).text,
      streamed: async () => {
        const result = await agent.stream(question, { maxSteps: turns });
        for await (const _part of result.fullStream);
        return result.text;
      },
    };
  },
};

function agentOf(model: AgentConfig['model'], weather?: Task['weather']): Agent {
  const tools = weather === undefined ? {} : { weather: weatherTool(weather) };
  return new Agent({ id: 'assistant', name: 'Assistant', instructions, model, maxRetries: 0, tools });
}

function weatherTool(weather: Task['weather']) {
  return createTool({
    id: 'weather',
    description,
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => weather(city),
  });
}
