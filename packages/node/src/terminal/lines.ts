import { createInterface, type Interface } from 'node:readline';

/** What came of a question: a line, Ctrl-C, or the end of the input. */
export type Reply = { type: 'line'; text: string } | { type: 'interrupted' } | { type: 'ended' };

/** Asks for one line after the other: with editing and history in a terminal, as they come from a pipe or a file. */
export class Lines {
  readonly isTerminal: boolean;
  readonly #input: NodeJS.ReadableStream;
  readonly #reader: Interface;
  readonly #ahead: string[] = [];
  #ended = false;
  #asking: ((reply: Reply) => void) | undefined;

  constructor(input: NodeJS.ReadableStream, output: NodeJS.WritableStream) {
    this.#input = input;
    this.isTerminal = isTerminal(input) && isTerminal(output);
    this.#reader = createInterface({ input, terminal: this.isTerminal, ...(this.isTerminal && { output }) });
    this.#reader.on('line', (text) => this.#tell({ type: 'line', text }));
    this.#reader.on('SIGINT', () => this.#interrupted());
    this.#reader.on('close', () => this.#tell({ type: 'ended' }));
    this.#rest();
  }

  /** The question is shown in a terminal only. */
  async ask(question: string): Promise<Reply> {
    const text = this.#ahead.shift();
    if (text !== undefined) return { type: 'line', text };
    if (this.#ended) return { type: 'ended' };
    return new Promise((resolve) => {
      this.#asking = (reply) => {
        this.#asking = undefined;
        this.#rest();
        resolve(reply);
      };
      this.#attend();
      this.#reader.setPrompt(question);
      if (this.isTerminal) this.#reader.prompt();
    });
  }

  close(): void {
    this.#reader.close();
  }

  #tell(reply: Reply): void {
    if (reply.type === 'ended') this.#ended = true;
    if (this.#asking) this.#asking(reply);
    else if (reply.type === 'line') this.#ahead.push(reply.text);
  }

  #interrupted(): void {
    // The line that was begun is given up, wherever in it the cursor stands.
    this.#reader.write(null, { ctrl: true, name: 'e' });
    this.#reader.write(null, { ctrl: true, name: 'u' });
    this.#tell({ type: 'interrupted' });
  }

  #attend(): void {
    if (this.isTerminal) setRawMode(this.#input, true);
    this.#reader.resume();
  }

  /** Between questions a terminal is its usual self: what is typed shows, and Ctrl-C is a signal. */
  #rest(): void {
    if (!this.isTerminal || this.#ended) return;
    this.#reader.pause();
    setRawMode(this.#input, false);
  }
}

function isTerminal(stream: object): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}

function setRawMode(input: object, raw: boolean): void {
  if ('setRawMode' in input && typeof input.setRawMode === 'function') input.setRawMode(raw);
}
