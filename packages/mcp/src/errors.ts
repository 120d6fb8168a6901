import { AgentsError } from '@polyrun/core';
import { redactor, type Redact } from '@polyrun/core/http';
import { SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import type { McpServerOptions, McpTransport } from './options.ts';

/**
 * `connect`: the server could not be reached, or did not get ready. `timeout`: it took too long. `closed`: the connection ended before
 * the answer, so what was asked for may have happened. `protocol`: it answered with an error, or with what is no answer. `tool`: a tool
 * ran and reports that it failed.
 */
export type McpErrorKind = 'connect' | 'timeout' | 'closed' | 'protocol' | 'tool';
type Facts = { server: string; kind: McpErrorKind; status?: number | undefined };

/** Something went wrong between an agent and an MCP server. The message holds no credentials; of the kind `tool` it is what the tool said. */
export class McpError extends AgentsError<Facts> {
  static override readonly brand: string = 'McpError';
  /** The name that the server was given in `mcpServer`. */
  declare readonly server: string;
  declare readonly kind: McpErrorKind;
  /** The HTTP status, where there is one. */
  declare readonly status?: number;
}

/** Makes the errors of one server: they name it, and what is secret in its options is taken out of them. */
export class ErrorWords {
  readonly #server: string;
  readonly #redact: Redact;

  constructor({ name, transport }: Pick<McpServerOptions, 'name' | 'transport'>) {
    this.#server = name;
    this.#redact = redactor(secretsOf(transport));
  }

  /** An error in our own words, with what others said behind them. */
  error(kind: McpErrorKind, words: string, said: { text?: string; status?: number | undefined } = {}): McpError {
    const told = this.#redact(said.text?.trim() ?? '');
    const message = `MCP server '${this.#server}' ${words}${told === '' ? '' : `: ${told}`}`;
    const end = /[.!?]$/.test(message) ? '' : '.';
    return new McpError(message + end, { server: this.#server, kind, status: said.status });
  }

  /** The error of a tool that reports its own failure, in its own words: they are for the model. */
  reported(words: string): McpError {
    return new McpError(words, { server: this.#server, kind: 'tool' });
  }

  /** The error of a server that did not get ready; `wrote` is what its process wrote meanwhile. */
  notReady(error: unknown, wrote: string): Error {
    if (error instanceof AgentsError) return error;
    const text = wrote.trim() === '' ? wordsOf(error) : `${wordsOf(error)}. It wrote: ${wrote.trim()}`;
    return this.error('connect', 'did not get ready', { text, status: statusOf(error) });
  }

  /** The error for what the client threw at a request. `what` says what the server failed to do. */
  failed(error: unknown, what: string): Error {
    if (error instanceof AgentsError) return error;
    if (isCode(error, SdkErrorCode.RequestTimeout)) return this.error('timeout', `${what} in time`);
    if (!isLost(error)) return this.error('protocol', what, { text: wordsOf(error), status: statusOf(error) });
    return this.error('closed', `${what}, and whether it did is not known: the connection was lost`);
  }
}

/** What a request is answered with when the stream that was to bring its answer ends early. */
export const streamEnded = { code: -32000, message: 'The stream of the answer ended early.' } as const;

/** True when the connection, not the server's answer, is what failed. */
export function isLost(error: unknown): boolean {
  // What fetch throws when there is no connection.
  if (error instanceof TypeError) return true;
  if (isCode(error, SdkErrorCode.ConnectionClosed) || isCode(error, SdkErrorCode.NotConnected)) return true;
  return error instanceof Error && error.message === streamEnded.message;
}

function isCode(error: unknown, code: SdkErrorCode): boolean {
  return error instanceof SdkError && error.code === code;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof SdkHttpError ? error.status : undefined;
}

/** The words of an error and of what caused it: `fetch failed` alone says nothing. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = error.message || ('code' in error ? String(error.code) : error.name);
  return error.cause === undefined ? words : `${words} (${wordsOf(error.cause)})`;
}

/** Values in a transport's options that must appear in no message. */
function secretsOf(transport: McpTransport): string[] {
  if (transport.type === 'stdio') return Object.values(transport.env ?? {}).filter((value) => value.length >= 8);
  if (transport.type === 'custom') return [];
  const { username, password, searchParams } = new URL(transport.url);
  const headers = typeof transport.headers === 'object' ? Object.values(transport.headers) : [];
  const tokens = headers.flatMap((value) => [value, value.replace(/^\w+ /, '')]);
  return [username, password, ...searchParams.values(), ...tokens];
}
