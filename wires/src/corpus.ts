import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  ModelError,
  type Item,
  type Model,
  type ModelErrorKind,
  type ModelRequest,
  type ModelResponse,
} from '@polyrun/core';

type Fields = { readonly [field: string]: unknown };

/** How recordings of a wire are compared with what its adapter makes of them, where that is the wire's own. */
export type Reading = {
  /** The recorded counts in the convention of `Usage`; as they are by default. */
  usage?: (recorded: Counts) => Counts;
  /** The hosted calls that an item stands for, named as recordings name them. */
  hosted?: (item: Item) => readonly string[];
  /** Whether the adapter makes an item of this recorded hosted call; all by default. */
  isHosted?: (recorded: string) => boolean;
  /** The kind of a recorded error. */
  errorKind?: (error: NonNullable<Expected['error']>) => ModelErrorKind;
};
type Counts = { readonly [count: string]: number | null };
/** An exchange, the model that is asked for it, and how its answer is compared. */
export type Play = { exchange: Exchange; model: Model; reading?: Reading };

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
  /** Why more than one outcome is right: then a `protocol` error is one. */
  ambiguous?: string;
};
export type Exchange = {
  index: number;
  streaming: boolean;
  request: { method: string; path?: string; body: Fields } | null;
  response: { status: number; headers: { [name: string]: string }; body?: unknown; sse?: string; text?: string };
  expected: Expected;
};
export type Cassette = { id: string; provider: string; api: string; model: string; exchanges: Exchange[] };
export type ReplayServer = { url: string; close(): Promise<void> };

