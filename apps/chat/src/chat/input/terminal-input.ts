import { createInterface } from 'node:readline';
import type { ReadStream } from 'node:tty';
import type { History } from './history.ts';
import type { Input, Question, Reply } from './input.ts';
import { Keys, meant, shown } from './keys.ts';

const tellPastes = '\u001b[?2004h';
const tellNoPastes = '\u001b[?2004l';

/** A person at a terminal: lines are edited, completed, and fetched back from the history. */
export class TerminalInput implements Input {
  readonly isTerminal = true;
  readonly #keys: Keys;
  readonly #output: NodeJS.WritableStream;
  readonly #history: History;
  readonly #watchers = new Set<() => void>();

  constructor(input: ReadStream, output: NodeJS.WritableStream, history: History) {
    this.#output = output;
    this.#history = history;
    this.#keys = new Keys(input, () => this.#watchers.forEach((told) => told()));
    output.write(tellPastes);
  }

  async ask({ prompt, prefill = '', isRemembered = false, complete }: Question): Promise<Reply> {
    const reader = createInterface({
      input: this.#keys,
      output: this.#output,
      terminal: true,
      history: isRemembered ? this.#history.lines.map(shown) : [],
      prompt,
      completer: complete ?? ((line: string) => [[], line]),
    });
    const reply = await new Promise<Reply>((resolve) => {
      reader.on('line', (line) => resolve({ type: 'line', text: meant(line) }));
      reader.on('SIGINT', () => resolve({ type: 'interrupted' }));
      reader.on('close', () => resolve({ type: 'ended' }));
      reader.prompt();
      reader.write(shown(prefill));
      this.#keys.attend();
    });
    if (reply.type === 'line' && isRemembered) this.#history.add(reply.text);
    if (reply.type === 'interrupted') reader.write(null, { ctrl: true, name: 'e' });
    if (reply.type !== 'line') this.#output.write('\n');
    reader.close();
    this.#keys.rest();
    return reply;
  }

  watch(onInterrupt: () => void): () => void {
    this.#watchers.add(onInterrupt);
    process.on('SIGINT', onInterrupt);
    return () => {
      this.#watchers.delete(onInterrupt);
      process.off('SIGINT', onInterrupt);
    };
  }

  close(): void {
    this.#output.write(tellNoPastes);
    this.#keys.close();
  }
}
