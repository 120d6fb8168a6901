import type { Item, Model } from '@polyrun/core';
import { eventsOf } from '../../../src/deltas.ts';
import { handWritten, handWrittenStream, type Program } from '../../../src/floor.ts';
import { answersOf, historyOf, PreparedModel, StreamingModel } from '../../../src/prepared-model.ts';
import { description, instructions, parameters, question, type Contender } from '../contender.ts';
import { chatByHand } from './chat-by-hand.ts';

/** The loops of one screen that one writes without a library: what everyone else's figures are measured over. */
export const byHand: Contender = {
  name: 'by hand',

  agent({ turns, history, weather }) {
    const program = programOf(new PreparedModel(answersOf(turns), { history: history + 1 }), weather);
    const input: readonly Item[] = [...historyOf(history), { type: 'message', role: 'user', content: question }];
    return async () => (await handWritten(program, input)).text;
  },

  story(deltas) {
    const program = programOf(new StreamingModel(eventsOf(deltas)), () => '');
    return async () => {
      let seen = 0;
      for await (const event of handWrittenStream(program, [{ role: 'user', content: question }]))
        if (event.type === 'response.output_text.delta') seen++;
      return seen;
    };
  },

  overHttp: (task) => ({ whole: () => chatByHand(task), streamed: () => chatByHand(task, { streamed: true }) }),
};

function programOf(model: Model, weather: (city: string) => string): Program {
  const request = {
    instructions,
    tools: [{ type: 'function', name: 'weather', description, parameters, strict: true }] as const,
    settings: {},
  };
  return { model, request, tools: { weather: ({ city }) => weather(city) } };
}
