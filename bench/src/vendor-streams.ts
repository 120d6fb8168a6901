import { Anthropic } from '@anthropic-ai/sdk';
import { HTTPClient, Mistral } from '@mistralai/mistralai';
import { anthropic } from '@polyrun/anthropic';
import { chatCompletions } from '@polyrun/chat-completions';
import type { ModelProvider } from '@polyrun/core';
import { mistral } from '@polyrun/mistral';
import { openaiResponses } from '@polyrun/openai-responses';
import { OpenAI } from 'openai';

/** One wire: its adapter, its vendor's bare client, and a text as it streams there. */
export type Wire = {
  readonly name: string;
  readonly provider: (options: { apiKey: string; fetch: typeof fetch }) => ModelProvider;
  readonly model: string;
  /** Everything that the bare client brings of a stream. */
  readonly bare: (fetch: typeof globalThis.fetch) => () => Promise<AsyncIterable<unknown>>;
  /** The events of a stream of so many deltas. */
  readonly events: (deltas: number) => readonly object[];
  /** What closes the stream, if anything. */
  readonly end: string;
};

const apiKey = 'bench';
const word = 'word ';
const hello = { role: 'user', content: 'Tell me a long story.' } as const;

/** The four wires that there are adapters for. */
export const wires: readonly Wire[] = [
  {
    name: 'chat-completions',
    provider: chatCompletions,
    model: 'openai/gpt-4.1',
    bare: (fetch) => {
      const client = new OpenAI({ apiKey, fetch });
      return () => client.chat.completions.create({ model: 'gpt-4.1', messages: [hello], stream: true });
    },
    events: chatEvents,
    end: 'data: [DONE]\n\n',
  },
  {
    name: 'openai-responses',
    provider: openaiResponses,
    model: 'gpt-4.1',
    bare: (fetch) => {
      const client = new OpenAI({ apiKey, fetch });
      return () => client.responses.create({ model: 'gpt-4.1', input: [hello], stream: true });
    },
    events: responsesEvents,
    end: '',
  },
  {
    name: 'mistral',
    provider: mistral,
    model: 'mistral-small-latest',
    bare: (fetch) => {
      const client = new Mistral({ apiKey, httpClient: new HTTPClient({ fetcher: fetch }) });
      return () => client.chat.stream({ model: 'mistral-small-latest', messages: [hello] });
    },
    events: chatEvents,
    end: 'data: [DONE]\n\n',
  },
  {
    name: 'anthropic',
    provider: anthropic,
    model: 'claude-opus-5-5',
    bare: (fetch) => {
      const client = new Anthropic({ apiKey, fetch });
      return () =>
        client.messages.create({ model: 'claude-opus-5-5', max_tokens: 1000, messages: [hello], stream: true });
    },
    events: anthropicEvents,
    end: '',
  },
];

/** A `fetch` that answers everything with a stream of so many deltas, each arriving by itself. */
export function streamingFetch({ events, end }: Wire, deltas: number): typeof fetch {
  const encoder = new TextEncoder();
  const pieces = events(deltas).map((event) => encoder.encode(frameOf(event)));
  if (end !== '') pieces.push(encoder.encode(end));
  return async () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces[at++];
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
}

function frameOf(event: object): string {
  const data = `data: ${JSON.stringify(event)}\n\n`;
  return 'type' in event ? `event: ${String(event.type)}\n${data}` : data;
}

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value);
}

function chatEvents(deltas: number): readonly object[] {
  const chunk = (delta: object, finish_reason: string | null, more: object = {}) => ({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1763640371,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
    ...more,
  });
  const usage = { prompt_tokens: 10, completion_tokens: deltas, total_tokens: deltas + 10 };
  return [
    chunk({ role: 'assistant', content: '' }, null),
    ...times(deltas, chunk({ content: word }, null)),
    chunk({ content: '' }, 'stop', { usage }),
  ];
}

function responsesEvents(deltas: number): readonly object[] {
  const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const part = { type: 'output_text', text: word.repeat(deltas), annotations: [], logprobs: [] };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
  const usage = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: deltas,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: deltas + 10,
  };
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1763640371,
    model: 'm',
    status: 'in_progress',
    output: [],
  };
  return [
    { type: 'response.created', response },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    ...times(deltas, { type: 'response.output_text.delta', ...place, delta: word, logprobs: [] }),
    { type: 'response.output_text.done', ...place, text: part.text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { ...response, status: 'completed', output: [item], usage } },
  ].map((event, sequence_number) => ({ ...event, sequence_number }));
}

function anthropicEvents(deltas: number): readonly object[] {
  const usage = { input_tokens: 10, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null };
  return [
    { type: 'message_start', message: { ...message, stop_sequence: null, usage } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...times(deltas, { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: word } }),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: deltas },
    },
    { type: 'message_stop' },
  ];
}
