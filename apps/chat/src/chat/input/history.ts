import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const mostLines = 500;

/** The lines that were typed, in a file; one that cannot be written is no reason to stop. */
export class History {
  readonly #file: string;
  #lines: string[];

  constructor(file: string) {
    this.#file = file;
    this.#lines = read(file);
  }

  /** The latest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    if (line.trim() === '' || line === this.#lines[0]) return;
    this.#lines = [line, ...this.#lines.filter((other) => other !== line)].slice(0, mostLines);
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
    } catch {
      // The line is remembered for this time.
    }
  }
}

/** What is too old is forgotten when the file is read. */
function read(file: string): string[] {
  try {
    const written = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    const kept = written.slice(-mostLines);
    if (written.length > 2 * mostLines) writeFileSync(file, `${kept.join('\n')}\n`, { mode: 0o600 });
    return [...new Set(kept.map((line) => String(JSON.parse(line))).reverse())];
  } catch {
    return [];
  }
}
