import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ModelError, type Item, type Model, type ModelRequest, type ModelResponse } from '@polyrun/core';
import { chatCompletions } from '../../src/index.ts';

export type Call = { name: string; arguments: unknown; callId: string; type?: string };
export type Expected = {
  text: string;
  toolCalls: Call[];
  refusal: string | null;
  finishReason: string | null;
  reasoningText?: string | null;
  usage: { [count: string]: number | null } | null;
  responseId: string | null;
  responseModel: string | null;
  hostedToolCalls: string[];
  legacyFunctionCall?: { name: string; arguments: unknown };
  error?: { status: number; code?: string | number | null; message: string; inStream?: boolean; in200?: boolean };
  malformed?: boolean;
};
export type Exchange = {
  index: number;
  streaming: boolean;
  request: { method: string; body: ChatBody } | null;
  response: { status: number; headers: { [name: string]: string }; body?: unknown; sse?: string; text?: string };
  expected: Expected;
};
export type ChatBody = { messages: { [field: string]: unknown; role: string }[]; [field: string]: unknown };
export type Cassette = { id: string; provider: string; api: string; model: string; exchanges: Exchange[] };
export type ReplayServer = { url: string; close(): Promise<void> };

const shared = process.env['POLYRUN_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));

/** Why the recordings cannot be used; `undefined` when they can. */
export const corpusMissing: string | undefined = existsSync(`${shared}/corpus/_index.json`)
  ? undefined
  : `no recordings at ${shared}: set POLYRUN_SHARED to where they are`;

/** All recordings of this wire. */
export function chatCassettes(): Cassette[] {
  return readdirSync(`${shared}/corpus`)
    .filter((file) => file.endsWith('.json') && !file.startsWith('_'))
    .map((file) => JSON.parse(readFileSync(`${shared}/corpus/${file}`, 'utf8')) as Cassette)
    .filter(({ api }) => api === 'chat-completions');
}

export async function startReplay(): Promise<ReplayServer> {
  const replay = (await import(pathToFileURL(`${shared}/tools/replay-server.mjs`).href)) as {
    startReplayServer(dir: string): Promise<ReplayServer>;
  };
  return replay.startReplayServer(`${shared}/corpus`);
}

const presetNames: { [provider: string]: string } = {
  'azure-openai': 'azure',
  'google-openai-compat': 'gemini',
  moonshotai: 'moonshot',
  'anthropic-openai-compat': 'anthropic',
};

/** The name under which the adapter is to know the provider of a recording. */
export function providerName({ provider }: Cassette): string {
  return presetNames[provider] ?? provider.replace(/-via-gateway$/, '').replace(/^huggingface-.*/, 'huggingface');
}

export function replayModel(cassette: Cassette, baseURL: string): Model {
  return chatCompletions({ baseURL, apiKey: 'test-key', name: providerName(cassette) }).getModel(
    cassette.model || 'any',
  );
}

export const hello: ModelRequest = {
  input: [{ type: 'message', role: 'user', content: 'Hello' }],
  tools: [],
  settings: {},
};

/** What a model answers, or the error that it throws. */
export async function answer(
  model: Model,
  request: ModelRequest,
  streaming: boolean,
): Promise<ModelResponse | ModelError> {
  try {
    if (!streaming) return await model.getResponse(request);
    let response: ModelResponse | undefined;
    for await (const event of model.streamResponse(request))
      if (event.type === 'polyrun:response_done') response = event.response;
    if (!response) throw new Error('the stream ended without polyrun:response_done');
    return response;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

/** Plays one exchange; returns how the adapter's answer differs from what was recorded. */
export async function play(
  cassette: Cassette,
  exchange: Exchange,
  at: { url: string; chunk: number },
): Promise<string[]> {
  const model = replayModel(cassette, `${at.url}/c/${cassette.id}/${exchange.index};chunk=${at.chunk}`);
  const result = await answer(model, hello, exchange.streaming);
  return result instanceof ModelError
    ? errorProblems(result, exchange.expected)
    : responseProblems(result, exchange.expected);
}

function errorProblems(error: ModelError, { error: expected, malformed }: Expected): string[] {
  if (malformed) return differences({ kind: [error.kind, 'protocol'] });
  if (!expected) return [`unexpected error: ${error.kind}: ${error.message}`];
  const overHTTP = expected.status >= 400;
  return [
    ...differences({ kind: [error.kind, kindOf(expected)] }),
    ...(overHTTP ? differences({ status: [error.status, expected.status] }) : []),
    ...(error.message.includes(expected.message.slice(0, 30))
      ? []
      : [`the message lacks the provider's words: ${error.message}`]),
  ];
}

function kindOf({ status, code }: { status: number; code?: string | number | null }): string {
  if (code === 'content_filter') return 'content_filter';
  if (code === 'model_not_found') return 'not_found';
  if (status === 429) return 'rate_limit';
  return 'invalid_request';
}

function responseProblems(response: ModelResponse, expected: Expected): string[] {
  if (expected.error || expected.malformed) return ['an error was expected'];
  const { inputTokensDetails, outputTokensDetails } = response.usage;
  const usage = {
    inputTokens: response.usage.inputTokens,
    outputTokens: response.usage.outputTokens,
    totalTokens: response.usage.totalTokens,
    cachedInputTokens: inputTokensDetails.cachedTokens,
    cacheWriteTokens: inputTokensDetails.cacheWriteTokens,
    reasoningTokens: outputTokensDetails.reasoningTokens,
  };
  const counted = Object.entries(expected.usage ?? {}).filter(([, value]) => value !== null);
  return [
    ...differences({
      text: [textIn(response.output, 'output_text'), expected.text],
      refusal: [textIn(response.output, 'refusal') || null, expected.refusal || null],
      reasoning: [reasoningIn(response.output), expected.reasoningText ?? ''],
      finish: [response.stop.raw ?? null, expected.finishReason],
      id: [response.id ?? '', expected.responseId ?? ''],
      model: [response.model, expected.responseModel ?? response.model],
      usage: [
        pick(
          usage,
          counted.map(([name]) => name),
        ),
        Object.fromEntries(counted),
      ],
      source: [response.usage.source, expected.usage === null ? 'estimated' : 'reported'],
      hosted: [hostedIn(response.output), expected.hostedToolCalls.filter((call) => call.startsWith('executed_tool'))],
    }),
    ...callProblems(response.output, expected),
  ];
}

function callProblems(output: readonly Item[], expected: Expected): string[] {
  const legacy = expected.legacyFunctionCall ? [{ ...expected.legacyFunctionCall, callId: '' }] : [];
  const wanted = [...expected.toolCalls, ...legacy];
  const calls = output.filter((item) => item.type === 'function_call');
  if (calls.length !== wanted.length) return [`${calls.length} calls instead of ${wanted.length}`];
  return calls.flatMap((call, index) => {
    const want = wanted[index] ?? { name: '', arguments: null, callId: '' };
    return differences({
      name: [call.name, want.name],
      callId: [call.call_id, want.callId === '' ? call.call_id : want.callId],
      minted: [call.call_id === '', false],
      status: [call.status, 'completed'],
      arguments: [normal(call.arguments), normal(want.arguments)],
    });
  });
}

function normal(args: unknown): unknown {
  if (args === null || args === '') return {};
  if (typeof args !== 'string') return args;
  try {
    return JSON.parse(args) as unknown;
  } catch {
    return args;
  }
}

function hostedIn(output: readonly Item[]): string[] {
  return output.flatMap((item) =>
    item.type.endsWith(':executed_tool') && 'data' in item
      ? [`executed_tool:${(item['data'] as { type: string }).type}`]
      : [],
  );
}

function textIn(output: readonly Item[], type: 'output_text' | 'refusal'): string {
  return output
    .flatMap((item) => (item.type === 'message' && typeof item.content !== 'string' ? item.content : []))
    .map((part) =>
      part.type === 'output_text' ? (type === part.type ? part.text : '') : part.type === type ? part.refusal : '',
    )
    .join('');
}

function reasoningIn(output: readonly Item[]): string {
  return output
    .flatMap((item) => (item.type === 'reasoning' ? (item.content ?? []) : []))
    .map(({ text }) => text)
    .join('');
}

function pick(from: { [name: string]: number }, names: string[]): { [name: string]: number | undefined } {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

function differences(pairs: { [name: string]: [unknown, unknown] }): string[] {
  return Object.entries(pairs)
    .filter(([, [actual, wanted]]) => !isDeepStrictEqual(actual, wanted))
    .map(
      ([name, [actual, wanted]]) =>
        `${name}: ${JSON.stringify(actual)?.slice(0, 120)} instead of ${JSON.stringify(wanted)?.slice(0, 120)}`,
    );
}
