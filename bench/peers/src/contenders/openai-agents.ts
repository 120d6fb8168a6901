import {
  Agent,
  Runner,
  tool,
  Usage,
  type AgentInputItem,
  type AssistantMessageItem,
  type FunctionCallItem,
  type Model,
  type ModelRequest,
  type ModelResponse,
  type StreamEvent,
} from '@openai/agents-core';
import { OpenAIProvider } from '@openai/agents-openai';
import { OpenAI } from 'openai';
import { z } from 'zod';
import { answer, description, instructions, question, type Contender, type Task } from '../contender.ts';

/** The OpenAI Agents SDK; its tracing is off. */
export const openaiAgents: Contender = {
  name: '@openai/agents-core',

  agent({ turns, history, weather }) {
    const model = new PreparedModel({ turns, before: history + 1 });
    const agent = new Agent({ name: 'Assistant', instructions, model, tools: [weatherTool(weather)] });
    const runner = new Runner({ tracingDisabled: true });
    const input: AgentInputItem[] = [...historyOf(history), { role: 'user', content: question }];
    return async () => (await runner.run(agent, input, { maxTurns: turns })).finalOutput ?? '';
  },

  story(deltas) {
    const agent = new Agent({ name: 'Assistant', instructions, model: new StreamingModel(deltas) });
    const runner = new Runner({ tracingDisabled: true });
    return async () => {
      let seen = 0;
      const stream = await runner.run(agent, question, { stream: true });
      for await (const event of stream)
        if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') seen++;
      await stream.completed;
      return seen;
    };
  },

  overHttp({ baseURL, turns, weather }) {
    const openAIClient = new OpenAI({ baseURL, apiKey: 'key', maxRetries: 0 });
    const modelProvider = new OpenAIProvider({ openAIClient, useResponses: false });
    const agent = new Agent({ name: 'Assistant', instructions, model: 'local', tools: [weatherTool(weather)] });
    const runner = new Runner({ tracingDisabled: true, modelProvider });
    return {
      whole: async () => (await runner.run(agent, question, { maxTurns: turns })).finalOutput ?? '',
      streamed: async () => {
        const stream = await runner.run(agent, question, { stream: true, maxTurns: turns });
        for await (const _event of stream);
        await stream.completed;
        return stream.finalOutput ?? '';
      },
    };
  },
};

const usage = new Usage({ requests: 1, inputTokens: 10, outputTokens: 5, totalTokens: 15 });

/** Reads off the length of the input which answer is due. */
class PreparedModel implements Model {
  readonly #answers: readonly ModelResponse[];
  readonly #before: number;

  constructor({ turns, before }: { turns: number; before: number }) {
    const calls = Array.from({ length: turns - 1 }, (_, turn) => ({ usage, output: [callItem(`call_${turn}`)] }));
    this.#answers = [...calls, { usage, output: [messageItem(answer)] }];
    this.#before = before;
  }

  async getResponse({ input }: ModelRequest): Promise<ModelResponse> {
    const due = this.#answers[(input.length - this.#before) / 2];
    if (due === undefined) throw new Error(`No answer was prepared for an input of ${input.length} items.`);
    return due;
  }

  getStreamedResponse(): AsyncIterable<StreamEvent> {
    throw new Error('This model does not stream.');
  }
}

class StreamingModel implements Model {
  readonly #events: readonly StreamEvent[];

  constructor(deltas: number) {
    const story = Array.from({ length: deltas }, (): StreamEvent => ({ type: 'output_text_delta', delta: 'word ' }));
    const response = {
      id: 'response_1',
      usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
      output: [messageItem('word '.repeat(deltas))],
    };
    this.#events = [...story, { type: 'response_done', response }];
  }

  getResponse(): Promise<ModelResponse> {
    throw new Error('This model only streams.');
  }

  async *getStreamedResponse(): AsyncGenerator<StreamEvent> {
    for (const event of this.#events) yield event;
  }
}

function historyOf(length: number): AgentInputItem[] {
  return Array.from({ length }, (_, index): AgentInputItem => {
    const callId = `call_old_${index >> 2}`;
    switch (index % 4) {
      case 0:
        return { role: 'user', content: question };
      case 1:
        return callItem(callId);
      case 2:
        return { type: 'function_call_result', callId, name: 'weather', status: 'completed', output: 'Sunny.' };
      default:
        return messageItem(answer);
    }
  });
}

function callItem(callId: string): FunctionCallItem {
  return { type: 'function_call', callId, name: 'weather', arguments: '{"city":"Oslo"}', status: 'completed' };
}

function messageItem(text: string): AssistantMessageItem {
  return { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] };
}

function weatherTool(weather: Task['weather']) {
  return tool({
    name: 'weather',
    description,
    parameters: z.object({ city: z.string() }),
    execute: ({ city }) => weather(city),
  });
}
