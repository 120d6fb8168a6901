import { PassThrough } from 'node:stream';
import type { ReadStream } from 'node:tty';

const escape = '\u001b';
const pasteBegins = `${escape}[200~`;
const pasteEnds = `${escape}[201~`;
const interrupt = '\u0003';
const pasteMark = new RegExp(`(${escape}\\[20[01]~)`);
const unfinishedMark = new RegExp(`${escape}\\[(2(0[01]?)?)?$`);
/** Alt-Enter, Shift-Enter where terminals tell it, and Ctrl-J: a new line, where Enter sends. */
const newLineKeys = new RegExp(`${escape}\\r|${escape}\\[13;2u|\\n`, 'g');

/**
 * The keys of a terminal, for readline, which knows single lines only: a new line inside a message is shown as a sign. Pasted text is
 * one message, however many lines it has. What is typed while nothing is asked waits for the next question.
 */
export class Keys extends PassThrough {
  readonly #terminal: ReadStream;
  readonly #onInterrupt: () => void;
  #isAsked = false;
  #isPasting = false;
  #hasPastedReturn = false;
  #waiting = '';

  /** `onInterrupt`: Ctrl-C while nothing is asked. */
  constructor(terminal: ReadStream, onInterrupt: () => void) {
    super();
    this.#terminal = terminal;
    this.#onInterrupt = onInterrupt;
    terminal.setEncoding('utf8').setRawMode(true);
    terminal.on('data', this.#typed).on('end', this.#ended);
  }

  /** Lets keys through until a line is entered. */
  attend(): void {
    this.#isAsked = true;
    const waiting = this.#waiting;
    this.#waiting = '';
    if (waiting !== '') this.#pass(waiting);
  }

  rest(): void {
    this.#isAsked = false;
    this.#terminal.setRawMode(true);
  }

  /** Called by readline, also around Ctrl-Z. */
  setRawMode(isRaw: boolean): void {
    this.#terminal.setRawMode(isRaw);
  }

  close(): void {
    this.#terminal.off('data', this.#typed).off('end', this.#ended).setRawMode(false).pause();
  }

  readonly #typed = (typed: string | Buffer): void => {
    const keys = String(typed);
    if (this.#isAsked) return this.#pass(this.#waiting + keys);
    this.#waiting += keys;
    if (!keys.includes(interrupt)) return;
    this.#waiting = '';
    this.#onInterrupt();
  };

  readonly #ended = (): void => {
    this.end();
  };

  /** Up to the first Enter; what follows is for the next question. */
  #pass(keys: string): void {
    const mark = unfinishedMark.exec(keys)?.[0] ?? '';
    const text = this.#translated(keys.slice(0, keys.length - mark.length));
    const end = text.indexOf('\r') + 1 || text.length;
    this.#waiting = text.slice(end) + mark;
    this.#isAsked = end === text.length && !text.endsWith('\r');
    this.write(text.slice(0, end));
  }

  #translated(keys: string): string {
    return keys
      .split(pasteMark)
      .map((part) => {
        if (part === pasteBegins || part === pasteEnds) this.#isPasting = part === pasteBegins;
        else if (part !== '') return this.#isPasting ? this.#pasted(part) : part.replace(newLineKeys, shown('\n'));
        return '';
      })
      .join('');
  }

  /** A line may end in \r\n, also where the paste is cut between the two. */
  #pasted(part: string): string {
    const text = this.#hasPastedReturn ? part.replace(/^\n/, '') : part;
    this.#hasPastedReturn = part.endsWith('\r');
    return shown(text.replace(/\r\n?/g, '\n'));
  }
}

/** Text as it stands in the line that is edited. */
export function shown(text: string): string {
  return text
    .replaceAll('\n', '␤')
    .replaceAll('\t', '␉')
    .replace(/\p{Cc}/gu, '');
}

/** What a line that was edited means. */
export function meant(line: string): string {
  return line.replaceAll('␤', '\n').replaceAll('␉', '\t');
}
