import { UserError } from '../../errors.ts';
import { isFields, parseJson, type Fields } from '../../protocol/json.ts';
import type { ModelErrorKind, StopType } from '../../protocol/response.ts';
import { files } from './host.ts';

/**
 * A file of recorded or hand-written answers of one provider, `<id>.json` in the folder of fixtures. Files whose name begins with
 * `_` are left alone; so are fields that are not named here.
 */
export type Cassette = {
  /** The model that is asked for; `createModel` gets it as `modelName`. */
  readonly model?: string;
  readonly exchanges: readonly Exchange[];
};

/** One request and its answer. */
export type Exchange = {
  /** Whether the answer is a stream. */
  readonly streaming: boolean;
  /** The exchange of the same file that holds the same answer unstreamed: its index. Only for streams. */
  readonly sameAs?: number;
  /** `body` is a JSON value, `sse` the text of an event stream, `text` a body that is neither. */
  readonly response: {
    readonly status: number;
    readonly headers?: { readonly [name: string]: string };
    readonly body?: unknown;
    readonly sse?: string;
    readonly text?: string;
  };
  readonly expected: Expected;
};

/** What a model is to make of an answer. Fields that are left out are not compared. */
export type Expected = {
  /** All text of the assistant, parts joined without a separator. */
  readonly text?: string;
  /** The calls that the client must run, in order. `arguments` is JSON, or the text itself where that is none. */
  readonly toolCalls?: readonly ExpectedCall[];
  /** All visible reasoning, joined. */
  readonly reasoningText?: string | null;
  readonly refusal?: string | null;
  readonly stop?: StopType;
  /** The provider's own word for the stop, as `stop.raw` tells it. */
  readonly finishReason?: string | null;
  /** In the convention of `Usage`, `inputTokens` with cached ones; null: none is told. */
  readonly usage?: { readonly [count: string]: unknown } | null;
  readonly responseId?: string | null;
  readonly responseModel?: string | null;
  /** The answer is an error: of that kind, and with words that the message must quote. */
  readonly error?: { readonly kind?: ModelErrorKind; readonly message?: string; readonly [fact: string]: unknown };
  /** The answer has status 200 but is no answer of a model. */
  readonly malformed?: boolean;
};

/** `type` is `custom` for a tool whose input is a text, never parsed. */
export type ExpectedCall = {
  readonly name: string;
  readonly arguments: unknown;
  readonly callId?: string;
  readonly type?: string;
};

/** An exchange, and where it was found. */
export type Recorded = Exchange & {
  readonly name: string;
  readonly file: string;
  readonly index: number;
  readonly model?: string;
};

/** All exchanges of a folder, file by file. */
export function readCassettes(folder: string | undefined): readonly Recorded[] {
  if (folder === undefined) return [];
  const at = folder.startsWith('file:') ? new URL(folder.endsWith('/') ? folder : `${folder}/`) : folder;
  const names = namesIn(at).filter((name) => name.endsWith('.json') && !name.startsWith('_'));
  return names.toSorted().flatMap((name) => {
    const file = at instanceof URL ? new URL(name, at) : `${at}/${name}`;
    return exchangesOf(parseJson(files().readFileSync(file, 'utf8')), name);
  });
}

function namesIn(folder: string | URL): string[] {
  try {
    return files().readdirSync(folder);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const message = `describeModel fixtures: ${String(folder)} is no folder that can be read; give its whole path or a file URL.`;
    throw new UserError(message, { cause });
  }
}

function exchangesOf(cassette: unknown, file: string): Recorded[] {
  const problem = cassetteProblem(cassette);
  if (problem !== undefined) throw new UserError(`describeModel fixtures: ${file}: ${problem}.`);
  return isCassette(cassette)
    ? cassette.exchanges.map((exchange, index) => ({
        ...exchange,
        ...(cassette.model !== undefined && { model: cassette.model }),
        file,
        index,
        name: cassette.exchanges.length === 1 ? file : `${file} exchange ${index}`,
      }))
    : [];
}

function isCassette(value: unknown): value is Cassette {
  return cassetteProblem(value) === undefined;
}

function cassetteProblem(value: unknown): string | undefined {
  if (!isFields(value)) return 'is no JSON object';
  const { exchanges } = value;
  if (!Array.isArray(exchanges)) return "lacks 'exchanges', the list of requests and answers";
  for (const [index, exchange] of exchanges.entries()) {
    const problem = isFields(exchange) ? exchangeProblem(exchange, exchanges) : 'must be an object';
    if (problem !== undefined) return `exchanges[${index}] ${problem}`;
  }
  return undefined;
}

function exchangeProblem(
  { response, expected, streaming, sameAs }: Fields,
  all: readonly unknown[],
): string | undefined {
  if (!isFields(response) || typeof response['status'] !== 'number') return "lacks 'response.status'";
  const { body, sse, text } = response;
  if (body === undefined && typeof sse !== 'string' && typeof text !== 'string')
    return "lacks an answer: one of 'response.body', 'response.sse' and 'response.text'";
  if (typeof streaming !== 'boolean') return "lacks 'streaming', true or false";
  if (!isFields(expected)) return "lacks 'expected', what a model is to make of the answer";
  if (sameAs !== undefined && (typeof sameAs !== 'number' || all[sameAs] === undefined || !streaming))
    return "has a wrong 'sameAs': only a stream has one, the index of the same answer unstreamed";
  return undefined;
}
