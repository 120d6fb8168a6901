import { appendFileSync } from 'node:fs';
import type { SpanData, TraceData, TraceProcessor } from '@polyrun/core';

/**
 * Appends every span that ends, and every trace, to a file: one JSON object a line, `{ "span": … }` or `{ "trace": … }`. Each is written at
 * once, so that a crash loses nothing that had ended. `npx @polyrun/cli trace <file>` shows it.
 */
export class FileTraceProcessor implements TraceProcessor {
  readonly #path: string;

  /** A file that does not exist is made; the folder must exist. */
  constructor(path: string) {
    this.#path = path;
  }

  onSpanEnd(span: SpanData): void {
    this.#append({ span });
  }

  onTraceEnd(trace: TraceData): void {
    this.#append({ trace });
  }

  #append(line: object): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}
