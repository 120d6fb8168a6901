import { chatCompletions } from '@polyrun/chat-completions';
import { Agent, Runner, tool, type Item, type RunOptions } from '@polyrun/core';
import { z } from 'zod';
import { eventsOf } from '../../../src/deltas.ts';
import { answersOf, historyOf, PreparedModel, StreamingModel } from '../../../src/prepared-model.ts';
import { description, instructions, question, type Contender, type Task } from '../contender.ts';

/** Ours, as users get it: from its `dist`. */
export const polyrun: Contender = {
  name: '@polyrun/core',

  agent({ turns, history, weather }) {
    const model = new PreparedModel(answersOf(turns), { history: history + 1 });
    const agent = new Agent({ name: 'Assistant', instructions, model, tools: [weatherTool(weather)] });
    const input: readonly Item[] = [...historyOf(history), { type: 'message', role: 'user', content: question }];
    return async () => (await Runner.run(agent, input, { maxTurns: null })).finalOutput ?? '';
  },

  story(deltas) {
    const agent = new Agent({ name: 'Assistant', instructions, model: new StreamingModel(eventsOf(deltas)) });
    return async () => {
      let seen = 0;
      for await (const event of Runner.runStreamed(agent, question))
        if (event.type === 'raw_response_event' && event.data.type === 'response.output_text.delta') seen++;
      return seen;
    };
  },

  overHttp({ baseURL, weather }) {
    const agent = new Agent({ name: 'Assistant', instructions, model: 'local', tools: [weatherTool(weather)] });
    const modelProvider = chatCompletions({ baseURL, apiKey: 'key' });
    const options: RunOptions<unknown> = { maxTurns: null, runConfig: { modelProvider, retry: { maxRetries: 0 } } };
    return {
      whole: async () => (await Runner.run(agent, question, options)).finalOutput ?? '',
      streamed: async () => {
        const stream = Runner.runStreamed(agent, question, options);
        for await (const _event of stream);
        await stream.completed;
        return stream.finalOutput ?? '';
      },
    };
  },
};

function weatherTool(weather: Task['weather']) {
  return tool({
    name: 'weather',
    description,
    parameters: z.object({ city: z.string() }),
    execute: ({ city }) => weather(city),
  });
}
