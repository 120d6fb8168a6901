import { floor, ours, peers } from './contenders/index.ts';
import type { Figure, Row, Target } from './row.ts';

const names = [ours, ...peers];

/** All figures: median and, in brackets, best round. */
export function wholeTable(rows: readonly Row[]): string {
  const figure = ({ unit }: Row, value: Figure | undefined) => (value ? `${bothOf(value)} ${unit}` : '—');
  return markdown([
    ['', floor, ...names, 'target', 'result'],
    ...rows.map((row) => [
      row.what,
      row.byHand ? figure(row, row.byHand) : '',
      ...names.map((name) => figure(row, row.figures.get(name))),
      row.targets.map(targetText).join('; '),
      row.targets.map((target) => verdict(row, target)).join('; '),
    ]),
  ]);
}

/** The medians only, and for each target how it came out. */
export function shortTable(rows: readonly Row[]): string {
  return markdown([
    ['', ...names.map((name) => `\`${name}\``), 'target', 'result'],
    ...rows.map((row) => [
      row.what,
      ...names.map((name) => {
        const value = row.figures.get(name)?.typical;
        return value === undefined ? '—' : `${digits(value)} ${row.unit}`;
      }),
      row.targets.map(targetText).join('; '),
      row.targets.map((target) => verdict(row, target)).join('; '),
    ]),
  ]);
}

function targetText(target: Target): string {
  return target.type === 'at_most' ? `≤ ${target.value}` : `${target.times}× less than ${target.than}`;
}

function verdict({ figures }: Row, target: Target): string {
  const mine = figures.get(ours)?.typical ?? NaN;
  if (target.type === 'at_most') return mine <= target.value ? 'met' : 'missed';
  const theirs = peers.flatMap((name) => {
    const counts = target.than === 'the best peer' || target.than === name;
    const value = figures.get(name)?.typical;
    return counts && value !== undefined ? [value] : [];
  });
  const times = Math.min(...theirs) / mine;
  return `${digits(times)}×, ${times >= target.times ? 'met' : 'missed'}`;
}

function bothOf({ typical, best }: Figure): string {
  return best === undefined ? digits(typical) : `${digits(typical)} (${digits(best)})`;
}

/** Three digits, at most two of them behind the point; or all before it. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}

function markdown([head = [], ...lines]: readonly (readonly string[])[]): string {
  const ruler = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, ruler, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
