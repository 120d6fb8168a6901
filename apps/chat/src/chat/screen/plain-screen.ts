import type { Screen } from './screen.ts';

/** For pipes and files: text as the model writes it, notes in brackets on lines of their own, errors on standard error. */
export class PlainScreen implements Screen {
  readonly #output: NodeJS.WritableStream;
  readonly #errors: NodeJS.WritableStream;
  readonly #showsNotes: boolean;
  #isMidLine = false;

  constructor(
    { output, errors }: { output: NodeJS.WritableStream; errors: NodeJS.WritableStream },
    { showsNotes = true } = {},
  ) {
    this.#output = output;
    this.#errors = errors;
    this.#showsNotes = showsNotes;
  }

  answer(text: string): void {
    if (text === '') return;
    this.#output.write(text);
    this.#isMidLine = !text.endsWith('\n');
  }

  endAnswer(): void {
    if (this.#isMidLine) this.#output.write('\n');
    this.#isMidLine = false;
  }

  note(text: string): void {
    if (this.#showsNotes) this.line(`[${text}]`);
  }

  line(text: string): void {
    this.endAnswer();
    this.#output.write(`${text}\n`);
  }

  error(text: string): void {
    this.endAnswer();
    this.#errors.write(`error ${text}\n`);
  }

  wait(): void {}

  clear(): void {}
}
