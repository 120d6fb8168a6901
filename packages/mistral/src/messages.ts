import { wireIds, type Item, type Json } from '@polyrun/core';
import type { Piece } from './items.ts';
import { ordered } from './order.ts';
import type { Target } from './target.ts';
import type { JsonObject, WireMessage } from './wire.ts';

/** An item with what it is to the wire. */
export type Placed = { readonly item: Item; readonly piece: Piece };
type Setting = {
  readonly instructions: string;
  /** The answer is to begin with the last message, if it is the model's. */
  readonly prefix: boolean;
  readonly report: Target['report'];
};

/** Wire ids of calls: https://docs.mistral.ai/capabilities/function_calling; the API refuses all others. */
const callIds = { legal: /^[a-zA-Z0-9]{9}$/, length: 9 } as const;

/** Pieces as messages: a turn of the model is one assistant message, outputs follow their calls, media of outputs go to the user. */
export function wireMessages(placed: readonly Placed[], { instructions, prefix, report }: Setting): WireMessage[] {
  const log = new MessageLog();
  if (instructions !== '') log.push({ role: 'system', content: instructions });
  for (const each of placed) log.add(each);
  return ordered(log.end(prefix), report);
}

/** A turn of the model, which this wire holds in one message, and the results of the tools that Mistral ran in it. */
type Turn = { chunks: JsonObject[]; calls: JsonObject[]; results: WireMessage[]; prefix: boolean };

class MessageLog {
  readonly #messages: WireMessage[] = [];
  readonly #wireId = wireIds(callIds);
  #turn: Turn | undefined;
  #media: JsonObject[] = [];
  /** Counts the calls that Mistral answered itself: their ids are not made unique as those of others are. */
  #executed = 0;

  push(message: WireMessage): void {
    this.#messages.push(message);
  }

  add({ item, piece }: Placed): void {
    if (piece.type === 'output') {
      this.#closeTurn();
      this.push({ role: 'tool', tool_call_id: this.#wireId(callIdOf(item)), content: piece.text });
      this.#media.push(...piece.media);
    } else if (piece.type === 'user' || piece.type === 'system') {
      this.#close();
      const content: Json = piece.type === 'user' ? piece.content : piece.text;
      this.push({ role: piece.type, content });
    } else if (piece.type !== 'nothing') {
      if (!this.#turn) this.#close();
      this.#say(item, piece);
    }
  }

  /** All messages; the last one as the beginning of the answer, where that is asked for. */
  end(prefix: boolean): readonly WireMessage[] {
    const asked = prefix || this.#turn?.prefix === true;
    this.#close();
    const last = this.#messages.at(-1);
    if (!asked || last?.role !== 'assistant') return this.#messages;
    return [...this.#messages.slice(0, -1), { ...last, prefix: true }];
  }

  #say(item: Item, piece: Extract<Piece, { type: 'said' | 'call' | 'executed' }>): void {
    // Results stand between what was said before and after them, unless an answer of the user's tools is still to come.
    if (piece.type === 'said' && piece.chunks.length > 0 && isAnswered(this.#turn)) this.#closeTurn();
    const turn = (this.#turn ??= { chunks: [], calls: [], results: [], prefix: false });
    if (piece.type === 'said') {
      turn.chunks.push(...piece.chunks);
      turn.prefix = piece.prefix;
      return;
    }
    const id = this.#wireId(piece.type === 'call' ? callIdOf(item) : `${piece.id}#${this.#executed++}`);
    turn.calls.push({ id, type: 'function', function: piece.called });
    if (piece.type === 'executed') turn.results.push({ role: 'tool', tool_call_id: id, content: piece.result });
  }

  #closeTurn(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    if (!turn || (turn.chunks.length === 0 && turn.calls.length === 0)) return;
    const { chunks, calls, results } = turn;
    this.push({ role: 'assistant', content: contentOf(chunks), ...(calls.length > 0 && { tool_calls: calls }) });
    this.#messages.push(...results);
  }

  #close(): void {
    this.#closeTurn();
    if (this.#media.length > 0) this.push({ role: 'user', content: this.#media });
    this.#media = [];
  }
}

function isAnswered(turn: Turn | undefined): boolean {
  return turn !== undefined && turn.results.length > 0 && turn.results.length === turn.calls.length;
}

function callIdOf(item: Item): string {
  return 'call_id' in item && typeof item.call_id === 'string' ? item.call_id : '';
}

/** A string where it is nothing but text, as the API itself writes it. */
function contentOf(chunks: readonly JsonObject[]): Json {
  const texts = chunks.map(({ type, text }) => (type === 'text' ? text : undefined));
  return texts.every((text) => typeof text === 'string') ? texts.join('\n\n') : chunks;
}
