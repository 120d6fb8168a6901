import type { Effort } from './measure.ts';

/** `best` is of the fastest round, where there were rounds. */
export type Figure = { readonly typical: number; readonly best?: number };

/** What our figure shall be: so many times less than that of a peer, or at most so much. */
export type Target =
  | { readonly type: 'times'; readonly times: number; readonly than: 'the best peer' | '@openai/agents-core' }
  | { readonly type: 'at_most'; readonly value: number };

/** One line of the table. */
export type Row = {
  readonly what: string;
  readonly unit: 'µs' | 'ms' | 'KB';
  /** What the same costs by hand; the figures are what each adds to it. Without it they are all that it takes. */
  readonly byHand?: Figure;
  /** By name of the package. */
  readonly figures: ReadonlyMap<string, Figure>;
  readonly targets: readonly Target[];
};

/** A group of lines, such as those of turns. */
export type Group = (effort: Effort) => Promise<readonly Row[]>;
