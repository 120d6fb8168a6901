import { UserError } from '../errors.ts';
import type { Capabilities } from '../model/capabilities.ts';
import type { CallContext, Model, SyncCall } from '../model/model.ts';
import { ResponseEvents } from '../model/response-events.ts';
import { StreamCompletion } from '../model/stream-completion.ts';
import { after, type MaybePromise } from '../agent/maybe-promise.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { MessageItem, OutputItem, ReasoningItem } from '../protocol/items.ts';
import { toJson, type Json } from '../protocol/json.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { ModelResponse } from '../protocol/response.ts';
import { usageOf } from '../protocol/usage.ts';

/** What a scripted model answers: a text, items, a whole response, an error that it fails with, or a function of the request. */
export type ScriptedTurn =
  | string
  | readonly OutputItem[]
  | ModelResponse
  | Error
  | ((request: ModelRequest) => MaybePromise<string | readonly OutputItem[] | ModelResponse>);

export type ScriptedModelOptions = {
  provider?: string;
  name?: string;
  capabilities?: Capabilities;
  /** How many characters one delta of a stream holds. Default 8. */
  chunkSize?: number;
};

/** A model that answers from a script, one turn a call, and records what it was asked. For tests of agents. */
export class ScriptedModel implements Model {
  readonly provider: string;
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly sync = { getResponse: (request: ModelRequest, call: SyncCall): ModelResponse => this.#now(request, call) };
  readonly #turns: readonly ScriptedTurn[];
  readonly #chunkSize: number;
  readonly #requests: ModelRequest[] = [];

  constructor(turns: readonly ScriptedTurn[], options: ScriptedModelOptions = {}) {
    this.#turns = turns;
    this.provider = options.provider ?? 'scripted';
    this.name = options.name ?? 'scripted-model';
    this.capabilities = options.capabilities ?? {};
    this.#chunkSize = Math.max(1, options.chunkSize ?? 8);
  }

  /** The requests so far, as they were when they came: frozen copies. */
  get requests(): readonly ModelRequest[] {
    return this.#requests;
  }

  /** How many turns of the script were not asked for. A test that expects all of them checks for 0. */
  get remaining(): number {
    return Math.max(0, this.#turns.length - this.#requests.length);
  }

  async getResponse(request: ModelRequest, call: CallContext = {}): Promise<ModelResponse> {
    return this.#answer(request, call);
  }

  #now(request: ModelRequest, call: SyncCall): ModelResponse {
    const response = this.#answer(request, call);
    if (!(response instanceof Promise)) return response;
    throw new UserError('ScriptedModel: a turn of the script gave a promise to a run that cannot wait.');
  }

  #answer(request: ModelRequest, call: CallContext): MaybePromise<ModelResponse> {
    call.signal?.throwIfAborted();
    const copy = frozen(structuredClone(request));
    const turn = this.#turns[this.#requests.length];
    this.#requests.push(copy);
    if (turn === undefined) throw this.#exhausted(copy);
    if (turn instanceof Error) throw turn;
    return after(typeof turn === 'function' ? turn(copy) : turn, (answer) => this.#response(answer));
  }

  async *streamResponse(request: ModelRequest, call: CallContext = {}): AsyncGenerator<ModelEvent, void, undefined> {
    const response = await this.getResponse(request, call);
    const completion = new StreamCompletion();
    for (const event of this.#deltas(response)) {
      call.signal?.throwIfAborted();
      yield* completion.admit(event, response.model);
    }
    yield* completion.finish(response).events;
  }

  #response(turn: string | readonly OutputItem[] | ModelResponse): ModelResponse {
    if (isResponse(turn)) return turn;
    const output = typeof turn === 'string' ? [message(turn)] : turn;
    const origin = { provider: this.provider, api: 'scripted', model: this.name };
    const calls = output.some(({ type }) => type === 'function_call');
    return {
      model: this.name,
      output: output.map((item) => (item.origin ? item : { ...item, origin })),
      usage: usageOf({ inputTokens: 10, outputTokens: 5 }),
      stop: { type: calls ? 'tool_calls' : 'end', raw: calls ? 'tool_calls' : 'stop' },
      adaptations: [],
    };
  }

  *#deltas(response: ModelResponse): Generator<ModelEvent> {
    const events = new ResponseEvents();
    for (const [index, item] of response.output.entries()) {
      switch (item.type) {
        case 'message': {
          const { text, refusal } = firstPart(item);
          // Without a delta the item would be told of last.
          if (text === '') yield* events.item({ ...item, content: [] });
          for (const piece of this.#pieces(text)) yield* refusal ? events.refusal(piece) : events.text(piece);
          break;
        }
        case 'reasoning':
          yield* this.#reasoning(item, events);
          break;
        case 'function_call':
          yield* events.call(index, { callId: item.call_id, name: item.name });
          for (const piece of this.#pieces(item.arguments)) yield* events.callArguments(index, piece);
          break;
        default:
          yield* events.item(item);
      }
      events.close();
    }
  }

  *#reasoning(item: ReasoningItem, events: ResponseEvents): Generator<ModelEvent> {
    yield* events.reasoning('');
    // Further parts come whole, when the item is done.
    for (const { text } of item.content?.slice(0, 1) ?? []) {
      for (const piece of this.#pieces(text)) yield* events.reasoning(piece);
    }
    for (const [part, { text }] of item.summary.entries()) {
      for (const piece of this.#pieces(text)) yield* events.reasoningSummary(piece, part);
    }
  }

  *#pieces(text: string): Generator<string> {
    for (let at = 0; at < text.length; at += this.#chunkSize) yield text.slice(at, at + this.#chunkSize);
  }

  #exhausted({ input }: ModelRequest): UserError {
    const last = input.at(-1);
    return new UserError(
      `ScriptedModel: the run made model call ${this.#requests.length}, but the script has only ${this.#turns.length} turns. ` +
        `The request ended with ${last === undefined ? 'no input' : JSON.stringify(last).slice(0, 200)}; add a turn, or find out why the run went on.`,
    );
  }
}

/** A function call as a model makes it; `args` becomes its JSON text. */
export function call(name: string, args: Json = {}, callId: string = `call_${name}`): OutputItem {
  return {
    type: 'function_call',
    call_id: callId,
    name,
    arguments: typeof args === 'string' ? args : JSON.stringify(toJson(args)),
  };
}

/** An assistant message. */
export function message(text: string): OutputItem {
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

function firstPart({ content }: MessageItem): { text: string; refusal: boolean } {
  if (typeof content === 'string') return { text: content, refusal: false };
  const [part] = content;
  if (part?.type === 'refusal') return { text: part.refusal, refusal: true };
  return { text: part?.type === 'output_text' ? part.text : '', refusal: false };
}

function isResponse(turn: string | readonly OutputItem[] | ModelResponse): turn is ModelResponse {
  return typeof turn === 'object' && 'output' in turn;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const entry of Object.values(value)) frozen(entry);
  }
  return value;
}
