import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'polyrun-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export type Program = {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines: AsyncIterable<string>;
  /** All that it wrote to its error output. */
  readonly errors: () => string;
  /** How it ended: an exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
};

/** Starts one of the programs in `programs/`, in a process of its own. */
export function start(name: string, ...args: string[]): Program {
  const file = fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals | null);
  return { child, lines: createInterface({ input: child.stdout }), errors: () => errors, ended };
}

/** The program's whole output; throws when it fails. */
export async function output(program: Program): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of program.lines) lines.push(line);
  const end = await program.ended;
  if (end !== 0) throw new Error(`the program ended with ${end}: ${program.errors()}`);
  return lines;
}
