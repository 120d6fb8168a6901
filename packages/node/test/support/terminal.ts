import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

/** Why there is no terminal to be had here; `undefined` when there is. */
export const terminalMissing: string | undefined = missing();

function missing(): string | undefined {
  try {
    execFileSync('tmux', ['-V']);
    return undefined;
  } catch {
    return 'tmux is not installed';
  }
}

export type Terminal = {
  /** What stands on the screen. */
  screen(): string;
  /** Presses keys, named as tmux names them (`Enter`, `C-c`); other words are typed. */
  press(...keys: string[]): void;
  /** Waits until the screen holds this. */
  shows(wanted: string | RegExp): Promise<void>;
};

/** A program of `programs/` in a real terminal. */
export function openTerminal(name: string, ...args: string[]): Terminal {
  const session = `polyrun-${crypto.randomUUID()}`;
  // A server of its own, so that nobody's settings are read and nobody's sessions are touched.
  const tmux = (...words: string[]) =>
    execFileSync('tmux', ['-f', '/dev/null', '-L', session, ...words], { encoding: 'utf8' });
  const file = fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', file, ...args];
  tmux('new-session', '-d', '-x', '100', '-y', '40', command.map((word) => `'${word}'`).join(' ') + '; sleep 60');
  onTestFinished(() => void tmux('kill-server'));
  const screen = () => tmux('capture-pane', '-p', '-t', '0').trimEnd();
  return {
    screen,
    press: (...keys) => void tmux('send-keys', '-t', '0', ...keys),
    shows: (wanted) => expect.poll(screen, { timeout: 15_000, interval: 30 }).toMatch(wanted),
  };
}
