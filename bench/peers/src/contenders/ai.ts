import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, isStepCount, streamText, tool, type ModelMessage } from 'ai';
import { z } from 'zod';
import { answer, description, instructions, question, type Contender, type Task } from '../contender.ts';
import { AiModel } from './ai-model.ts';

/** The AI SDK: `generateText` and `streamText`, which its agent classes wrap; telemetry is off, as it is by default. */
export const ai: Contender = {
  name: 'ai',

  agent({ turns, history, weather }) {
    const settings = { model: new AiModel({ turns }), ...settingsOf({ turns, weather }) };
    const messages: ModelMessage[] = [...historyOf(history), { role: 'user', content: question }];
    return async () => (await generateText({ ...settings, messages })).text;
  },

  story(deltas) {
    const model = new AiModel({ deltas });
    return async () => {
      let seen = 0;
      for await (const part of streamText({ model, instructions, prompt: question, maxRetries: 0 }).stream)
        if (part.type === 'text-delta') seen++;
      return seen;
    };
  },

  overHttp({ baseURL, turns, weather }) {
    const provider = createOpenAICompatible({ name: 'local', baseURL, apiKey: 'key' });
    const settings = { model: provider('local'), prompt: question, ...settingsOf({ turns, weather }) };
    return {
      whole: async () => (await generateText(settings)).text,
      streamed: async () => {
        const result = streamText(settings);
        for await (const _part of result.stream);
        return result.text;
      },
    };
  },
};

function settingsOf({ turns, weather }: Pick<Task, 'turns' | 'weather'>) {
  const tools = {
    weather: tool({
      description,
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => weather(city),
    }),
  };
  return { instructions, tools, stopWhen: isStepCount(turns), maxRetries: 0 };
}

/** An earlier conversation, as the AI SDK has it. */
export function historyOf(length: number): ModelMessage[] {
  return Array.from({ length }, (_, index): ModelMessage => {
    const call = { toolCallId: `call_old_${index >> 2}`, toolName: 'weather' };
    switch (index % 4) {
      case 0:
        return { role: 'user', content: question };
      case 1:
        return { role: 'assistant', content: [{ type: 'tool-call', ...call, input: { city: 'Oslo' } }] };
      case 2:
        return {
          role: 'tool',
          content: [{ type: 'tool-result', ...call, output: { type: 'text', value: 'Sunny.' } }],
        };
      default:
        return { role: 'assistant', content: answer };
    }
  });
}
