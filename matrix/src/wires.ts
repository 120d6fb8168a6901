import { anthropic } from '@polyrun/anthropic';
import { chatCompletions } from '@polyrun/chat-completions';
import type { Model, ModelProvider, ModelRequest } from '@polyrun/core';
import { mistral } from '@polyrun/mistral';
import { openaiResponses } from '@polyrun/openai-responses';
import * as anthropicMessages from '@polyrun/wires/anthropic-messages';
import * as chat from '@polyrun/wires/chat-completions';
import { fromMessages } from '@polyrun/wires/from-anthropic-messages';
import { fromChat } from '@polyrun/wires/from-chat-completions';
import { fromMistral } from '@polyrun/wires/from-mistral';
import { fromResponses } from '@polyrun/wires/from-openai-responses';
import * as mistralWire from '@polyrun/wires/mistral';
import * as responses from '@polyrun/wires/openai-responses';

export type Fields = { readonly [field: string]: unknown };
/** A model, and the name under which its adapter knows the server. */
export type Place = { readonly provider: string; readonly model: string };

/** What the matrix knows of one wire. */
export type Wire = {
  readonly api: string;
  /** Where conversations of others are sent: servers and models that differ in what they demand. */
  readonly places: readonly Place[];
  provider(place: Place, at: { fetch?: typeof fetch; baseURL?: string }): ModelProvider;
  /** What the body of a request breaks of the wire's grammar. */
  problems(body: Fields, place: Place): readonly string[];
  /** The conversation in a body, as a list of which each request's is the beginning of the next one's. */
  conversation(body: Fields): readonly unknown[];
  /** A recorded request as items; `undefined` for what stands in no conversation of ours. */
  request(body: Fields, home: Place): ModelRequest | undefined;
  /** The smallest answer. */
  readonly answer: Fields;
};

const address = 'https://example.test/v1';
const completion = { id: 'c1', object: 'chat.completion', created: 1, model: 'm' };
const choice = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'ok' } };

export const wires: readonly Wire[] = [
  {
    api: 'openai-responses',
    places: [
      { provider: 'openai', model: 'gpt-5.6' },
      { provider: 'openai', model: 'gpt-4.1' },
      { provider: 'deepseek', model: 'deepseek-v4' },
    ],
    provider: ({ provider, model }, at) =>
      openaiResponses({ apiKey: 'none', name: provider, defaultModel: model, baseURL: address, ...at }),
    problems: (body, { provider }) => responses.grammarProblems(body, provider),
    conversation: ({ input }) => input as Fields[],
    request: (body, { provider }) => {
      const request = fromResponses(body, provider);
      return (request.previousResponseId ?? request.conversationId ?? body['prompt']) === undefined
        ? request
        : undefined;
    },
    answer: {
      id: 'resp_1',
      object: 'response',
      created_at: 1,
      status: 'completed',
      model: 'm',
      output: [
        {
          type: 'message',
          id: 'msg_1',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'ok', annotations: [] }],
        },
      ],
    },
  },
  {
    api: 'anthropic-messages',
    places: [
      { provider: 'anthropic', model: 'claude-sonnet-4-5' },
      { provider: 'anthropic', model: 'claude-opus-4-8' },
    ],
    provider: ({ provider, model }, at) => anthropic({ apiKey: 'none', name: provider, defaultModel: model, ...at }),
    problems: ({ betas: _betas, ...body }) => anthropicMessages.grammarProblems(body),
    // Neighbours of one role are one message; the marks that tell how far to cache move on.
    conversation: ({ messages }) =>
      (messages as { role: string; content: Fields[] }[]).flatMap(({ role, content }) =>
        content.map(({ cache_control: _mark, ...block }) => ({ role, ...block })),
      ),
    request: (body) =>
      Array.isArray(body['messages']) && !/container_upload|tool_addition|tool_removal/.test(JSON.stringify(body))
        ? fromMessages(body)
        : undefined,
    answer: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'ok' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  },
  {
    api: 'mistral',
    places: [
      { provider: 'mistral', model: 'mistral-small-latest' },
      { provider: 'mistral', model: 'magistral-medium-2507' },
    ],
    provider: ({ provider, model }, at) =>
      mistral({ apiKey: 'none', name: provider, defaultModel: model, baseURL: address, ...at }),
    problems: (body) => mistralWire.grammarProblems(body),
    conversation: ({ messages }) => messages as Fields[],
    request: (body) => fromMistral(body),
    answer: { ...completion, choices: [choice], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
  },
  {
    api: 'chat-completions',
    places: [
      { provider: 'openai', model: 'gpt-4.1' },
      { provider: 'deepseek', model: 'deepseek-reasoner' },
      { provider: 'mistral', model: 'mistral-small-latest' },
      { provider: 'openrouter', model: 'anthropic/claude-sonnet-4.5' },
    ],
    provider: ({ provider, model }, at) =>
      chatCompletions({ apiKey: 'none', name: provider, defaultModel: model, baseURL: address, ...at }),
    problems: (body, { provider }) => chat.grammarProblems(body, provider),
    conversation: ({ messages }) => messages as Fields[],
    request: (body, home) =>
      Array.isArray(body['messages']) ? fromChat({ ...body, messages: body['messages'] as never }, home) : undefined,
    answer: { ...completion, choices: [choice] },
  },
];

/** The wire of a name. */
export function wireOf(api: string): Wire {
  const wire = wires.find((each) => each.api === api);
  if (!wire) throw new Error(`there is no wire ${api}`);
  return wire;
}

/** A model of a wire that reaches its server through `fetch`. */
export function modelAt(wire: Wire, place: Place, fetch: typeof globalThis.fetch): Model {
  return wire.provider(place, { fetch }).getModel();
}
