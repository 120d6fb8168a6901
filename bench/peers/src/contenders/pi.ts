import {
  agentLoop,
  runAgentLoop,
  type AgentLoopConfig,
  type AgentTool,
  type StreamFn,
} from '@mariozechner/pi-agent-core';
import {
  createAssistantMessageEventStream,
  type AssistantMessage,
  type Message,
  type Model,
  type UserMessage,
} from '@mariozechner/pi-ai';
import { streamSimpleOpenAICompletions } from '@mariozechner/pi-ai/openai-completions';
import { answer, description, instructions, parameters, question, type Contender, type Task } from '../contender.ts';

/** The loop of pi, the coding agent, by its functions; every model of pi streams. */
export const pi: Contender = {
  name: '@mariozechner/pi-agent-core',

  agent({ turns, history, weather }) {
    const streamFn = prepared({ turns, before: history + 1 });
    const tools = [weatherTool(weather)];
    const messages = historyOf(history);
    return async () =>
      lastText(
        await runAgentLoop(
          [ask()],
          { systemPrompt: instructions, messages, tools },
          config,
          ignore,
          undefined,
          streamFn,
        ),
      );
  },

  story(deltas) {
    const streamFn = preparedStory(deltas);
    return async () => {
      let seen = 0;
      const context = { systemPrompt: instructions, messages: [] };
      for await (const event of agentLoop([ask()], context, config, undefined, streamFn))
        if (event.type === 'message_update' && event.assistantMessageEvent.type === 'text_delta') seen++;
      return seen;
    };
  },

  overHttp({ baseURL, weather }) {
    const tools = [weatherTool(weather)];
    const http: AgentLoopConfig = { ...config, model: { ...model, baseUrl: baseURL }, apiKey: 'key', maxRetries: 0 };
    const streamFn: StreamFn = (_model, context, options) =>
      streamSimpleOpenAICompletions({ ...model, baseUrl: baseURL }, context, options);
    return {
      streamed: async () => {
        const context = { systemPrompt: instructions, messages: [], tools };
        return lastText(await runAgentLoop([ask()], context, http, ignore, undefined, streamFn));
      },
    };
  },
};

const model: Model<'openai-completions'> = {
  id: 'local',
  name: 'local',
  api: 'openai-completions',
  provider: 'local',
  baseUrl: '',
  reasoning: false,
  input: ['text'],
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  contextWindow: 1_000_000,
  maxTokens: 1_000,
};
const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 };
const usage = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, totalTokens: 15, cost };
const config: AgentLoopConfig = {
  model,
  // There are no messages of one's own to convert.
  convertToLlm: (messages) => messages,
};
const ignore = () => undefined;

function ask(): UserMessage {
  return { role: 'user', content: question, timestamp: 0 };
}

/** Reads off the length of the conversation which answer is due. */
function prepared({ turns, before }: { turns: number; before: number }): StreamFn {
  const calls = Array.from({ length: turns - 1 }, (_, turn) => callMessage(`call_${turn}`));
  const answers = [...calls, textMessage(answer)];
  return (_model, { messages }) => {
    const message = answers[(messages.length - before) / 2];
    if (message === undefined) throw new Error(`No answer was prepared after ${messages.length} messages.`);
    const stream = createAssistantMessageEventStream();
    stream.push({ type: 'done', reason: message.stopReason === 'toolUse' ? 'toolUse' : 'stop', message });
    return stream;
  };
}

function preparedStory(deltas: number): StreamFn {
  const message = textMessage('word '.repeat(deltas));
  return () => {
    const stream = createAssistantMessageEventStream();
    stream.push({ type: 'start', partial: message });
    for (let index = 0; index < deltas; index++)
      stream.push({ type: 'text_delta', contentIndex: 0, delta: 'word ', partial: message });
    stream.push({ type: 'done', reason: 'stop', message });
    return stream;
  };
}

function historyOf(length: number): Message[] {
  return Array.from({ length }, (_, index): Message => {
    const toolCallId = `call_old_${index >> 2}`;
    switch (index % 4) {
      case 0:
        return ask();
      case 1:
        return callMessage(toolCallId);
      case 2: {
        const content = [{ type: 'text' as const, text: 'Sunny.' }];
        return { role: 'toolResult', toolCallId, toolName: 'weather', content, isError: false, timestamp: 0 };
      }
      default:
        return textMessage(answer);
    }
  });
}

function callMessage(id: string): AssistantMessage {
  const content = [{ type: 'toolCall' as const, id, name: 'weather', arguments: { city: 'Oslo' } }];
  return { ...assistant, stopReason: 'toolUse', content };
}

function textMessage(text: string): AssistantMessage {
  return { ...assistant, stopReason: 'stop', content: [{ type: 'text', text }] };
}

const assistant = {
  role: 'assistant',
  api: 'openai-completions',
  provider: 'local',
  model: 'local',
  usage,
  timestamp: 0,
} as const;

function weatherTool(weather: Task['weather']): AgentTool {
  return {
    name: 'weather',
    label: 'weather',
    description,
    parameters,
    execute: async (_id, args) => ({ content: [{ type: 'text', text: weather(cityIn(args)) }], details: {} }),
  };
}

/** Checked against the schema before. */
function cityIn(args: unknown): string {
  return typeof args === 'object' && args !== null && 'city' in args ? String(args.city) : '';
}

function lastText(messages: readonly { role: string; content?: unknown }[]): string {
  const content = messages.findLast(({ role }) => role === 'assistant')?.content;
  const part: unknown = Array.isArray(content) ? content[0] : undefined;
  return typeof part === 'object' && part !== null && 'text' in part ? String(part.text) : '';
}
