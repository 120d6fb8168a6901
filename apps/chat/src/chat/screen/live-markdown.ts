import type { WriteStream } from 'node:tty';
import { renderBlock, takeFinished, type Block } from './markdown.ts';
import type { Style } from './style.ts';

/**
 * Markdown that is shown while it is written: what can no longer change is printed for good, the block that is being written is drawn
 * anew as it grows.
 */
export class LiveMarkdown {
  readonly #output: WriteStream;
  readonly #style: Style;
  readonly #redrawMs: number;
  /** What is not printed for good. */
  #text = '';
  #drawnLines = 0;
  #drawnAt = -Infinity;
  #hasPrinted = false;

  /** `redrawMs`: the least time between two drawings. */
  constructor(output: WriteStream, style: Style, { redrawMs = 40 } = {}) {
    this.#output = output;
    this.#redrawMs = redrawMs;
    this.#style = style;
  }

  add(text: string): void {
    this.#text += text;
    if (performance.now() - this.#drawnAt < this.#redrawMs) return;
    const { finished, growing, rest } = takeFinished(this.#text);
    if (!growing) return;
    const printed = finished.map((block) => this.#printed(block)).join('');
    this.#text = rest;
    const lines = this.#render(growing).slice(-this.#mostLines());
    if (this.#hasPrinted) lines.unshift('');
    this.#redraw(printed + lines.join('\n'), lines.length);
  }

  /** Prints what is left. */
  end(): void {
    const { finished, growing } = takeFinished(this.#text);
    const blocks = growing ? [...finished, growing] : finished;
    this.#redraw(blocks.map((block) => this.#printed(block)).join(''), 0);
    this.#text = '';
  }

  #render(block: Block): string[] {
    // A line as wide as the screen would leave the cursor where terminals disagree.
    return renderBlock(block, { width: Math.max(20, (this.#output.columns || 80) - 1), style: this.#style });
  }

  /** A block for good: a line apart from the one before it. */
  #printed(block: Block): string {
    const apart = this.#hasPrinted ? '\n' : '';
    this.#hasPrinted = true;
    return `${apart}${this.#render(block).join('\n')}\n`;
  }

  /** `lines` of it are to be drawn anew next time. */
  #redraw(text: string, lines: number): void {
    const up = this.#drawnLines > 1 ? `\u001b[${this.#drawnLines - 1}A` : '';
    const erase = this.#drawnLines > 0 ? `${up}\r\u001b[J` : '';
    this.#output.write(erase + text);
    this.#drawnLines = lines;
    this.#drawnAt = performance.now();
  }

  /** What has scrolled off the screen cannot be drawn anew. */
  #mostLines(): number {
    return Math.max(1, (this.#output.rows || 24) - 2);
  }
}
