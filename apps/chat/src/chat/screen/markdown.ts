import { lexer, type MarkedToken, type Token, type Tokens } from 'marked';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Style } from './style.ts';

type Look = { readonly width: number; readonly style: Style };

/** A paragraph, a list, a piece of code and so on. */
export type Block = MarkedToken;

/**
 * The blocks of a text that is being written: those that can no longer change, and the last one, which may still grow. `rest` is the text
 * from there on.
 */
export function takeFinished(text: string): { finished: Block[]; growing: Block | undefined; rest: string } {
  const tokens = lexer(text).filter(isKnown);
  const last = tokens.findLastIndex(isShown);
  const before = tokens.slice(0, Math.max(last, 0));
  const length = before.reduce((sum, { raw }) => sum + raw.length, 0);
  return { finished: before.filter(isShown), growing: tokens[last], rest: text.slice(length) };
}

function isShown({ type }: Block): boolean {
  return type !== 'space' && type !== 'def';
}

/** A block as lines for the terminal, none wider than `width` but of code and tables. */
export function renderBlock(token: Block, look: Look): string[] {
  const { style, width } = look;
  switch (token.type) {
    case 'heading':
      return wrapped(style.bold(style.underline(inline(token.tokens, style))), width);
    case 'paragraph':
      return wrapped(inline(token.tokens, style), width);
    case 'text':
      return wrapped(inline(token.tokens ?? [token], style), width);
    case 'code':
      return token.text.split('\n').map((line) => `${style.dim('│')} ${style.cyan(line)}`);
    case 'blockquote':
      return inner(token.tokens, look, 2).map((line) => `${style.dim('▌')} ${line}`);
    case 'list':
      return list(token, look);
    case 'table':
      return table(token, style);
    case 'hr':
      return [style.dim('─'.repeat(Math.min(width, 40)))];
    default:
      return token.raw.trimEnd().split('\n');
  }
}

/** Extensions have tokens that nobody knows; there are none here. */
function isKnown(token: Token): token is MarkedToken {
  return typeof token.type === 'string';
}

function wrapped(text: string, width: number): string[] {
  return wrapAnsi(text, width, { hard: true }).split('\n');
}

function inner(tokens: readonly Token[], { width, style }: Look, indent: number): string[] {
  const look = { width: Math.max(10, width - indent), style };
  const blocks = tokens.filter(isKnown).filter(isShown);
  return blocks.flatMap((block, index) => [
    ...(index > 0 && block.type === 'paragraph' ? [''] : []),
    ...renderBlock(block, look),
  ]);
}

function list({ items, ordered, start, loose }: Tokens.List, look: Look): string[] {
  const first = typeof start === 'number' ? start : 1;
  return items.flatMap((item, index) => {
    const box = item.task ? `${item.checked ? '☑' : '☐'} ` : '';
    const mark = `${ordered ? `${first + index}.` : '•'} ${box}`;
    const indent = ' '.repeat(stringWidth(mark));
    const content = item.tokens.filter(({ type }) => type !== 'checkbox');
    const lines = inner(content, look, indent.length).map(
      (line, at) => (at === 0 ? look.style.dim(mark) : indent) + line,
    );
    return loose && index > 0 ? ['', ...lines] : lines;
  });
}

function table({ header, rows, align }: Tokens.Table, style: Style): string[] {
  const cells = [header, ...rows].map((row) => row.map(({ tokens }) => inline(tokens, style)));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => stringWidth(row[column] ?? ''))));
  const lines = cells.map((row) =>
    row.map((cell, column) => padded(cell, widths[column] ?? 0, align[column] ?? 'left')).join(style.dim(' │ ')),
  );
  const rule = style.dim(widths.map((width) => '─'.repeat(width)).join('─┼─'));
  return [style.bold(lines[0] ?? ''), rule, ...lines.slice(1)].map((line) => line.trimEnd());
}

function padded(cell: string, width: number, align: 'left' | 'right' | 'center'): string {
  const space = width - stringWidth(cell);
  const before = align === 'right' ? space : align === 'center' ? Math.floor(space / 2) : 0;
  return ' '.repeat(before) + cell + ' '.repeat(space - before);
}

function inline(tokens: readonly Token[] | undefined, style: Style): string {
  return (tokens ?? [])
    .filter(isKnown)
    .map((token) => inlineToken(token, style))
    .join('');
}

function inlineToken(token: MarkedToken, style: Style): string {
  switch (token.type) {
    case 'strong':
      return style.bold(inline(token.tokens, style));
    case 'em':
      return style.italic(inline(token.tokens, style));
    case 'del':
      return style.strikethrough(inline(token.tokens, style));
    case 'codespan':
      return style.cyan(token.text);
    case 'link':
    case 'image':
      return linked(inline(token.tokens, style) || token.text, token.href, style);
    case 'br':
      return '\n';
    case 'text':
      return token.tokens ? inline(token.tokens, style) : token.text;
    case 'escape':
      return token.text;
    default:
      return token.raw;
  }
}

function linked(text: string, href: string, style: Style): string {
  return href === text || href === `mailto:${text}`
    ? style.underline(text)
    : `${style.underline(text)} ${style.dim(`(${href})`)}`;
}
