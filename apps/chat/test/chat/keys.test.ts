import { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:tty';
import { expect, test } from 'vitest';
import { Keys, meant, shown } from '../../src/chat/input/keys.ts';

class Keyboard extends EventEmitter {
  isRaw = false;
  setEncoding = (): this => this;
  pause = (): this => this;
  setRawMode = (isRaw: boolean): this => {
    this.isRaw = isRaw;
    return this;
  };
}

/** Keys that are typed in these pieces while a line is asked for: what readline gets to see. */
function typed(pieces: readonly string[]): {
  read: () => string;
  keys: Keys;
  keyboard: Keyboard;
  interrupts: () => number;
} {
  const keyboard = new Keyboard();
  let interrupts = 0;
  // As much of a terminal as keys need.
  const keys = new Keys(keyboard as unknown as ReadStream, () => interrupts++);
  keys.attend();
  for (const piece of pieces) keyboard.emit('data', piece);
  const read = (): string => Array.from(iterate(keys)).join('');
  return { read, keys, keyboard, interrupts: () => interrupts };
}

function* iterate(keys: Keys): Iterable<string> {
  for (let chunk: unknown = keys.read(); chunk !== null; chunk = keys.read())
    yield Buffer.isBuffer(chunk) ? chunk.toString() : '';
}

const pasted = '\u001b[200~one\r\ntwo\n\tthree\u0003\u001b[201~';

test('a paste is one line, wherever it is cut (but right behind an Escape, which is a key)', () => {
  const cuts = Array.from(pasted, (_, at) => at).filter((at) => pasted[at - 1] !== '\u001b');
  for (const at of cuts) expect(typed([pasted.slice(0, at), pasted.slice(at), '\r']).read()).toBe('one␤two␤␉three\r');
});

test.each(['a\u001b\rb', 'a\nb', 'a\u001b[13;2ub'])('%j is a new line inside the message', (keys) => {
  expect(typed([keys, '\r']).read()).toBe('a␤b\r');
});

test('other keys pass as they are', () => {
  const keys = '\u001b[A\u001b[2~\u001b[20~\t\u0004\u0003';
  expect(typed([keys]).read()).toBe(keys);
});

test('what follows Enter waits for the next question', () => {
  const { read, keys } = typed(['one\rtwo\rthr', 'ee']);
  expect(read()).toBe('one\r');
  keys.attend();
  expect(read()).toBe('two\r');
  keys.attend();
  expect(read()).toBe('three');
});

test('Ctrl-C while nothing is asked interrupts, and drops what was typed', () => {
  const { read, keys, keyboard, interrupts } = typed(['one\r']);
  expect(read()).toBe('one\r');
  keyboard.emit('data', 'ahead');
  keyboard.emit('data', '\u0003');
  expect(interrupts()).toBe(1);
  keys.attend();
  expect(read()).toBe('');
});

test('the terminal is as it was once it is over', () => {
  const { keys, keyboard } = typed([]);
  expect(keyboard.isRaw).toBe(true);
  keys.close();
  expect(keyboard.isRaw).toBe(false);
  expect(keyboard.eventNames()).toEqual([]);
});

test('text is shown on one line and means the same', () => {
  expect(meant(shown('a\n\tb'))).toBe('a\n\tb');
});
