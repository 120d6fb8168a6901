import { createInterface, type Interface } from 'node:readline';
import type { Input, Reply } from './input.ts';

/** Takes lines as they come from a pipe or a file; nothing is prompted for. */
export class PipeInput implements Input {
  readonly isTerminal = false;
  readonly #reader: Interface;
  readonly #ahead: string[] = [];
  #hasEnded = false;
  #asking: ((reply: Reply) => void) | undefined;

  constructor(input: NodeJS.ReadableStream) {
    this.#reader = createInterface({ input, terminal: false });
    this.#reader.on('line', (text) => {
      if (this.#asking) this.#asking({ type: 'line', text });
      else this.#ahead.push(text);
    });
    this.#reader.on('close', () => {
      this.#hasEnded = true;
      this.#asking?.({ type: 'ended' });
    });
  }

  async ask(): Promise<Reply> {
    const text = this.#ahead.shift();
    if (text !== undefined) return { type: 'line', text };
    if (this.#hasEnded) return { type: 'ended' };
    return new Promise((resolve) => {
      this.#asking = (reply) => {
        this.#asking = undefined;
        resolve(reply);
      };
    });
  }

  watch(onInterrupt: () => void): () => void {
    process.on('SIGINT', onInterrupt);
    return () => process.off('SIGINT', onInterrupt);
  }

  close(): void {
    this.#reader.close();
  }
}
