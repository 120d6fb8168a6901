import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { vi } from 'vitest';
import { main, type Variables, type World } from './world.ts';

/** Whether there is a real terminal to test in. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0;
const ready = { timeout: 20_000, interval: 50 };

/** The chat in a terminal of its own, played by tmux. */
export class Terminal {
  readonly #socket = `polyrun-${randomUUID()}`;

  constructor(world: World, { args = [], variables = {} }: { args?: readonly string[]; variables?: Variables } = {}) {
    const program = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
    // What the chat leaves behind stays to be looked at.
    const shell = `${program}; echo "ended with $?"; exec cat`;
    const size = ['-x', '80', '-y', '24'];
    this.#tmux(
      ['-f', '/dev/null', 'new-session', '-d', ...size, '-c', world.folder, shell],
      world.environment(variables),
    );
  }

  /** Types text, then keys by tmux's names. */
  type(text: string, ...keys: readonly string[]): void {
    if (text !== '') this.#tmux(['send-keys', '-l', text]);
    if (keys.length > 0) this.#tmux(['send-keys', ...keys]);
  }

  paste(text: string): void {
    this.#tmux(['set-buffer', text]);
    this.#tmux(['paste-buffer', '-p']);
  }

  /** The lines on the screen and what has scrolled off, without the empty ones at the end; with `-e` in colours. */
  screen(...options: readonly string[]): string {
    return this.#tmux(['capture-pane', '-p', '-S', '-', ...options]).trimEnd();
  }

  /** Waits until the screen shows it; gives the screen. */
  async shows(what: string | RegExp): Promise<string> {
    return vi.waitFor(() => {
      const screen = this.screen();
      if (typeof what === 'string' ? screen.includes(what) : what.test(screen)) return screen;
      throw new Error(`The screen does not show ${what}:\n${screen}`);
    }, ready);
  }

  /** Waits for a prompt with nothing behind it. */
  async prompts(): Promise<string> {
    return this.shows(/\n>$/);
  }

  end(): void {
    spawnSync('tmux', ['-L', this.#socket, 'kill-server']);
  }

  #tmux(args: readonly string[], environment?: Variables): string {
    const env = environment === undefined ? process.env : { ...environment, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
    return execFileSync('tmux', ['-L', this.#socket, '-u', ...args], { encoding: 'utf8', env });
  }
}
