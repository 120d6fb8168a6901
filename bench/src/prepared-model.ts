import type { CallContext, Item, Model, ModelEvent, ModelRequest, ModelResponse, OutputItem } from '@polyrun/core';

const usage = {
  requests: 1,
  inputTokens: 10,
  outputTokens: 5,
  totalTokens: 15,
  inputTokensDetails: { cachedTokens: 0, cacheWriteTokens: 0 },
  outputTokensDetails: { reasoningTokens: 0 },
  source: 'reported',
} as const;

/**
 * A model in this process whose answers were made before: it costs next to nothing, so what is measured is the loop around it.
 * Which answer is due it reads off the length of the input, so that any number of runs can share it.
 */
export class PreparedModel implements Model {
  readonly provider = 'prepared';
  readonly name = 'prepared';
  readonly capabilities = {};
  readonly #answers: readonly ModelResponse[];
  readonly #history: number;
  readonly #step: number;
  readonly #before: ((turn: number, call: CallContext | undefined) => Promise<void> | undefined) | undefined;

  /** `history`: items before the first answer; `step`: items that one turn adds; `before` is awaited before an answer. */
  constructor(
    answers: readonly ModelResponse[],
    options: {
      history?: number;
      step?: number;
      before?: (turn: number, call: CallContext | undefined) => Promise<void> | undefined;
    } = {},
  ) {
    this.#answers = answers;
    this.#history = options.history ?? 1;
    this.#step = options.step ?? 2;
    this.#before = options.before;
  }

  async getResponse({ input }: ModelRequest, call?: CallContext): Promise<ModelResponse> {
    const turn = (input.length - this.#history) / this.#step;
    if (this.#before) await this.#before(turn, call);
    const answer = this.#answers[turn];
    if (answer === undefined) throw new Error(`No answer was prepared for an input of ${input.length} items.`);
    return answer;
  }

  streamResponse(): AsyncIterable<ModelEvent> {
    throw new Error('This model does not stream.');
  }
}

/** A model whose one answer streams prepared events. */
export class StreamingModel extends PreparedModel {
  readonly #events: readonly ModelEvent[];

  constructor(events: readonly ModelEvent[]) {
    super([]);
    this.#events = events;
  }

  override async *streamResponse(): AsyncGenerator<ModelEvent, void, undefined> {
    for (const event of this.#events) yield event;
  }
}

/** The answers of a run of so many turns: each calls the tool `weather`, `calls` times, the last one is a message. */
export function answersOf(turns: number, calls = 1): readonly ModelResponse[] {
  const toolTurns = Array.from({ length: turns - 1 }, (_, turn) =>
    responseOf(Array.from({ length: calls }, (_, call) => callItem(`call_${turn}_${call}`))),
  );
  return [...toolTurns, responseOf([messageItem('It is sunny.')])];
}

/** An earlier conversation of so many items: questions, calls, outputs and answers. */
export function historyOf(length: number): readonly Item[] {
  return Array.from({ length }, (_, index): Item => {
    const callId = `call_old_${index >> 2}`;
    switch (index % 4) {
      case 0:
        return { type: 'message', role: 'user', content: 'How is the weather in Oslo?' };
      case 1:
        return callItem(callId);
      case 2:
        return { type: 'function_call_output', call_id: callId, output: 'Sunny.' };
      default:
        return messageItem('It is sunny.');
    }
  });
}

export function responseOf(output: readonly OutputItem[]): ModelResponse {
  return { model: 'prepared', output, usage, stop: { type: 'end', raw: null }, adaptations: [] };
}

export function messageItem(text: string): OutputItem {
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

function callItem(callId: string): OutputItem {
  return { type: 'function_call', call_id: callId, name: 'weather', arguments: '{"city":"Oslo"}', status: 'completed' };
}
