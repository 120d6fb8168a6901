import { answer } from '../contender.ts';

type Content =
  | { type: 'text'; text: string }
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: string };
type FinishReason = { unified: 'stop' | 'tool-calls'; raw: string };
type Answer = { content: Content[]; finishReason: FinishReason; usage: typeof usage; warnings: [] };
type Part =
  | { type: 'stream-start'; warnings: [] }
  | { type: 'text-start' | 'text-end'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'finish'; finishReason: FinishReason; usage: typeof usage };

const usage = {
  inputTokens: { total: 10, noCache: 10, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};
const stop: FinishReason = { unified: 'stop', raw: 'stop' };

/**
 * A model of the AI SDK in this process: prepared answers, or one prepared stream. Its types say just what it gives, so that it fits
 * into every library that takes such models, whichever edition of the interface it has.
 */
export class AiModel {
  readonly specificationVersion = 'v4';
  readonly provider = 'prepared';
  readonly modelId = 'prepared';
  readonly supportedUrls = {};
  readonly #answers: readonly Answer[];
  readonly #deltas: number;
  #before: number | undefined;

  constructor({ turns = 1, deltas = 0 }: { turns?: number; deltas?: number }) {
    this.#answers = [...Array.from({ length: turns - 1 }, (_, turn) => callOf(`call_${turn}`)), message];
    this.#deltas = deltas;
  }

  async doGenerate({ prompt }: { prompt: readonly unknown[] }): Promise<Answer> {
    // How many messages stand before the first answer is up to the library; the first request tells.
    this.#before ??= prompt.length;
    const due = this.#answers[(prompt.length - this.#before) / 2];
    if (due === undefined) throw new Error(`No answer was prepared for a prompt of ${prompt.length} messages.`);
    return due;
  }

  async doStream(): Promise<{ stream: ReadableStream<Part> }> {
    const parts = partsOf(this.#deltas);
    const stream = new ReadableStream<Part>({
      pull(controller) {
        const { done, value } = parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    return { stream };
  }
}

const message: Answer = {
  content: [{ type: 'text', text: answer }],
  finishReason: stop,
  usage,
  warnings: [],
};

function callOf(toolCallId: string): Answer {
  return {
    content: [{ type: 'tool-call', toolCallId, toolName: 'weather', input: '{"city":"Oslo"}' }],
    finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
    usage,
    warnings: [],
  };
}

function* partsOf(deltas: number): Generator<Part, undefined> {
  yield { type: 'stream-start', warnings: [] };
  yield { type: 'text-start', id: 'text_1' };
  for (let index = 0; index < deltas; index++) yield { type: 'text-delta', id: 'text_1', delta: 'word ' };
  yield { type: 'text-end', id: 'text_1' };
  yield { type: 'finish', finishReason: stop, usage };
  return undefined;
}
