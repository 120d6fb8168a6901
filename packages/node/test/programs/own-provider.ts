import { setTimeout } from 'node:timers/promises';
import { usageOf, type Model, type ModelProvider } from '@polyrun/core';

type Options = { delays: number[] };

/** A provider of one's own, whose models take their time and do not listen to signals. */
export function ownProvider({ delays }: Options): ModelProvider {
  let calls = 0;
  const model = (name: string): Model => ({
    provider: 'own',
    name,
    capabilities: {},
    getResponse: async () => {
      const nth = calls++;
      await setTimeout(delays[nth] ?? 0);
      return {
        model: name,
        output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: `answer ${nth}` }] }],
        usage: usageOf({ inputTokens: 1, outputTokens: 1 }),
        stop: { type: 'end', raw: null },
        adaptations: [],
      };
    },
    streamResponse: () => {
      throw new Error('It does not stream.');
    },
  });
  return {
    name: 'own',
    getModel: (name = 'default') => model(name),
    reference: { module: import.meta.url, export: 'ownProvider', options: { delays } },
  };
}

/** A provider whose models say what they were told. */
export function echoingProvider(): ModelProvider {
  const provider = ownProvider({ delays: [] });
  const getResponse: Model['getResponse'] = async ({ input }) => ({
    model: 'echo',
    output: [
      { type: 'message', role: 'assistant', content: input.map((item) => 'content' in item && item.content).join(' ') },
    ],
    usage: usageOf({ inputTokens: 1, outputTokens: 1 }),
    stop: { type: 'end', raw: null },
    adaptations: [],
  });
  return {
    ...provider,
    getModel: (name) => ({ ...provider.getModel(name), getResponse }),
    reference: { module: import.meta.url, export: 'echoingProvider', options: {} },
  };
}

/** A provider whose call ends the thread that makes it. */
export function leavingProvider(): ModelProvider {
  const provider = ownProvider({ delays: [] });
  const leave = (): never => process.exit(3);
  return { ...provider, getModel: (name) => ({ ...provider.getModel(name), getResponse: leave }) };
}

/** A provider whose call leaves an error behind that nobody catches, and never answers. */
export function looseProvider(): ModelProvider {
  const provider = ownProvider({ delays: [] });
  const getResponse = () => {
    setImmediate(() => {
      throw new Error('a loose end');
    });
    return new Promise<never>(() => undefined);
  };
  return { ...provider, getModel: (name) => ({ ...provider.getModel(name), getResponse }) };
}

export const notAFunction = 1;
