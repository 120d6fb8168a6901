import pc from 'picocolors';
import type { Cost, Runs } from './runs.ts';
import type { Target } from './target.ts';

const { bold, cyan, dim, green } = coloursFor(process.stdout);
const { red } = coloursFor(process.stderr);
const indent = 17;

/** Says where the runs go. */
export function intro({ name, model, address = '' }: Target): void {
  console.log(`${bold('Polyrun')}  ${name}  ${model}  ${address && dim(address)}`.trimEnd());
}

/** Begins a scene. */
export function heading(number: number, title: string): void {
  console.log(`\n${cyan(`${number}`)} ${bold(title)}`);
}

/** Prints what there is to say under a label, in as many lines as it takes. */
export function line(name: string, value: unknown): void {
  label(name);
  delta(String(value));
  endLine();
}

/** Begins a line whose text comes in pieces. */
export function label(name: string): void {
  process.stdout.write(green(`  ${name}`.padEnd(indent)));
}

/** A piece of text. */
export function delta(text: string): void {
  process.stdout.write(text.replaceAll('\n', `\n${' '.repeat(indent)}`));
}

/** Ends a line whose text came in pieces. */
export function endLine(): void {
  process.stdout.write('\n');
}

/** A table whose columns are as wide as what stands in them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map((cell) => cell.length)),
  );
  const laid = (cells: readonly string[]) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  console.log(dim(laid(head)));
  for (const row of rows) console.log(laid(row));
}

/** The table of what the runs cost. */
export function summary({ costs, total }: Runs): void {
  console.log(`\n${bold('Summary')}`);
  console.log(dim(row(['run', 'turns', 'tokens in', 'tokens out', 'time'])));
  for (const cost of costs) console.log(row(cellsOf(cost)));
  console.log(bold(row(cellsOf(total))));
}

function cellsOf({ title, turns, usage, ms }: Cost): string[] {
  return [title, `${turns}`, `${usage.inputTokens}`, `${usage.outputTokens}`, `${Math.round(ms)} ms`];
}

function row([title = '', ...cells]: readonly string[]): string {
  return `  ${title.padEnd(32)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

/** One line for what went wrong. */
export function complain(message: string): void {
  console.error(`${red('error')} ${message.replaceAll(/\s+/g, ' ').trim()}`);
}

/** Colours are for people: none in a pipe, none where NO_COLOR is set, unless FORCE_COLOR asks for them. */
function coloursFor(stream: NodeJS.WriteStream): ReturnType<typeof pc.createColors> {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  return pc.createColors(!NO_COLOR && (Boolean(FORCE_COLOR) || (stream.isTTY && TERM !== 'dumb')));
}