const shared = process.env['POLYRUN_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));

/** Why the recordings cannot be used; `undefined` when they can. */
export const corpusMissing: string | undefined = existsSync(`${shared}/corpus/_index.json`)
  ? undefined
  : `no recordings at ${shared}: set POLYRUN_SHARED to where they are`;

/** All recordings of one wire. */
export function cassettesOf(wire: string): Cassette[] {
  return readdirSync(`${shared}/corpus`)
    .filter((file) => file.endsWith('.json') && !file.startsWith('_'))
    .map((file) => JSON.parse(readFileSync(`${shared}/corpus/${file}`, 'utf8')) as Cassette)
    .filter(({ api }) => api === wire);
}

const providerNames: { readonly [recorded: string]: string } = {
  'azure-openai': 'azure',
  'google-openai-compat': 'gemini',
  moonshotai: 'moonshot',
  'anthropic-openai-compat': 'anthropic',
};

/** The name under which an adapter is to know the provider of a recording. */
export function providerName({ provider }: Cassette): string {
  return providerNames[provider] ?? provider.replace(/-via-gateway$/, '').replace(/^huggingface-.*/, 'huggingface');
}

export async function startReplay(): Promise<ReplayServer> {
  const replay = (await import(pathToFileURL(`${shared}/tools/replay-server.mjs`).href)) as {
    startReplayServer(dir: string): Promise<ReplayServer>;
  };
  return replay.startReplayServer(`${shared}/corpus`);
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
export async function play({ exchange, model, reading = {} }: Play): Promise<string[]> {
  const result = await answer(model, hello, exchange.streaming);
  return result instanceof ModelError
    ? errorProblems(result, exchange.expected, reading)
    : responseProblems(result, exchange.expected, reading);
}

function errorProblems(
  error: ModelError,
  { error: expected, malformed, ambiguous }: Expected,
  reading: Reading,
): string[] {
  if (malformed || (ambiguous !== undefined && !expected)) return differences({ kind: [error.kind, 'protocol'] });
  if (!expected) return [`unexpected error: ${error.kind}: ${error.message}`];
  const overHTTP = expected.status >= 400;
  return [
    ...differences({ kind: [error.kind, (reading.errorKind ?? errorKind)(expected)] }),
    ...(overHTTP ? differences({ status: [error.status, expected.status] }) : []),
    ...(error.message.includes(expected.message.slice(0, 30))
      ? []
      : [`the message lacks the provider's words: ${error.message}`]),
  ];
}

/** What the status and the code of a recorded error say of its kind. */
export function errorKind({ status, code }: { status: number; code?: string | number | null }): ModelErrorKind {
  if (code === 'content_filter') return 'content_filter';
  if (code === 'model_not_found') return 'not_found';
  if (status === 429) return 'rate_limit';
  return 'invalid_request';
}

function responseProblems(response: ModelResponse, expected: Expected, reading: Reading): string[] {
  if (expected.error || expected.malformed) return ['an error was expected'];
  const { output, stop, id, model } = response;
  return [
    ...differences({
      text: [textIn(output, 'output_text'), expected.text],
      refusal: [textIn(output, 'refusal'), expected.refusal || ''],
      reasoning: [reasoningIn(output), expected.reasoningText || ''],
      finish: [stop.raw ?? null, expected.finishReason],
      id: [id ?? '', expected.responseId || ''],
      model: [model, expected.responseModel ?? model],
    }),
    ...usageProblems(response, expected, reading),
    ...hostedProblems(response, expected, reading),
    ...callProblems(output, expected),
  ];
}

function usageProblems({ usage }: ModelResponse, { usage: recorded }: Expected, reading: Reading): string[] {
  const { usage: countsOf = (counts: Counts) => counts } = reading;
  const counts: { [count: string]: number } = {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    totalTokens: usage.totalTokens,
    cachedInputTokens: usage.inputTokensDetails.cachedTokens,
    cacheWriteTokens: usage.inputTokensDetails.cacheWriteTokens,
    reasoningTokens: usage.outputTokensDetails.reasoningTokens,
  };
  const counted = Object.entries(countsOf(recorded ?? {})).filter(([, value]) => value !== null);
  return differences({
    usage: [Object.fromEntries(counted.map(([name]) => [name, counts[name]])), Object.fromEntries(counted)],
    source: [usage.source, recorded === null ? 'estimated' : 'reported'],
  });
}

function hostedProblems({ output }: ModelResponse, { hostedToolCalls }: Expected, reading: Reading): string[] {
  const { hosted = () => [], isHosted = () => true } = reading;
  return differences({ hosted: [output.flatMap(hosted), hostedToolCalls.filter(isHosted)] });
}

function callProblems(output: readonly Item[], expected: Expected): string[] {
  const legacy = expected.legacyFunctionCall ? [{ ...expected.legacyFunctionCall, callId: '' }] : [];
  const wanted = [...expected.toolCalls, ...legacy];
  const calls = output.filter(isCall);
  if (calls.length !== wanted.length) return [`${calls.length} calls instead of ${wanted.length}`];
  return calls.flatMap((call, index) => {
    const want = wanted[index] ?? { name: '', arguments: null, callId: '' };
    return differences({
      name: [call.name, want.name],
      callId: [call.call_id, want.callId === '' ? call.call_id : want.callId],
      minted: [call.call_id === '', false],
      status: [call.status, 'completed'],
      arguments: [normal(call.arguments ?? call.input), normal(want.arguments)],
    });
  });
}

/** What the client is to run: calls of functions, and of tools that take any text. */
function isCall(item: Item): item is Item & { name?: string; call_id?: string; arguments?: string; input?: string } {
  return item.type === 'function_call' || item.type === 'custom_tool_call';
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
    .flatMap((item) => (item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])] : []))
    .map(({ text }) => text)
    .join('');
}

function differences(pairs: { [name: string]: [unknown, unknown] }): string[] {
  return Object.entries(pairs)
    .filter(([, [actual, wanted]]) => !isDeepStrictEqual(actual, wanted))
    .map(
      ([name, [actual, wanted]]) =>
        `${name}: ${JSON.stringify(actual)?.slice(0, 120)} instead of ${JSON.stringify(wanted)?.slice(0, 120)}`,
    );
}
