import type { WriteStream } from 'node:tty';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { LiveMarkdown } from '../../src/chat/screen/live-markdown.ts';
import { renderBlock, takeFinished } from '../../src/chat/screen/markdown.ts';

const plain = pc.createColors(false);

function rendered(text: string, width = 40): string {
  const { finished, growing } = takeFinished(text);
  const blocks = growing ? [...finished, growing] : finished;
  return blocks.map((block) => renderBlock(block, { width, style: plain }).join('\n')).join('\n\n');
}

describe('Markdown in a terminal', () => {
  test.each<[string, string, string]>([
    [
      'a paragraph, wrapped',
      'one two three four five six seven eight nine',
      'one two three four five six seven eight\nnine',
    ],
    [
      'marks inside a line',
      '**a** *b* ~~c~~ `d` \\* [e](http://x.y) <http://z.z>',
      'a b c d * e (http://x.y) http://z.z',
    ],
    ['a list in a list', '1. a\n   - b\n   - c\n2. d', '1. a\n   • b\n   • c\n2. d'],
    ['a loose list', '- a\n\n- b', '• a\n\n• b'],
    ['tasks', '- [x] a\n- [ ] b', '• ☑ a\n• ☐ b'],
    [
      'code, not wrapped',
      '```js\nconst a = "one two three four five six seven";\n\nb();\n```',
      '│ const a = "one two three four five six seven";\n│\n│ b();',
    ],
    ['a quotation', '> a\n> b', '▌ a\n▌ b'],
    ['a table', '| a | bb |\n|---|---:|\n| 日本 | 1 |', 'a    │ bb\n─────┼───\n日本 │  1'],
    ['a rule', 'a\n\n---', `a\n\n${'─'.repeat(40)}`],
    ['no Markdown', '<b>x</b>', '<b>x</b>'],
  ])('%s', (_, text, shown) => {
    expect(rendered(text).replace(/ +$/gm, '')).toBe(shown);
  });
});

const escape = '\u001b';
const pieces = new RegExp(`${escape}\\[(\\d+)A|${escape}\\[J|\\r|\\n|[^${escape}\\r\\n]+`, 'g');

/** As much of a terminal as is needed: lines, cursor up, carriage return, erase below. */
class Glass {
  readonly columns = 40;
  readonly rows: number;
  readonly lines: string[] = [''];
  mostRedrawn = 0;
  #row = 0;

  constructor(rows: number) {
    this.rows = rows;
  }

  write(text: string): boolean {
    for (const [part, up] of text.matchAll(pieces)) {
      if (up !== undefined) {
        this.mostRedrawn = Math.max(this.mostRedrawn, Number(up) + 1);
        this.#row -= Number(up);
      } else if (part === `${escape}[J`) this.lines.splice(this.#row, Infinity, '');
      else if (part === '\n') this.lines[++this.#row] ??= '';
      else if (part !== '\r') this.lines[this.#row] += part;
    }
    return true;
  }
}

describe('Markdown while it is written', () => {
  const text = [
    '# A title',
    'A paragraph that is longer than one line of this terminal, so that it wraps.',
    '- one\n- two\n  - three\n\n- four',
    'Another\n---\n| a | b |\n|---|---|\n| 1 | 2 |',
    `\`\`\`\n${Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\n')}\n\`\`\``,
    'The end.',
  ].join('\n\n');

  test.each([1, 2, 3, 7, 50, 10_000])('in pieces of %i characters, ends as if it had come at once', (size) => {
    const glass = new Glass(12);
    // What it asks of a terminal is what this one has.
    const live = new LiveMarkdown(glass as unknown as WriteStream, plain, { redrawMs: 0 });
    for (let at = 0; at < text.length; at += size) live.add(text.slice(at, at + size));
    live.end();
    expect(glass.lines.join('\n').trimEnd()).toBe(rendered(text, 39));
    // More than the screen holds cannot be drawn anew.
    expect(glass.mostRedrawn).toBeLessThan(glass.rows);
  });
});
