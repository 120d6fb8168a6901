import type { WriteStream } from 'node:tty';
import yoctoSpinner from 'yocto-spinner';
import { LiveMarkdown } from './live-markdown.ts';
import type { Screen } from './screen.ts';
import { printable, styleFor, type Style } from './style.ts';

/** For a person: answers as rendered Markdown while they are written, a spinner where there is nothing to see yet. */
export class TerminalScreen implements Screen {
  readonly #output: WriteStream;
  readonly #style: Style;
  readonly #spinner: ReturnType<typeof yoctoSpinner>;
  #answer: LiveMarkdown | undefined;
  #kind: 'markdown' | 'json' = 'markdown';

  constructor(output: WriteStream) {
    this.#output = output;
    this.#style = styleFor(output);
    // Ctrl-C cancels the answer; the spinner would end the program.
    this.#spinner = yoctoSpinner({ stream: output, handleSignals: false });
  }

  answer(text: string, kind: 'markdown' | 'json' = 'markdown'): void {
    if (text === '') return;
    this.#spinner.stop();
    this.#answer ??= this.#begun(kind);
    this.#answer.add(printable(text));
  }

  endAnswer(): void {
    this.#spinner.stop();
    if (this.#kind === 'json') this.#answer?.add('\n```');
    this.#answer?.end();
    this.#answer = undefined;
  }

  note(text: string): void {
    this.line(this.#style.dim(text));
  }

  line(text: string): void {
    this.endAnswer();
    this.#output.write(`${text}\n`);
  }

  error(text: string): void {
    this.line(`${this.#style.red('error')} ${text}`);
  }

  wait(what: string): void {
    // On a build server it would print a line for each frame.
    if (this.#answer || 'CI' in process.env || process.env['TERM'] === 'dumb') return;
    this.#spinner.start(what);
    this.#spinner.text = what;
  }

  clear(): void {
    this.endAnswer();
    this.#output.write('\u001b[2J\u001b[3J\u001b[H');
  }

  #begun(kind: 'markdown' | 'json'): LiveMarkdown {
    const answer = new LiveMarkdown(this.#output, this.#style);
    this.#kind = kind;
    if (kind === 'json') answer.add('```json\n');
    return answer;
  }
}
